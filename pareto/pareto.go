// Package pareto finds and measures Pareto fronts, and chooses on them.
//
// In come a Problem (objectives on a box or on proportions, with gradients where there are any) or plain
// vectors of objectives, one row a point; out come fronts, indices into the rows, and figures that are
// defined as in the literature (hypervolume, IGD, ε, attainment, expected improvement). Every objective is
// minimised in here; callers negate what they maximise. Rows with a NaN, or of another length than the
// first, are never on a front and never chosen. Whatever is random takes a seed, and nothing depends on
// the number of workers.
//
// The package knows nothing of surrogates, studies or merging. Test problems that know their fronts live
// in pareto/problems.
package pareto

import "gonum.org/v1/gonum/mat"

// Bounds are where a point may lie: a box, and disjoint sets of its coordinates that are proportions
// (each non-negative, summing to one).
type Bounds struct {
	Lo, Hi  []float64
	Simplex [][]int
}

// Problem has len(Bounds.Lo) variables and M objectives, all minimised. Eval stores the objectives at x
// in dst (length M). Jacobian, where not nil, stores ∂f_i/∂x_j in dst (M × d). Both, where not nil, stores
// the objectives and the derivatives at once, for problems where the two share their work. All are called
// from several goroutines.
type Problem struct {
	Bounds
	M        int
	Eval     func(dst, x []float64)
	Jacobian func(dst *mat.Dense, x []float64)
	Both     func(dst []float64, jac *mat.Dense, x []float64)
}

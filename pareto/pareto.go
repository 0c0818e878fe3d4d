// Package pareto finds and measures Pareto fronts, and chooses on them.
//
// Every objective is minimised in here; callers negate what they maximise. The package knows nothing
// of surrogates, studies or merging. Test problems that know their fronts live in pareto/problems.
package pareto

import "gonum.org/v1/gonum/mat"

// Bounds are where a point may lie: a box, and disjoint sets of its coordinates that are proportions
// (each non-negative, summing to one).
type Bounds struct {
	Lo, Hi  []float64
	Simplex [][]int
}

// Problem has len(Bounds.Lo) variables and M objectives, all minimised. Eval stores the objectives at x
// in dst (length M). Jacobian, where not nil, stores ∂f_i/∂x_j in dst (M × d). Both are called from
// several goroutines.
type Problem struct {
	Bounds
	M        int
	Eval     func(dst, x []float64)
	Jacobian func(dst *mat.Dense, x []float64)
}

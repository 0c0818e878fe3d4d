// Package pareto finds and measures Pareto fronts, and chooses on them.
//
// To find the front of functions, describe them by a [Problem] and call [Front], or [NSGA3] where there are no
// derivatives and very many local fronts. To pick from rows of objectives that are there already, start with
// [NonDominated], then [Knee], [Nearest] to an aspiration, or [Subset] for a few that are spread out. To compare
// sets of rows, use [Hypervolume], or a [Box] for several sets at once.
//
// In come a Problem (objectives on a box or on proportions) or plain vectors of objectives, one row a point;
// out come fronts, indices into the rows, and figures that are defined as in the literature (hypervolume, IGD,
// ε, attainment, expected improvement). Every objective is minimised in here; negate what is to be maximised.
// Rows with a NaN, or of another length than the first, are never on a front and never chosen. Whatever is
// random takes a seed, and nothing depends on the number of processors.
//
// The package knows nothing of surrogates, studies or merging. Test problems that know their fronts live
// in pareto/problems.
package pareto

import "gonum.org/v1/gonum/mat"

// Bounds are where a point may lie: the box Lo ≤ x ≤ Hi (both of length d, the number of variables), and
// disjoint sets of variables, by index, that are proportions: each non-negative and within its box, summing to one.
type Bounds struct {
	Lo, Hi  []float64
	Simplex [][]int
}

// Problem is M objectives of d = len(Bounds.Lo) variables, all minimised. Eval or EvalJacobian is required; with
// neither EvalJacobian nor Jacobian, derivatives are finite differences. All are called from several goroutines,
// with x within the bounds, and must leave x as it is. NaN says that there is no value at x.
type Problem struct {
	Bounds
	M int
	// Eval stores the objectives at x in dst (length M).
	Eval func(dst, x []float64)
	// Jacobian stores ∂f_i/∂x_j in dst (M × d).
	Jacobian func(dst *mat.Dense, x []float64)
	// EvalJacobian stores both at once, for problems where the two share their work.
	EvalJacobian func(dst []float64, jac *mat.Dense, x []float64)
}

package pareto

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// DasDennisLayers is dasDennisLayers, for tests from outside.
func DasDennisLayers(m, p, q int) [][]float64 { return dasDennisLayers(m, p, q) }

// ShortestCombination is the length of the shortest convex combination of the gradients in the rows of jac, along
// the moves that the bounds leave at x: 0 where no move improves all objectives at once.
func ShortestCombination(b Bounds, x []float64, jac *mat.Dense) float64 {
	slopes := b.tangent(x, jac)
	var v mat.VecDense
	w := multipliers(slopes)
	v.MulVec(slopes.T(), mat.NewVecDense(len(w), w))
	return math.Sqrt(mat.Dot(&v, &v))
}

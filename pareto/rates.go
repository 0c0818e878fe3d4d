package pareto

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"parfait/problem"
)

// Rates returns the marginal rates of substitution at a point x of the front (Miettinen 1999, §2.8):
// entry (i, j) is what objective j changes by when objective i improves (falls) by one, along the move on
// the front that changes the other objectives least, by least squares in the given units. jac holds the
// derivatives at x; its first len(units) rows are the objectives, further rows (of functions that are not
// optimised) follow along. Units are the sizes of a step that count as alike, such as the ranges over the
// front; nil: ones for all rows. The result is len(units) × rows, its diagonal −1.
//
// The front's normal at x is given by the weights of the shortest convex combination of the gradients.
// Variables at a bound stay there. Rows are NaN where nothing can be gained without leaving the front.
// A problem.List with BadProblem where sizes do not fit. O(M²d).
func Rates(b Bounds, x []float64, jac *mat.Dense, units []float64) (*mat.Dense, error) {
	rows, d := jac.Dims()
	if units == nil {
		units = slices.Repeat([]float64{1}, rows)
	}
	var e problem.List
	b.check(&e)
	if len(x) != d || len(b.Lo) != d || len(units) > rows || len(units) == 0 {
		e.Add(BadProblem, "rates: %d × %d derivatives, %d variables, %d bounds, %d units: expected as many variables as bounds and columns, and a row for each unit", rows, d, len(x), len(b.Lo), len(units))
	}
	if err := e.Err(); err != nil {
		return nil, err
	}
	m := len(units)
	slopes := b.tangent(x, jac)
	scaled := mat.NewDense(m, d, nil)
	for i, u := range units {
		for j := range d {
			scaled.Set(i, j, slopes.At(i, j)/u)
		}
	}
	normal := multipliers(scaled)
	removeNormal(scaled, normal)
	out := mat.NewDense(m, rows, slices.Repeat([]float64{math.NaN()}, m*rows))
	var svd mat.SVD
	if !svd.Factorize(scaled, mat.SVDThin) {
		return out, nil
	}
	var u, v mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	s := svd.Values(nil)
	rank := 0
	for rank < len(s) && s[rank] > 1e-7*s[0] {
		rank++
	}
	for i := range m {
		// d = −V S⁻¹Uᵀe_i/‖Uᵀe_i‖² moves objective i by −1 and the others least.
		size := 0.0
		for k := range rank {
			size += u.At(i, k) * u.At(i, k)
		}
		if size < 1e-9 {
			continue
		}
		step := make([]float64, d)
		for k := range rank {
			for j := range d {
				step[j] -= v.At(j, k) * u.At(i, k) / (s[k] * size)
			}
		}
		for k := range rows {
			change := 0.0
			for j, w := range step {
				if k < m {
					change += scaled.At(k, j) * w
				} else {
					change += slopes.At(k, j) * w
				}
			}
			if k < m {
				change *= units[k]
			}
			out.Set(i, k, change/units[i])
		}
	}
	return out, nil
}

// tangent is the derivatives along the moves that the bounds leave at x: zero for variables at a bound,
// and less their mean over the free proportions of a simplex.
func (b Bounds) tangent(x []float64, jac *mat.Dense) *mat.Dense {
	rows, d := jac.Dims()
	out := mat.DenseCopyOf(jac)
	free := make([]bool, d)
	for j := range d {
		gap := 1e-9 * (b.Hi[j] - b.Lo[j])
		free[j] = x[j] > b.Lo[j]+gap && x[j] < b.Hi[j]-gap
	}
	for _, set := range b.Simplex {
		for _, j := range set {
			free[j] = x[j] > max(b.Lo[j], 0)+1e-9 && x[j] < min(b.Hi[j], 1)-1e-9
		}
	}
	for i := range rows {
		for j := range d {
			if !free[j] {
				out.Set(i, j, 0)
			}
		}
		for _, set := range b.Simplex {
			sum, n := 0.0, 0.0
			for _, j := range set {
				if free[j] {
					sum, n = sum+out.At(i, j), n+1
				}
			}
			for _, j := range set {
				if free[j] {
					out.Set(i, j, out.At(i, j)-sum/n)
				}
			}
		}
	}
	return out
}

// removeNormal takes from every column its part along the normal.
func removeNormal(jac *mat.Dense, normal []float64) {
	m, d := jac.Dims()
	size := dot(normal, normal)
	if !(size > 0) {
		return
	}
	for j := range d {
		along := 0.0
		for i := range m {
			along += normal[i] * jac.At(i, j)
		}
		for i := range m {
			jac.Set(i, j, jac.At(i, j)-normal[i]*along/size)
		}
	}
}

// multipliers returns the weights λ, non-negative and summing to one, of the shortest convex combination Jᵀλ of the
// gradients in the rows of jac (Désidéri 2012); it is 0 at a critical point, where no move improves all objectives
// at once. ‖Jᵀλ‖² is minimised over the simplex by accelerated projected gradients.
func multipliers(jac *mat.Dense) []float64 {
	m, _ := jac.Dims()
	var gram mat.Dense
	gram.Mul(jac, jac.T())
	trace := mat.Trace(&gram)
	all := make([]int, m)
	lambda := slices.Repeat([]float64{1 / float64(m)}, m)
	for i := range all {
		all[i] = i
	}
	if !(trace > 0) || math.IsInf(trace, 1) {
		return lambda
	}
	at, next := slices.Clone(lambda), make([]float64, m)
	momentum := 1.0
	for range 2000 {
		for i := range next {
			slope := 0.0
			for k, v := range at {
				slope += gram.At(i, k) * v
			}
			next[i] = at[i] - slope/trace
		}
		ontoSimplex(next, all)
		moved, up := 0.0, 0.0
		for i, v := range next {
			moved = max(moved, math.Abs(v-lambda[i]))
			up += (at[i] - v) * (v - lambda[i])
		}
		if up > 0 {
			momentum = 1
		}
		following := (1 + math.Sqrt(1+4*momentum*momentum)) / 2
		for i, v := range next {
			at[i] = v + (momentum-1)/following*(v-lambda[i])
			lambda[i] = v
		}
		momentum = following
		if moved < 1e-14 {
			break
		}
	}
	return lambda
}

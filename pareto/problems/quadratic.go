package problems

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// Distances has as objectives the squared distances to the given targets in the unit cube of their
// dimension: smooth and convex, as merges near their models are. Its Pareto set is the convex hull of the
// targets, which should be affinely independent.
func Distances(targets ...[]float64) Problem {
	d := len(targets[0])
	p := distances(fmt.Sprintf("Distances(%d in %d)", len(targets), d), d, targets)
	return p
}

// Proportions has as objectives the squared distances to the m vertices of the simplex on which it lives;
// its Pareto set is all of it.
func Proportions(m int) Problem {
	targets, set := make([][]float64, m), make([]int, m)
	for i := range targets {
		targets[i] = make([]float64, m)
		targets[i][i], set[i] = 1, i
	}
	p := distances(fmt.Sprintf("Proportions(%d)", m), m, targets)
	p.Simplex = [][]int{set}
	return p
}

func distances(name string, d int, targets [][]float64) Problem {
	p := Problem{Name: name}
	p.M, p.Bounds = len(targets), cube(d)
	p.Eval = func(dst, x []float64) {
		for i, t := range targets {
			dst[i] = 0
			for j, v := range x {
				dst[i] += (v - t[j]) * (v - t[j])
			}
		}
	}
	p.Jacobian = func(dst *mat.Dense, x []float64) {
		for i, t := range targets {
			for j, v := range x {
				dst.Set(i, j, 2*(v-t[j]))
			}
		}
	}
	p.Front = func(n int) [][]float64 {
		fs := directions(len(targets), n)
		for i, r := range fs {
			x := make([]float64, d)
			for k, w := range r {
				for j, v := range targets[k] {
					x[j] += w * v
				}
			}
			fs[i] = make([]float64, len(targets))
			p.Eval(fs[i], x)
		}
		return fs
	}
	return p
}

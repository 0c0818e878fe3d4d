// Package problems holds multi-objective test problems that know their fronts and their derivatives.
//
// Each function returns a Problem for pareto.Front or pareto.NSGA3 to solve; its Front method samples the
// true front, to measure what was found against. Everything is minimised. The package knows nothing of how
// problems are solved.
package problems

import "parfait/pareto"

// Problem is a test problem.
type Problem struct {
	pareto.Problem
	Name string
	// Front returns about n evenly spread points of the true front, n at least.
	Front func(n int) [][]float64
}

// cube is d variables from 0 to 1.
func cube(d int) pareto.Bounds {
	var b pareto.Bounds
	for range d {
		b.Lo, b.Hi = append(b.Lo, 0), append(b.Hi, 1)
	}
	return b
}

// directions are n Das–Dennis directions or a few more.
func directions(m, n int) [][]float64 {
	for p := 1; ; p++ {
		if r := pareto.DasDennis(m, p); len(r) >= n || m == 1 {
			return r
		}
	}
}

// nonDominated keeps the rows that no other dominates.
func nonDominated(fs [][]float64) [][]float64 {
	var out [][]float64
	for _, i := range pareto.NonDominated(fs) {
		out = append(out, fs[i])
	}
	return out
}

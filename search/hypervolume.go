package search

import (
	"slices"

	"parfait/parallel"
)

// volume measures hypervolume by counting probes: points drawn evenly in the box between the ideal and
// the reference, dominated or not. Good to a percent for any number of objectives, where exact algorithms
// take seconds; comparisons are made on the same probes. Objectives are minimised.
type volume struct {
	ref    []float64
	probes [][]float64
}

// probeTries is how many probes are drawn at most for each that is wanted.
const probeTries = 20

// newVolume draws so many probes of the part of the objectives' space that some row of fs dominates.
func newVolume(fs [][]float64, ref []float64, wanted int) *volume {
	v := &volume{ref: ref}
	ideal := slices.Clone(ref)
	for _, f := range fs {
		for k, a := range f {
			ideal[k] = min(ideal[k], a)
		}
	}
	rows := newShelf(fs)
	rng := generator(1, 0x766f6c)
	for tries := probeTries * wanted; tries > 0 && len(v.probes) < wanted; tries -= wanted {
		ys, hit := make([][]float64, min(tries, wanted)), make([]bool, min(tries, wanted))
		for i := range ys {
			ys[i] = make([]float64, len(ref))
			for k := range ys[i] {
				ys[i][k] = ideal[k] + rng.Float64()*(ref[k]-ideal[k])
			}
		}
		parallel.For(0, len(ys), func(i int) { hit[i] = rows.covers(ys[i]) })
		for i, y := range ys {
			if hit[i] && len(v.probes) < wanted {
				v.probes = append(v.probes, y)
			}
		}
	}
	return v
}

// covers says whether f is at least as good as y in every objective.
func covers(f, y []float64) bool {
	for k, a := range f {
		if a > y[k] {
			return false
		}
	}
	return true
}

// greedy returns the indices of at most n rows that dominate the most probes together, each the one that
// adds most to those before it, of those for which ok, if there is such a function, holds.
func (v *volume) greedy(fs [][]float64, n int, ok func(i int) bool) []int {
	covered := v.covered(fs)
	done := make([]bool, len(v.probes))
	bound := make([]int, len(fs)) // of what a row adds: what it once added
	for i := range fs {
		bound[i] = len(covered[i])
	}
	var out []int
	for len(out) < n {
		best := -1
		for best < 0 {
			top := 0
			for i, b := range bound {
				if b > bound[top] {
					top = i
				}
			}
			if len(bound) == 0 || bound[top] == 0 {
				return out
			}
			fresh := 0
			for _, j := range covered[top] {
				if !done[j] {
					fresh++
				}
			}
			switch {
			case fresh < bound[top]:
				bound[top] = fresh
			case ok == nil || ok(top):
				best = top
			default:
				bound[top] = 0
			}
		}
		out = append(out, best)
		bound[best] = 0
		for _, j := range covered[best] {
			done[j] = true
		}
	}
	return out
}

// covered are, a row, the probes that it covers.
func (v *volume) covered(fs [][]float64) [][]int32 {
	rows := newShelf(fs)
	by := make([][]int32, len(v.probes))
	parallel.For(0, len(by), func(j int) { by[j] = rows.covering(nil, v.probes[j]) })
	covered := make([][]int32, len(fs))
	for j, rows := range by {
		for _, i := range rows {
			covered[i] = append(covered[i], int32(j))
		}
	}
	return covered
}

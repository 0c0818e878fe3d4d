package search

import (
	"math"
	"slices"

	"parfait/parallel"
	"parfait/pareto"
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

// reference is the point from which hypervolume is counted, minimised: for every optimised task the worst
// measured anchor less a tenth of the anchors' range; of all points where no anchor was measured yet.
func (l *Landscape) reference(points []Point) []float64 {
	anchors := newRegion(l.space).anchors(false)
	isAnchor := func(x []float64) bool {
		return slices.ContainsFunc(anchors, func(a proposed) bool { return l.space.Gap(a.x, x) < sameGap })
	}
	ref := make([]float64, len(l.goals))
	for k, i := range l.goals {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, only := range []bool{true, false} {
			for _, p := range points {
				if p.Failed || math.IsNaN(p.Y[i].Value) || only && !isAnchor(p.X) {
					continue
				}
				v := l.sign(i) * p.Y[i].Value
				lo, hi = min(lo, v), max(hi, v)
			}
			if hi > lo {
				break
			}
		}
		ref[k] = pareto.Reference(lo, hi)
	}
	return ref
}

// measuredGoals returns the measured values of the optimised tasks, minimised, of the points that have
// all of them.
func (l *Landscape) measuredGoals(points []Point) (xs, fs [][]float64) {
	for _, p := range points {
		if f, ok := l.goalsOf(p); ok {
			xs, fs = append(xs, p.X), append(fs, f)
		}
	}
	return xs, fs
}

// goalsOf are a point's values of the optimised tasks, signed to be minimised, where all were measured.
func (l *Landscape) goalsOf(p Point) ([]float64, bool) {
	if p.Failed {
		return nil, false
	}
	f := make([]float64, len(l.goals))
	for k, i := range l.goals {
		f[k] = l.sign(i) * p.Y[i].Value
	}
	return f, !slices.ContainsFunc(f, math.IsNaN)
}

// varies says whether a task has anything to be learnt.
func (f *fit) varies() bool { return f.spread > 0 && !f.trust.Constant }

package search

import (
	"math"
	"slices"

	"parfait/pareto"
)

// goalsOrAll are the tasks that are optimised, or all where none is.
func (l *Landscape) goalsOrAll() []int {
	if len(l.goals) > 0 {
		return l.goals
	}
	all := make([]int, len(l.tasks))
	for i := range all {
		all[i] = i
	}
	return all
}

// counted are the tasks that a search has to be sure of: goalsOrAll, and those that have a floor.
func (l *Landscape) counted() []int {
	out := slices.Clone(l.goalsOrAll())
	for _, f := range l.floors {
		if !slices.Contains(out, f.task) {
			out = append(out, f.task)
		}
	}
	return out
}

// reference is the point from which hypervolume is counted, minimised: for every optimised task the worst
// measured anchor less a tenth of the anchors' range; of all points where no anchor was measured yet. Strays do not
// count.
func (l *Landscape) reference(points []Point) []float64 {
	anchors := newRegion(l.space).anchors()
	isAnchor := func(x []float64) bool {
		return slices.ContainsFunc(anchors, func(a Proposed) bool { return l.space.Gap(a.X, x) < sameGap })
	}
	ref := make([]float64, len(l.goals))
	for k, i := range l.goals {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, only := range []bool{true, false} {
			for n, p := range points {
				if p.Failed || math.IsNaN(p.Y[i].Value) || l.fits[i].strays(n) || only && !isAnchor(p.X) {
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

// strays says whether a task has nothing to do with what was measured at a point: it is fitted apart, and says nothing
// of any other place.
func (f *fit) strays(point int) bool {
	return !f.trust.Cliff && slices.ContainsFunc(f.trust.Apart, func(k int) bool { return f.used[k] == point })
}

// spread is by what standard deviations are too small, as what was held out tells: 1 or more.
func (f *fit) spread() float64 { return max(1, f.trust.Spread) }

// varies says whether a task has anything to be learnt.
func (f *fit) varies() bool { return f.width > 0 && !f.trust.Constant }

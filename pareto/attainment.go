package pareto

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// Attainment returns the points of the level's attainment surface: the minimal vectors that at least level
// of the fronts attain, that is, have a point at least as good in every objective (Grunert da Fonseca,
// Fonseca and Hall 2001). Level 1 is the best that any attains, (n+1)/2 the median, n what all attain.
// Ordered lexicographically; empty where fewer fronts have points. O(n log n) for two objectives and a
// factor of n more for each further one, n the number of points in all. The error is that of ctx.
func Attainment(ctx context.Context, fronts [][][]float64, level int) (corners [][]float64, err error) {
	defer unwound(&err)
	m := 0
	for _, front := range fronts {
		for _, p := range front {
			if m == 0 {
				m = len(p)
			}
		}
	}
	var all []labelled
	for i, front := range fronts {
		for _, p := range front {
			if m > 0 && orderable(p, m) {
				all = append(all, labelled{p, i})
			}
		}
	}
	if level < 1 || len(all) == 0 {
		return nil, nil
	}
	s := surface{ctx: ctx, fronts: len(fronts), level: level}
	out := s.of(all, m)
	slices.SortFunc(out, slices.Compare)
	return out, nil
}

// labelled is a point and the front that it is from.
type labelled struct {
	p     []float64
	front int
}

// surface is which attainment surface is wanted: how many fronts there are, and the level.
type surface struct {
	ctx           context.Context
	fronts, level int
}

// of is the surface of the first m objectives: for every value of the last of these, the surface of the others
// among the points up to it, less what was there before.
func (s surface) of(all []labelled, m int) [][]float64 {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b labelled) int { return cmp.Compare(a.p[m-1], b.p[m-1]) })
	if m <= 2 {
		return s.ofTwo(all, m)
	}
	var out, before [][]float64
	for i, a := range all {
		goOn(s.ctx)
		v := a.p[m-1]
		if i+1 < len(all) && all[i+1].p[m-1] == v {
			continue
		}
		now := s.of(all[:i+1], m-1)
		for _, q := range now {
			if !slices.ContainsFunc(before, func(b []float64) bool { return coveredBy(q, b) }) {
				out = append(out, append(slices.Clone(q), v))
			}
		}
		before = now
	}
	return out
}

// ofTwo is of for one or two objectives: it sweeps the last and keeps, over the fronts, the level-th smallest of
// their best values of the first.
func (s surface) ofTwo(all []labelled, m int) [][]float64 {
	best := slices.Repeat([]float64{math.Inf(1)}, s.fronts)
	seen := make([]bool, s.fronts)
	var ranked []float64 // of the fronts seen, ascending
	reached := math.NaN()
	var out [][]float64
	for i, a := range all {
		first := a.p[0]
		if seen[a.front] && first < best[a.front] {
			k, _ := slices.BinarySearch(ranked, best[a.front])
			ranked = slices.Delete(ranked, k, k+1)
		}
		if !seen[a.front] || first < best[a.front] {
			seen[a.front], best[a.front] = true, first
			k, _ := slices.BinarySearch(ranked, first)
			ranked = slices.Insert(ranked, k, first)
		}
		if i+1 < len(all) && all[i+1].p[m-1] == a.p[m-1] {
			continue
		}
		if len(ranked) < s.level {
			continue
		}
		if v := ranked[s.level-1]; !(v >= reached) {
			reached = v
			if m == 1 {
				return [][]float64{{v}}
			}
			out = append(out, []float64{v, a.p[1]})
		}
	}
	return out
}

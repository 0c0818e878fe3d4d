package pareto

import (
	"cmp"
	"math"
	"slices"

	"parfait/parallel"
)

// fill aims at what the ends cover worst: at as many places as are missing, and at whatever is farther from
// the ends than they are from each other, up to the tolerance. Places are sites that were evaluated on the
// way and points between and about the ends. False where nothing is left to cover.
func (t *tracer) fill(ends []*site, missing int, tolerance float64) bool {
	n := max(missing, t.o.N/8, 4)
	t.evaluate(append(t.between(ends, n), t.redrawn(ends, max(n/2, 2*t.d))...), false)
	open := t.holes(ends)
	deep := tolerance * t.spacing(ends)
	var aims []*site
	for len(open) > 0 && len(aims) < n {
		at := 0
		for i, h := range open {
			if h.depth > open[at].depth {
				at = i
			}
		}
		if open[at].depth < shallow || len(aims) >= missing && open[at].depth < deep {
			break
		}
		s := open[at].site
		s.aimed, open[at].depth = true, 0
		if !t.likelyInside(s) {
			continue
		}
		aims = append(aims, s)
		for i := range open {
			open[i].depth = s.covering(open[i].site, open[i].depth)
		}
	}
	if t.surveyed {
		t.judge(aims)
	}
	var weights [][]float64
	for _, s := range aims {
		if !s.outside() {
			weights = append(weights, along(s.v))
		}
	}
	t.aim(weights)
	return len(aims) > 0
}

// hole is a site that could be aimed at.
type hole struct {
	site  *site
	depth float64
}

// shallow is the depth below which a hole is none.
const shallow = 1e-4

// holes brings the depths of all sites up to date with the ends and returns those that are worth an aim.
func (t *tracer) holes(ends []*site) []hole {
	var fresh []*site
	for _, s := range ends {
		if !s.end {
			fresh = append(fresh, s)
		}
	}
	parallel.For(t.o.Workers, len(t.sites), func(i int) {
		s, by := t.sites[i], fresh
		if s.depth < shallow {
			return
		}
		if math.IsInf(s.depth, 1) {
			by = ends
		}
		for _, end := range by {
			if s.depth = end.covering(s, s.depth); s.depth < shallow {
				break
			}
		}
	})
	for _, s := range fresh {
		s.end = true
	}
	var out []hole
	for _, s := range t.sites {
		if s.depth >= shallow && !s.aimed && !s.outside() {
			out = append(out, hole{s, s.depth})
		}
	}
	return out
}

// covering returns how far, in units of the ranges, s would have to be shifted to cover the other site, its
// additive ε, where that is less than the least so far.
func (s *site) covering(other *site, least float64) float64 {
	worst := math.Inf(-1)
	for k, v := range s.v {
		if d := v - other.v[k]; d > worst {
			if worst = d; worst >= least {
				return least
			}
		}
	}
	return worst
}

// spacing is how far apart as many ends are as are wanted, spread evenly; Inf where there are fewer.
func (t *tracer) spacing(ends []*site) float64 {
	if len(ends) <= t.o.N {
		return math.Inf(1)
	}
	points := make([][]float64, len(ends))
	for i, s := range ends {
		points[i] = s.v
	}
	_, gap := farthestFirst(points, t.o.N)
	return gap
}

// between returns n points that divide the gaps between neighbouring ends evenly, and half as many midway
// between any two ends.
func (t *tracer) between(ends []*site, n int) [][]float64 {
	var us [][]float64
	at := func(a, b *site, share float64) {
		u := make([]float64, t.d)
		for j, v := range a.u {
			u[j] = v + share*(b.u[j]-v)
		}
		us = append(us, u)
	}
	gaps := t.gaps(ends)
	gaps = gaps[:min(len(gaps), 2*n)]
	for range min(n, n*len(gaps)) {
		widest := 0
		for i, g := range gaps {
			if g.part() > gaps[widest].part() {
				widest = i
			}
		}
		gaps[widest].inside++
	}
	for _, g := range gaps {
		for k := range g.inside {
			at(ends[g.a], ends[g.b], float64(k+1)/float64(g.inside+1))
		}
	}
	for range n / 2 {
		if i, j := t.rng.IntN(len(ends)), t.rng.IntN(len(ends)); i != j {
			at(ends[i], ends[j], 0.5)
		}
	}
	return us
}

// redrawn returns ends with one coordinate drawn anew: what lies elsewhere on the front is often that near.
func (t *tracer) redrawn(ends []*site, n int) [][]float64 {
	us := make([][]float64, n)
	for i := range us {
		us[i] = slices.Clone(ends[t.rng.IntN(len(ends))].u)
		us[i][i%t.d] = t.rng.Float64()
		t.dom.clamp(us[i])
	}
	return us
}

// gap is between two ends, and how many points are to divide it.
type gap struct {
	a, b   int
	length float64
	inside int
}

func (g gap) wider(o gap) int {
	return cmp.Or(cmp.Compare(o.length, g.length), cmp.Compare(g.a, o.a), cmp.Compare(g.b, o.b))
}

func (g gap) part() float64 { return g.length / float64(g.inside+1) }

// gaps are between ends that have no other between them, the widest first: the edges of their Gabriel graph
// (1969), of which only the nearest ends are tested to lie between, and the widest for each end are kept. O(n²).
func (t *tracer) gaps(ends []*site) []gap {
	if t.p.M == 2 {
		return alongGaps(ends)
	}
	const tested = 8
	near := make([][]neighbour, len(ends))
	parallel.For(t.o.Workers, len(ends), func(i int) { near[i] = nearestOf(ends, i, tested) })
	if t.p.M > 4 {
		return shortGaps(ends, near)
	}
	found := make([][]gap, len(ends))
	parallel.For(t.o.Workers, len(ends), func(i int) {
		for j := i + 1; j < len(ends); j++ {
			length := squared(ends[i].v, ends[j].v)
			if length == 0 || anyBetween(near[i], ends[j], length) || anyBetween(near[j], ends[i], length) {
				continue
			}
			found[i] = append(found[i], gap{a: i, b: j, length: math.Sqrt(length)})
		}
		slices.SortFunc(found[i], gap.wider)
		found[i] = found[i][:min(len(found[i]), 2*t.p.M)]
	})
	out := slices.Concat(found...)
	slices.SortFunc(out, gap.wider)
	return out
}

// alongGaps are those between ends that follow one another along a front of two objectives. O(n log n).
func alongGaps(ends []*site) []gap {
	order := ascending(len(ends), func(i int32) float64 { return ends[i].v[0] })
	var out []gap
	for k := 1; k < len(order); k++ {
		i, j := int(order[k-1]), int(order[k])
		if length := squared(ends[i].v, ends[j].v); length > 0 {
			out = append(out, gap{a: min(i, j), b: max(i, j), length: math.Sqrt(length)})
		}
	}
	slices.SortFunc(out, gap.wider)
	return out
}

// shortGaps are those to the nearest ends: with many objectives almost any two have no other between them.
func shortGaps(ends []*site, near [][]neighbour) []gap {
	index := make(map[*site]int, len(ends))
	for i, s := range ends {
		index[s] = i
	}
	var out []gap
	for i := range ends {
		for _, n := range near[i] {
			if j := index[n.site]; i < j || !slices.ContainsFunc(near[j], func(q neighbour) bool { return q.site == ends[i] }) {
				out = append(out, gap{a: min(i, j), b: max(i, j), length: math.Sqrt(n.far)})
			}
		}
	}
	slices.SortFunc(out, gap.wider)
	return out
}

// anyBetween says whether any neighbour of one end of a gap is in the ball with the gap as its diameter.
func anyBetween(near []neighbour, other *site, length float64) bool {
	for _, n := range near {
		if n.far >= length {
			return false
		}
		if n.far+squared(n.site.v, other.v) < length*(1-1e-9) {
			return true
		}
	}
	return false
}

// nearestOf returns the n ends nearest to end i.
func nearestOf(ends []*site, i, n int) []neighbour {
	out := make([]neighbour, 0, n+1)
	for j, s := range ends {
		if j != i {
			out = keepNearest(out, neighbour{s, squared(ends[i].v, s.v)}, n)
		}
	}
	return out
}

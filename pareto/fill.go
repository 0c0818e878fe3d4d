package pareto

import (
	"cmp"
	"math"
	"slices"
)

// How holes are filled
//
// Idea. The additive ε of a sample, by how much the nearest end would have to be improved in every objective to be
// at least as good, is large where the front has no end near it: there is a hole in the front, or the sample
// is beyond it. So the samples with the largest ε are where further directions are aimed, along the ray from
// the ideal through the sample. As soon as one is chosen it counts as covered, so that the next is elsewhere.
//
// New samples are placed for this first: points between neighbouring ends, where on a connected front more of it
// lies; midpoints of any two ends, for pieces; ends with one coordinate drawn anew, for other valleys. Whether
// ends are neighbours is told by their Gabriel graph: no other end lies in the ball with the two as its poles.
//
// Invariant. A sample's ε is kept from round to round and only falls as ends are added (updateHoles looks at
// the new ends alone); a rescaling of the objectives starts it anew. No sample is aimed at twice.
//
// Cost. O(N) new evaluations a round, O(samples · new ends · M) for ε, O(N²·M) for the graph.

// fill aims directions at the samples that the ends cover worst: as many as ends are missing, and more where a hole
// is wider than tolerance times the spacing of the ends. False where there is nothing to aim at.
func (t *tracer) fill(ends []*sample, missing int, tolerance float64) bool {
	n := max(missing, t.o.N/8, 4)
	t.evaluate(append(t.between(ends, n), t.redrawn(ends, max(n/2, 2*t.d))...), false)
	holes := t.updateHoles(ends)
	minEpsilon := tolerance * t.spacing(ends)
	var targets []*sample
	for len(holes) > 0 && len(targets) < n {
		at := 0
		for i, h := range holes {
			if h.epsilon > holes[at].epsilon {
				at = i
			}
		}
		if holes[at].epsilon < negligible || len(targets) >= missing && holes[at].epsilon < minEpsilon {
			break
		}
		s := holes[at].sample
		s.targeted, holes[at].epsilon = true, 0
		if !t.likelyFeasible(s) {
			continue
		}
		targets = append(targets, s)
		for i := range holes {
			holes[i].epsilon = s.epsilonTo(holes[i].sample, holes[i].epsilon)
		}
	}
	if t.seedsChecked {
		t.checkFeasible(targets)
	}
	var weights [][]float64
	for _, s := range targets {
		if !s.infeasible() {
			weights = append(weights, weightsTowards(s.v))
		}
	}
	t.addDirections(weights)
	return len(targets) > 0
}

// hole is a sample that could be aimed at.
type hole struct {
	sample  *sample
	epsilon float64
}

// negligible is the ε, in units of the ranges, below which a sample is covered.
const negligible = 1e-4

// updateHoles brings the ε of all samples up to date with the ends and returns those that could be aimed at.
func (t *tracer) updateHoles(ends []*sample) []hole {
	var fresh []*sample
	for _, s := range ends {
		if !s.isEnd {
			fresh = append(fresh, s)
		}
	}
	t.each(len(t.samples), func(i int) {
		s, by := t.samples[i], fresh
		if s.epsilon < negligible {
			return
		}
		if math.IsInf(s.epsilon, 1) {
			by = ends
		}
		for _, end := range by {
			if s.epsilon = end.epsilonTo(s, s.epsilon); s.epsilon < negligible {
				break
			}
		}
	})
	for _, s := range fresh {
		s.isEnd = true
	}
	var out []hole
	for _, s := range t.samples {
		if s.epsilon >= negligible && !s.targeted && !s.infeasible() {
			out = append(out, hole{s, s.epsilon})
		}
	}
	return out
}

// epsilonTo returns the additive ε of the other sample to s, max_k (s_k − other_k), where that is less than least,
// and least otherwise.
func (s *sample) epsilonTo(other *sample, least float64) float64 {
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

// spacing is how far apart N of the ends are, spread evenly; Inf where there are fewer.
func (t *tracer) spacing(ends []*sample) float64 {
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
func (t *tracer) between(ends []*sample, n int) [][]float64 {
	var us [][]float64
	at := func(a, b *sample, share float64) {
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
func (t *tracer) redrawn(ends []*sample, n int) [][]float64 {
	us := make([][]float64, n)
	for i := range us {
		us[i] = slices.Clone(ends[t.rng.IntN(len(ends))].u)
		us[i][i%t.d] = t.rng.Float64()
		t.dom.clamp(us[i])
	}
	return us
}

// gap is between two ends, by index, and how many points are to divide it.
type gap struct {
	a, b   int
	length float64
	inside int
}

func (g gap) wider(o gap) int {
	return cmp.Or(cmp.Compare(o.length, g.length), cmp.Compare(g.a, o.a), cmp.Compare(g.b, o.b))
}

// part is the length of each of the parts.
func (g gap) part() float64 { return g.length / float64(g.inside+1) }

// gaps are between neighbouring ends, the widest first: the edges of their Gabriel graph (Gabriel and Sokal
// 1969), but only the eight nearest ends are tested to lie between, and the widest 2M edges of each end are kept.
// O(n²·M).
func (t *tracer) gaps(ends []*sample) []gap {
	if t.p.M == 2 {
		return gapsOfTwo(ends)
	}
	const tested = 8
	near := make([][]neighbour, len(ends))
	t.each(len(ends), func(i int) { near[i] = nearestOf(ends, i, tested) })
	if t.p.M > 4 {
		return gapsToNearest(ends, near)
	}
	found := make([][]gap, len(ends))
	t.each(len(ends), func(i int) {
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

// gapsOfTwo are those between ends that follow one another along a front of two objectives. O(n log n).
func gapsOfTwo(ends []*sample) []gap {
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

// gapsToNearest are those to the nearest ends: with many objectives almost any two have no other between them.
func gapsToNearest(ends []*sample, near [][]neighbour) []gap {
	index := make(map[*sample]int, len(ends))
	for i, s := range ends {
		index[s] = i
	}
	var out []gap
	for i := range ends {
		for _, n := range near[i] {
			if j := index[n.sample]; i < j || !slices.ContainsFunc(near[j], func(q neighbour) bool { return q.sample == ends[i] }) {
				out = append(out, gap{a: min(i, j), b: max(i, j), length: math.Sqrt(n.dist2)})
			}
		}
	}
	slices.SortFunc(out, gap.wider)
	return out
}

// anyBetween says whether any neighbour of one end of a gap is in the ball with the gap as its diameter.
func anyBetween(near []neighbour, other *sample, length float64) bool {
	for _, n := range near {
		if n.dist2 >= length {
			return false
		}
		if n.dist2+squared(n.sample.v, other.v) < length*(1-1e-9) {
			return true
		}
	}
	return false
}

// nearestOf returns the n ends nearest to end i.
func nearestOf(ends []*sample, i, n int) []neighbour {
	out := make([]neighbour, 0, n+1)
	for j, s := range ends {
		if j != i {
			out = keepNearest(out, neighbour{s, squared(ends[i].v, s.v)}, n)
		}
	}
	return out
}

package search

import (
	"context"
	"math"
	"slices"

	"parfait/surrogate"
)

var designEntry = entry{
	Info: Info{
		Name:  "design",
		Line:  "one shot: anchors, then points that make a quadratic surest, then the largest gaps",
		Paper: "Box and Draper 1959 (I-optimal designs)",
	},
	build: func(*settings) Strategy { return design{} },
}

// design is a one-shot start that supports a quadratic: anchors, then I-optimal points, then the
// largest gaps. It never looks at a metric.
type design struct{}

// Ask implements Strategy.
func (design) Ask(ctx context.Context, q Question) (Proposal, error) {
	return extend(ctx, &q, q.N)
}

// allKnown is why there is nothing left to ask for.
const allKnown = "every place that could be told apart has been asked for, and there is nothing more to measure"

// extend returns the next n points of the design, whatever is there already.
func extend(ctx context.Context, q *Question, n int) (Proposal, error) {
	g := newGrowth(q)
	first := g.distinct(g.anchors(), g.contrasts())
	if len(g.models()) <= 4 && !g.negative() {
		first = g.distinct(first, g.halves())
	}
	for len(g.points) < n && g.first(first) {
	}
	return g.proposal(ctx, n)
}

// open returns the next n points of a start that looks, whatever is there already: the base and the uniform average,
// then by turns a model alone and another point, until models alone were measured: first what moves all that these leave
// where it is (contrasts), then the region. If these say something
// (mute), the others follow, and points of the region if not. Which model is the first depends on the seed.
func open(ctx context.Context, q *Question, n int) (Proposal, error) {
	g := newGrowth(q)
	middle, alone, contrasts := g.middle(), g.alone(), g.contrasts()
	generator(q.Seed, 0x616c6f6e65).Shuffle(len(alone), func(i, j int) { alone[i], alone[j] = alone[j], alone[i] })
	for _, p := range middle[:min(len(middle), 2)] {
		if len(g.points) < n {
			g.put(p.X, p.Why)
		}
	}
	models, others := 0, -min(len(middle), 2)
	for _, x := range g.taken {
		if slices.ContainsFunc(alone, func(p Proposed) bool { return q.Space.Gap(p.X, x) < sameGap }) {
			models++
		} else {
			others++
		}
	}
	heard, mute := q.hear(alone)
	for len(g.points) < n {
		turn := !mute
		if !heard {
			turn = models <= others
		}
		if turn && g.first(alone) {
			models++
			continue
		}
		others++
		if !mute && g.first(contrasts) || g.first(middle) {
			continue
		}
		if mute && g.first(g.spreads(2*len(g.taken)+2)) {
			continue
		}
		if ok, err := g.grow(ctx); err != nil || !ok {
			break
		}
	}
	return g.proposal(ctx, n)
}

// hear says whether any of the models alone was measured, and whether most of what they score is no more than the floor:
// they are mute. A task is at its floor where it scores about as little as anywhere, and not only there.
func (q *Question) hear(alone []Proposed) (heard, mute bool) {
	all, floored := 0, 0
	for _, t := range q.goals() {
		var scores []float64 // of all points, the larger the better
		var models []int
		lo, hi, noise := math.Inf(1), math.Inf(-1), 0.0
		for _, p := range q.Done {
			if p.Failed || math.IsNaN(p.Y[t].Value) {
				continue
			}
			v := p.Y[t].Value
			if !q.Tasks[t].Maximize {
				v = -v
			}
			if slices.ContainsFunc(alone, func(a Proposed) bool { return q.Space.Gap(a.X, p.X) < sameGap }) {
				models = append(models, len(scores))
			}
			if v < lo {
				lo, noise = v, p.Y[t].Stderr
			}
			scores, hi = append(scores, v), max(hi, v)
		}
		width := hi - lo
		if q.Tasks[t].Link == surrogate.Logit { // so early nobody knows how good it gets
			width = 1
		}
		floor, at := lo+max(noise, floorShare*width), 0
		for _, v := range scores {
			if v <= floor {
				at++
			}
		}
		for _, i := range models {
			all++
			if scores[i] <= floor && at > 1 {
				floored++
			}
		}
	}
	return all > 0, 2*floored > all
}

// spreads are points that are even over the region and over the whole space, by turns, more than n.
func (g *growth) spreads(n int) (out []Proposed) {
	whole := g.whole().spread(n/2+1, g.q.Seed+1)
	for i, x := range g.spread(n/2+1, g.q.Seed) {
		out = append(out,
			Proposed{X: g.space.tidy(x), Why: "even over the region: models alone say next to nothing"},
			Proposed{X: g.space.tidy(whole[i]), Why: "even over the whole box: models alone say next to nothing"})
	}
	return out
}

// floorShare is how much of a task's range, of 1 where it is a rate, counts as its floor.
const floorShare = 0.05

// growth is a design that grows.
type growth struct {
	*region
	q       *Question
	points  []Proposed  // new ones
	taken   [][]float64 // old and new ones
	optimal *optimal    // of those taken, where they have been needed
}

func newGrowth(q *Question) *growth {
	return &growth{region: newRegion(q.Space), q: q, taken: q.taken()}
}

// put adds a point, if there is none.
func (g *growth) put(x []float64, why string) bool {
	if g.space.known(x, g.taken) {
		return false
	}
	g.points, g.taken = append(g.points, Proposed{X: x, Why: why}), append(g.taken, x)
	if g.optimal != nil {
		g.optimal.add(x)
	}
	return true
}

// first adds the first of some points that is not there.
func (g *growth) first(of []Proposed) bool {
	return slices.ContainsFunc(of, func(p Proposed) bool { return g.put(p.X, p.Why) })
}

// grow adds the point that makes a quadratic surest, or that fills the largest gap; false where there is none.
func (g *growth) grow(ctx context.Context) (ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if g.optimal == nil {
		if g.optimal, err = designs.of(ctx, g.region, g.q.Seed, g.taken); err != nil {
			return false, err
		}
	}
	o := g.optimal
	x, why := o.next(), "makes a quadratic surer over the whole region"
	if !o.interactions {
		why = "makes linear and square terms surer over the whole region; a quadratic of so many coefficients is out of reach"
	}
	if x == nil || len(o.taken)%2 == 1 && len(o.taken) > o.size() {
		x, why = o.farthest(), "fills the largest gap"
	}
	return x != nil && g.put(x, why), nil
}

// proposal is the new points, grown to n.
func (g *growth) proposal(ctx context.Context, n int) (Proposal, error) {
	for len(g.points) < n {
		ok, err := g.grow(ctx)
		if err != nil {
			return Proposal{}, err
		}
		if !ok {
			break
		}
	}
	if len(g.points) == 0 {
		return g.q.exhausted(allKnown), nil
	}
	return Proposal{Points: g.points}, nil
}

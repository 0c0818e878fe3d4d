package search

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

var greedyEntry = entry{
	Info: Info{
		Name:    "greedy",
		Line:    "model soups: each model alone, the average of all, then added one at a time, kept where it does not hurt",
		Paper:   "Model soups, Wortsman et al. 2022 (arXiv 2203.05482)",
		Models:  1,
		Ends:    "every model was added or left out",
		Options: []Option{{"weights", nil, weightsDoc}},
	},
	build: func(o *settings) Strategy { return greedy{weights: o.weights("weights")} },
}

// greedy makes model soups (Wortsman et al., Model soups, arXiv 2203.05482): each model alone, the average of
// all (the uniform soup), and then the greedy soup. In the order of their score alone, models are added to the
// average one at a time, and stay where the soup is at least as good with them. The score is the weighted mean
// of the optimised tasks; a soup that breaks a floor is worse than any that does not. Parameters of the method
// stay in the middle of their ranges.
//
// Idea: the decisions are replayed from the first with every question, so that nothing has to be remembered.
// Each takes one evaluation and decides what the next one is. While one is pending the replay goes on as if it
// had the likelier outcome, and asks for the soup that would be needed then (speculation).
//
// Invariant: at most two soups are in the making at a time, the one that is needed and a speculative one, so
// that N models take at most 2(N−1) soups however many evaluations run at once; beyond that it waits.
//
// Cost: O(N) decisions a question, each a look through all points.
type greedy struct {
	weights map[string]float64
}

// Ask implements Strategy.
func (g greedy) Ask(_ context.Context, q Question) (Proposal, error) {
	b, err := newBaselines(&q, g.weights)
	if err != nil {
		return Proposal{}, err
	}
	switch {
	case len(b.points) > 0:
		return b.first(), nil
	case b.waiting:
		return b.meanwhile(), nil
	}
	return b.nextSoup(), nil
}

// baselines are the models alone and their uniform soup, and what was measured of them.
type baselines struct {
	needs   // those that were never asked for
	region  *region
	units   []unit
	prefer  *preference
	alone   []verdict // a unit
	order   []int     // units that were measured, best first
	waiting bool      // some unit alone is pending
}

func newBaselines(q *Question, weights map[string]float64) (*baselines, error) {
	b := &baselines{needs: needs{Question: q}, region: newRegion(q.Space), units: q.Space.units()}
	var points []Point
	for i, u := range b.units {
		p, how := b.put(b.average(i), b.Space.beside(u.name+" alone"))
		b.waiting = b.waiting || how == pending
		if how != settled {
			p.Failed = true
		}
		points = append(points, p)
	}
	b.put(b.average(allOf(len(b.units))...), "the uniform soup: the average of all")
	var err error
	if b.prefer, err = newPreference(q.Tasks, weights, points); err != nil {
		return nil, err
	}
	for i, p := range points {
		b.alone = append(b.alone, b.prefer.of(p))
		if b.alone[i].known {
			b.order = append(b.order, i)
		}
	}
	slices.SortStableFunc(b.order, func(i, j int) int { return b.alone[j].compare(b.alone[i]) })
	return b, nil
}

// average is the soup of some units.
func (b *baselines) average(members ...int) []float64 {
	weights := make([]float64, len(b.units))
	for _, i := range members {
		weights[i] = 1 / float64(len(members))
	}
	return b.region.blend(b.units, weights)
}

func (b *baselines) name(members []int) string {
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = b.units[m].name
	}
	return strings.Join(names, " + ")
}

// meanwhile asks for one point worth knowing while the models alone are measured, on which all else depends.
func (b *baselines) meanwhile() Proposal {
	if b.extraPending() {
		return Proposal{Wait: "the models alone are still being measured"}
	}
	for _, a := range b.region.distinct(b.region.anchors(), b.region.halves()) {
		if _, how := b.recall(a.X); how == unasked {
			return Proposal{Points: []Proposed{a}}
		}
	}
	for j := range b.units {
		for i := range j {
			if x := b.average(i, j); !b.Space.known(x, b.taken()) {
				return Proposal{Points: []Proposed{{X: x, Why: b.name([]int{i, j}) + ", averaged"}}}
			}
		}
	}
	return Proposal{Wait: "no other soup can be made of " + b.name(allOf(len(b.units)))}
}

// extraPending says whether something other than a model alone or the uniform soup is pending.
func (b *baselines) extraPending() bool {
	return slices.ContainsFunc(b.Pending, func(x []float64) bool {
		for i := range b.units {
			if b.Space.same(x, b.average(i)) {
				return false
			}
		}
		return !b.Space.same(x, b.average(allOf(len(b.units))...))
	})
}

func allOf(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// nextSoup decides what was measured and asks for the soup that the next decision needs.
func (b *baselines) nextSoup() Proposal {
	if len(b.order) == 0 {
		return Proposal{Stop: "no model could be measured alone, so there is nothing to make a soup of"}
	}
	s := soup{baselines: b, kept: b.order[:1:1], best: b.alone[b.order[0]]}
	out, done := s.next(1)
	switch {
	case done:
		return Proposal{Stop: fmt.Sprintf("the greedy soup is %s: %d of %d models, score %.4g, the best alone %.4g",
			b.name(s.kept), len(s.kept), len(b.units), s.best.score, b.alone[b.order[0]].score)}
	case out.X == nil || s.guessed && len(b.Pending) > 1:
		return Proposal{Wait: fmt.Sprintf("the greedy soup is %s, or one of the soups with more that are still being measured", b.name(s.kept))}
	}
	return Proposal{Points: []Proposed{out}}
}

// soup is a greedy soup in the making.
type soup struct {
	*baselines
	kept   []int
	best   verdict
	unsure bool // kept was taken for granted: best is not known yet, and no worse than it says
	took   int  // candidates that stayed
	// guessed: what next returned is needed only if a pending soup comes out as expected.
	guessed bool
}

// next decides about the candidates from place on and returns the first soup that was never asked for;
// done says that nothing is missing and nothing pending.
func (s *soup) next(place int) (out Proposed, done bool) {
	for ; place < len(s.order); place++ {
		with := append(slices.Clone(s.kept), s.order[place])
		x := s.average(with...)
		p, how := s.recall(x)
		switch {
		case how == unasked:
			return Proposed{X: x, Why: fmt.Sprintf("greedy soup: is %s better with %s?", s.name(s.kept), s.name(with[len(s.kept):]))}, false
		case how == pending || s.unsure:
			return s.guess(place, with, p, how), false
		}
		if v := s.prefer.of(p); v.known && v.compare(s.best) >= 0 { // keep what does not hurt
			s.kept, s.best = with, v
			s.took++
		}
	}
	return Proposed{}, true
}

// guess goes on as if the candidate at place had the likelier outcome, and, where that leaves nothing to
// ask, as if it had the other.
func (s *soup) guess(place int, with []int, p Point, how standing) Proposed {
	s.guessed = true
	left, taken := *s, *s
	taken.kept, taken.took, taken.unsure = with, s.took+1, how == pending
	if how == settled {
		taken.best = s.prefer.of(p)
	}
	likelier, other := &left, &taken
	if 2*s.took >= place-1 {
		likelier, other = other, likelier
	}
	out, _ := likelier.next(place + 1)
	if out.X == nil {
		out, _ = other.next(place + 1)
	}
	return out
}

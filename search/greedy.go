package search

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// greedy cooks model soups (Wortsman et al., Model soups, arXiv 2203.05482): each model alone, the
// average of all (the uniform soup), and then the greedy soup. In the order of their score alone, models
// are added to the average one at a time, and stay where the soup is at least as good with them.
//
// Each decision needs one evaluation and decides what the next one is. While one is pending the likelier
// outcome is taken for granted, so that there is always one soup in the making; never more than one, as
// evaluations are what costs. The score is the weighted mean of the optimised tasks; a soup that breaks a
// floor is worse than any that does not. Parameters of the method stay in the middle of their ranges.
type greedy struct {
	weights map[string]float64
}

func newGreedy(options map[string]any) (Strategy, error) {
	o := settings{given: options}
	g := greedy{weights: o.weights("weights")}
	return g, o.err("greedy")
}

// Ask implements Strategy.
func (g greedy) Ask(ctx context.Context, q Question) (Proposal, error) {
	if err := q.check(); err != nil {
		return Proposal{}, err
	}
	k, err := newKitchen(&q, g.weights)
	if err != nil {
		return Proposal{}, err
	}
	n, spent := q.wanted()
	if n == 0 {
		return Proposal{Stop: spent}, nil
	}
	if out := k.singles(n); len(out.X) > 0 {
		return out, nil
	}
	if k.waiting {
		return k.filler(), nil
	}
	return k.cook(), nil
}

// kitchen is what greedy knows of the models alone.
type kitchen struct {
	*Question
	region  *region
	units   []unit
	prefer  *preference
	alone   []verdict // a unit
	order   []int     // units that were measured, best first
	waiting bool      // some unit alone is pending
}

func newKitchen(q *Question, weights map[string]float64) (*kitchen, error) {
	k := &kitchen{Question: q, region: newRegion(q.Space), units: q.Space.ingredients()}
	if len(k.units) == 0 {
		return nil, fail(BadQuestion, "greedy averages models, and no coefficient scales one: give a model a range, or choose another strategy")
	}
	var points []Point
	for i := range k.units {
		p, how := q.recall(k.soup(i))
		k.waiting = k.waiting || how == pending
		if how != settled {
			p.Failed = true
		}
		points = append(points, p)
	}
	var err error
	if k.prefer, err = newPreference(q.Tasks, weights, points); err != nil {
		return nil, err
	}
	for i, p := range points {
		k.alone = append(k.alone, k.prefer.of(p))
		if k.alone[i].known {
			k.order = append(k.order, i)
		}
	}
	slices.SortStableFunc(k.order, func(i, j int) int { return k.alone[j].compare(k.alone[i]) })
	return k, nil
}

// ingredients are all that scales each model, in proportions or not, in the order of the coefficients.
func (s Space) ingredients() []unit {
	var out []unit
	for i, c := range s.Coefficients {
		if c.Kind == Parameter {
			continue
		}
		name := c.Model
		if name == "" {
			name = c.Name
		}
		k := slices.IndexFunc(out, func(u unit) bool { return u.name == name })
		if k < 0 {
			k = len(out)
			out = append(out, unit{name: name})
		}
		out[k].at = append(out[k].at, i)
	}
	return out
}

// blend is the point with each unit scaled by its weight, within the ranges; proportions are made to sum
// to one, and equal where none of theirs has a weight.
func (r *region) blend(units []unit, weights []float64) []float64 {
	x := slices.Clone(r.origin)
	for k, u := range units {
		for _, i := range u.at {
			c := r.space.Coefficients[i]
			x[i] = min(max(weights[k], c.Lo), c.Hi)
		}
	}
	for _, set := range r.space.Simplex {
		sum := 0.0
		for _, i := range set {
			x[i] = max(x[i], 0)
			sum += x[i]
		}
		for _, i := range set {
			if sum > 0 {
				x[i] /= sum
			} else {
				x[i] = 1 / float64(len(set))
			}
		}
	}
	return r.space.tidy(x)
}

// soup is the average of some units.
func (k *kitchen) soup(members ...int) []float64 {
	weights := make([]float64, len(k.units))
	for _, i := range members {
		weights[i] = 1 / float64(len(members))
	}
	return k.region.blend(k.units, weights)
}

func (k *kitchen) name(members []int) string {
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = k.units[m].name
	}
	return strings.Join(names, " + ")
}

// singles are the models alone and the uniform soup, as far as they were not asked for.
func (k *kitchen) singles(n int) Proposal {
	var out Proposal
	put := func(x []float64, why string) {
		known := func(y []float64) bool { return k.Space.same(x, y) }
		if _, how := k.recall(x); how == unasked && len(out.X) < n && !slices.ContainsFunc(out.X, known) {
			out.X, out.Why = append(out.X, x), append(out.Why, why)
		}
	}
	all := make([]int, len(k.units))
	for i, u := range k.units {
		put(k.soup(i), u.name+" alone")
		all[i] = i
	}
	put(k.soup(all...), "the uniform soup: the average of all")
	return out
}

// filler is something worth knowing while the models alone are measured, on which all else depends.
func (k *kitchen) filler() Proposal {
	for _, a := range k.region.anchors(true) {
		if _, how := k.recall(a.x); how == unasked {
			return Proposal{X: [][]float64{a.x}, Why: []string{a.why}}
		}
	}
	for j := range k.units {
		for i := range j {
			if x := k.soup(i, j); !k.Space.known(x, k.taken()) {
				return Proposal{X: [][]float64{x}, Why: []string{k.name([]int{i, j}) + ", averaged"}}
			}
		}
	}
	return Proposal{Stop: "no other soup can be made of " + k.name(allOf(len(k.units)))}
}

func allOf(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// cook decides what was measured and asks for the soup that the next decision needs.
func (k *kitchen) cook() Proposal {
	if len(k.order) == 0 {
		return Proposal{Stop: "no model could be measured alone, so there is nothing to make a soup of"}
	}
	s := stir{kitchen: k, kept: k.order[:1:1], best: k.alone[k.order[0]]}
	out, done := s.next(1)
	switch {
	case len(out.X) > 0:
		return out
	case !done:
		return Proposal{Stop: fmt.Sprintf("the greedy soup is %s, or one of the soups with more that are still being measured", k.name(s.kept))}
	}
	return Proposal{Stop: fmt.Sprintf("the greedy soup is %s: %d of %d models, score %.4g, the best alone %.4g",
		k.name(s.kept), len(s.kept), len(k.units), s.best.score, k.alone[k.order[0]].score)}
}

// stir is a greedy soup in the making.
type stir struct {
	*kitchen
	kept   []int
	best   verdict
	unsure bool // kept was taken for granted: best is not known yet, and no worse than it says
	took   int  // candidates that stayed
}

// next decides about the candidates from place on and returns the first soup that was never asked for;
// done says that nothing is missing and nothing pending.
func (s *stir) next(place int) (out Proposal, done bool) {
	for ; place < len(s.order); place++ {
		with := append(slices.Clone(s.kept), s.order[place])
		x := s.soup(with...)
		p, how := s.recall(x)
		switch {
		case how == unasked:
			why := fmt.Sprintf("greedy soup: is %s better with %s?", s.name(s.kept), s.name(with[len(s.kept):]))
			return Proposal{X: [][]float64{x}, Why: []string{why}}, false
		case how == pending || s.unsure:
			return s.guess(place, with, p, how), false
		}
		if v := s.prefer.of(p); v.known && v.compare(s.best) >= 0 { // keep what does not hurt
			s.kept, s.best = with, v
			s.took++
		}
	}
	return Proposal{}, true
}

// guess goes on as if the candidate at place had the likelier outcome, and, where that leaves nothing to
// ask, as if it had the other.
func (s *stir) guess(place int, with []int, p Point, how standing) Proposal {
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
	if len(out.X) == 0 {
		out, _ = other.next(place + 1)
	}
	return out
}

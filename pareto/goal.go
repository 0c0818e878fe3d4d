package pareto

import (
	"math"
	"slices"

	"parfait/parallel"
)

// goal is one direction in the space of objectives and how far it was followed: the minimum of
// max_i w_i·f̂_i + ρ Σ f̂_i, f̂ in units of the ranges, over the i with a weight.
type goal struct {
	w       []float64
	at      *site
	reach   float64   // η of the proximal term ‖d‖²/2η; 0: not yet known
	dual    []float64 // multipliers of the last step
	settled bool      // no step gains anything any more
	careful bool      // near where Feasible ends: every step is judged

	next      []float64 // proposed
	predicted float64   // gain of the proposed, to first order
	slope     []float64 // of Feasible at the site, for careful goals
}

// augmented is ρ: what of the sum is added, so that no end is only weakly optimal.
const augmented = 1e-2

// settledAt is the gain, in units of the ranges and for each objective, below which a goal is left alone.
// With more objectives the points of a front lie farther apart. At a tenth of it the fronts of Gaussian
// processes had a tenth of a percent more volume, for half as many evaluations more.
const settledAt = 5e-5

// along returns the weights, from 1 to 1,000, whose minimum lies where the ray from the ideal along r meets
// the front.
func along(r []float64) []float64 {
	largest := 0.0
	for _, v := range r {
		largest = max(largest, v)
	}
	w, least := make([]float64, len(r)), math.Inf(1)
	for k, v := range r {
		w[k] = 1 / max(v, 1e-3*largest, 1e-12)
		least = min(least, w[k])
	}
	for k := range w {
		w[k] /= least
	}
	return w
}

// value is what a goal with weights w minimises.
func value(w []float64, s *site) float64 { return valueBelow(w, s, math.Inf(1)) }

// valueBelow is value where that is below a bound, and some number that is not where it is not.
func valueBelow(w []float64, s *site, bound float64) float64 {
	worst, rest := math.Inf(-1), augmented*s.sum
	bound -= rest
	for k, v := range s.v {
		if v *= w[k]; v > worst && w[k] > 0 {
			if worst = v; worst >= bound {
				break
			}
		}
	}
	return worst + rest
}

// aim adds goals; each starts from the best site for it.
func (t *tracer) aim(weights [][]float64) {
	goals := make([]*goal, len(weights))
	for i, w := range weights {
		goals[i] = &goal{w: w}
	}
	t.seat(goals)
	t.goals = append(t.goals, goals...)
}

// seat puts each goal on the best site for it: of those that are not known to be outside, or, for goals
// that are careful, of those that are known to be inside. Goals without any are given up.
func (t *tracer) seat(goals []*goal) {
	parallel.For(t.o.Workers, len(goals), func(i int) {
		g, best := goals[i], math.Inf(1)
		g.at, g.reach, g.dual, g.settled = nil, 0, nil, false
		for _, s := range t.sites {
			if s.outside() || g.careful && !s.inside() {
				continue
			}
			if v := valueBelow(g.w, s, best); v < best {
				best, g.at = v, s
			}
		}
		g.settled = g.at == nil
		g.careful = g.careful || t.surveyed && !g.settled && t.nearBoundary(g.at)
	})
}

// follow moves every goal that is not settled, rounds times at most, until all stand inside. Goals are
// followed without asking Feasible; only those that end outside go back and are followed with care.
func (t *tracer) follow(rounds int) error {
	for range 2 {
		for range rounds {
			var active []*goal
			for _, g := range t.goals {
				if !g.settled {
					active = append(active, g)
				}
			}
			if len(active) == 0 {
				break
			}
			if err := t.ctx.Err(); err != nil {
				return err
			}
			t.round(active)
		}
		if !t.verify() {
			break
		}
	}
	return t.ctx.Err()
}

// verify asks Feasible where goals stand; it says whether any had to go back to where it is known to hold.
func (t *tracer) verify() bool {
	var stand []*site
	for _, g := range t.goals {
		if g.at != nil {
			stand = append(stand, g.at)
		}
	}
	t.judge(stand)
	var back []*goal
	for _, g := range t.goals {
		if g.at != nil && g.at.outside() {
			g.careful = true
			back = append(back, g)
		}
	}
	if len(back) == 0 {
		return false
	}
	t.survey()
	t.seat(back)
	return true
}

// round makes one step of every goal; all see all that was evaluated.
func (t *tracer) round(active []*goal) {
	var bare []*site
	seen := map[*site]bool{}
	for _, g := range active {
		if g.at.jac == nil && !seen[g.at] {
			seen[g.at] = true
			bare = append(bare, g.at)
		}
	}
	parallel.For(t.o.Workers, len(bare), func(i int) { t.differentiate(bare[i], make([]float64, t.p.M)) })
	parallel.For(t.o.Workers, len(active), func(i int) { t.propose(active[i]) })
	var moving []*goal
	var us [][]float64
	for _, g := range active {
		if g.predicted <= settledAt*float64(t.p.M)*g.unit() {
			g.settled = true
			continue
		}
		moving, us = append(moving, g), append(us, g.next)
	}
	sites := t.evaluate(us, true)
	steps := slices.Clone(sites)
	t.judgeGains(moving, steps)
	corrected := t.correct(moving, steps)
	t.judgeGains(moving, steps)
	parallel.For(t.o.Workers, len(moving), func(i int) { moving[i].settle(steps[i], slices.Concat(sites, corrected)) })
}

// judgeGains asks Feasible about the steps of careful goals that gain something.
func (t *tracer) judgeGains(moving []*goal, steps []*site) {
	var doubtful []*site
	for i, g := range moving {
		if s := steps[i]; g.careful && s != nil && value(g.w, s) < value(g.w, g.at) {
			doubtful = append(doubtful, s)
		}
	}
	t.judge(doubtful)
}

// correct replaces the steps of careful goals that ended outside by points down the slope, back inside: on
// a curved boundary no step along it would be possible otherwise. It returns the new sites.
func (t *tracer) correct(moving []*goal, steps []*site) []*site {
	var us [][]float64
	var of []int
	for i, g := range moving {
		s := steps[i]
		if s == nil || !s.outside() || math.IsInf(s.doubt, 1) || g.slope == nil {
			continue
		}
		u, back := slices.Clone(s.u), 1.1*s.doubt/dot(g.slope, g.slope)
		for j, v := range g.slope {
			u[j] -= back * v
		}
		t.dom.clamp(u)
		us, of = append(us, u), append(of, i)
	}
	sites := t.evaluate(us, true)
	for k, i := range of {
		steps[i] = sites[k]
	}
	return sites
}

// unit is the weight of a goal's values.
func (g *goal) unit() float64 {
	w := 0.0
	for k, l := range g.dual {
		w += l * g.w[k]
	}
	return w
}

// settle judges the step that was proposed and takes the best of the new sites.
func (g *goal) settle(step *site, sites []*site) {
	before := value(g.w, g.at)
	gain := math.Inf(-1)
	if step != nil && !step.outside() {
		gain = before - value(g.w, step)
	}
	switch {
	case gain > 0.75*g.predicted:
		g.reach *= 3
	case gain < 0.25*g.predicted:
		g.reach *= 0.25
	}
	best := before
	for _, s := range sites {
		if s == nil || s.outside() || g.careful && !s.inside() {
			continue
		}
		if v := valueBelow(g.w, s, best); v < best {
			best, g.at = v, s
		}
	}
}

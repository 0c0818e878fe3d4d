package pareto

import (
	"math"
	"slices"
)

// direction is one scalarised minimisation, and where it stands: max_i w_i·v_i + ρ Σ v_i, with the maximum over
// the objectives whose weight is not 0.
type direction struct {
	w           []float64 // M
	at          *sample   // where it stands; nil: there is no sample that it could start from
	eta         float64   // η of the proximal term ‖step‖²/2η; 0: not yet known
	multipliers []float64 // M: Lagrange multipliers of the last step
	converged   bool      // no step gains anything any more
	constrained bool      // near an infeasible sample: every step is checked

	next          []float64 // d: where the next step would lead
	predictedGain float64   // of that step, to first order
	gradient      []float64 // d: of Feasible at the sample, where constrained; nil: not known
}

// augmentation is ρ, without which ends could be weakly Pareto optimal only.
const augmentation = 1e-2

// minGain is the predicted gain, in units of the ranges and for each objective, below which a direction has
// converged. (With more objectives the points of a front lie farther apart.) At a tenth of it the fronts of
// Gaussian processes had a tenth of a percent more volume, for half as many evaluations more.
const minGain = 5e-5

// weightsTowards returns the weights, from 1 to 1,000, whose minimum lies where the ray from the ideal along r
// meets the front.
func weightsTowards(r []float64) []float64 {
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

// chebyshev is what a direction with weights w minimises.
func chebyshev(w []float64, s *sample) float64 { return chebyshevBelow(w, s, math.Inf(1)) }

// chebyshevBelow is chebyshev where that is below a bound, and any number not below it otherwise.
func chebyshevBelow(w []float64, s *sample, bound float64) float64 {
	worst, rest := math.Inf(-1), augmentation*s.sum
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

// addDirections adds a direction for each of the weights; each starts from the best sample for it.
func (t *tracer) addDirections(weights [][]float64) {
	directions := make([]*direction, len(weights))
	for i, w := range weights {
		directions[i] = &direction{w: w}
	}
	t.assign(directions)
	t.directions = append(t.directions, directions...)
}

// assign puts each direction on the best sample for it: of those that are not known to be infeasible, or, where
// it is constrained, of those that are known to be feasible. Directions without any are given up.
func (t *tracer) assign(directions []*direction) {
	t.each(len(directions), func(i int) {
		g, best := directions[i], math.Inf(1)
		g.at, g.eta, g.multipliers, g.converged = nil, 0, nil, false
		for _, s := range t.samples {
			if s.infeasible() || g.constrained && !s.feasible() {
				continue
			}
			if v := chebyshevBelow(g.w, s, best); v < best {
				best, g.at = v, s
			}
		}
		g.converged = g.at == nil
		g.constrained = g.constrained || t.seedsChecked && !g.converged && t.nearBoundary(g.at)
	})
}

// follow moves every direction until it has converged, rounds times at most; then once more those whose ends turned
// out to be infeasible, constrained.
func (t *tracer) follow(rounds int) {
	for range 2 {
		for range rounds {
			var active []*direction
			for _, g := range t.directions {
				if !g.converged {
					active = append(active, g)
				}
			}
			if len(active) == 0 {
				break
			}
			t.advance(active)
		}
		if !t.checkEnds() {
			return
		}
	}
}

// advance makes one step of every direction; then each takes the best of all steps for it.
func (t *tracer) advance(active []*direction) {
	var bare []*sample // without derivatives
	seen := map[*sample]bool{}
	for _, g := range active {
		if g.at.jac == nil && !seen[g.at] {
			seen[g.at] = true
			bare = append(bare, g.at)
		}
	}
	t.each(len(bare), func(i int) { t.differentiate(bare[i], make([]float64, t.p.M)) })
	t.each(len(active), func(i int) { t.propose(active[i]) })
	var moving []*direction
	var us [][]float64
	for _, g := range active {
		if g.predictedGain <= minGain*float64(t.p.M)*g.weight() {
			g.converged = true
			continue
		}
		moving, us = append(moving, g), append(us, g.next)
	}
	samples := t.evaluate(us, true)
	steps := slices.Clone(samples)
	t.checkGains(moving, steps)
	corrected := t.correct(moving, steps)
	t.checkGains(moving, steps)
	t.each(len(moving), func(i int) { moving[i].accept(steps[i], slices.Concat(samples, corrected)) })
}

// weight is how much of a gain in the objectives, in units of the ranges, is gained in the direction's value.
func (g *direction) weight() float64 {
	w := 0.0
	for k, l := range g.multipliers {
		w += l * g.w[k]
	}
	return w
}

// accept adapts η to what a step gained of what was predicted, and moves to the best of the new samples.
func (g *direction) accept(step *sample, samples []*sample) {
	before := chebyshev(g.w, g.at)
	gain := math.Inf(-1)
	if step != nil && !step.infeasible() {
		gain = before - chebyshev(g.w, step)
	}
	switch {
	case gain > 0.75*g.predictedGain:
		g.eta *= 3
	case gain < 0.25*g.predictedGain:
		g.eta *= 0.25
	}
	best := before
	for _, s := range samples {
		if s == nil || s.infeasible() || g.constrained && !s.feasible() {
			continue
		}
		if v := chebyshevBelow(g.w, s, best); v < best {
			best, g.at = v, s
		}
	}
}

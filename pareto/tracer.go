package pareto

import (
	"context"
	"math"
	"math/rand/v2"

	"parfait/parallel"
	"parfait/problem"
)

// How Front finds a front
//
// Idea. A point of the front is the minimum of an augmented Chebyshev function
//
//	max_i w_i·v_i + ρ Σ v_i,   v = (f − ideal)/(nadir − ideal),
//
// for some weights w ≥ 0 (Steuer and Choo 1983), whatever the shape of the front: large weights on an
// objective ask for little of it. So a front of N points is some N such minimisations, called directions here,
// that share all evaluations: each starts from, and may at any time jump to, the best point that was evaluated
// for any of them.
//
//  1. Seed: a Latin hypercube, the centre and the caller's Starts are evaluated (seed), without derivatives.
//  2. Ends: two directions an objective find where it is best and where all others are (axisWeights); they give
//     the ideal and the nadir.
//  3. Lattice: directions along Das and Dennis's lattice (latticeWeights). Where the front is curved or in
//     pieces these ends lie unevenly, and many coincide.
//  4. Fill, up to 14 rounds (fill.go): of all evaluated points and of new ones between the ends, those that the
//     ends cover worst, by additive ε, become the aims of further directions. This ends when N and up to half more
//     are found and no hole is wider than their spacing.
//  5. Subset takes the N of them that are spread most evenly.
//
// A direction's step (proximal.go) minimises the Chebyshev function of the linearised objectives plus
// ‖step‖²/2η within the bounds (Fliege and Svaiter 2000); η grows where the prediction was good and shrinks
// where it was not, as in a trust region.
//
// Feasible is dear, so it is asked late (feasible.go): directions are followed as if it held everywhere, and
// only where they end is it asked. A direction that ended outside starts again from the best point known to be
// feasible, now constrained: each step that gains is checked, and Feasible, linearised by a fit to its values
// nearby, bounds the step.
//
// Invariants. Samples are only ever added, in an order that does not depend on the number of goroutines; what
// runs in parallel writes to its own sample or direction. A direction's value never rises. A point known to
// be infeasible is never an end.
//
// Cost. About 5N evaluations, half of them with derivatives. Besides, a direction looks through all samples
// once, O(N²·M) in all, and neighbours among the ends cost O(N²·M) a round.

// tracer finds a front.
type tracer struct {
	ranges
	ctx        context.Context
	p          Problem
	o          FrontOptions
	d          int // variables
	dom        *domain
	rng        *rand.Rand
	samples    []*sample // everything that was evaluated
	directions []*direction

	seeds        int       // how many of the first samples are the seed
	checked      []*sample // those that Feasible was asked about
	seedsChecked bool      // all of the seed are among them
}

// each calls f(0), …, f(n−1) in parallel. All that takes long goes through here, in calls that do not, and where ctx
// has ended it does not return: trace, which the unwinding ends at, does.
func (t *tracer) each(n int, f func(i int)) {
	if err := parallel.For(t.ctx, t.o.Workers, n, f); err != nil {
		panic(stopped{err})
	}
}

// trace finds the front, or returns the error of ctx.
func (t *tracer) trace() (err error) {
	defer unwound(&err)
	return t.rounds()
}

func (t *tracer) rounds() error {
	if tried := t.seed(); len(t.samples) == 0 {
		var e problem.List
		e.Add(NotANumber, "none of %d points of the bounds has finite numbers as objectives: look at what the problem returns", tried)
		return e
	}
	t.rescale(nonDominated(t.samples))
	// The ends twice: what lies beyond a valley is often one coordinate away.
	for range 2 {
		if err := t.followNew(t.axisWeights(), 16); err != nil {
			return err
		}
		t.evaluate(t.redrawn(t.ends(), min(8*t.d, 400)), false)
	}
	if t.p.M == 1 {
		return nil
	}
	t.rescale(t.ends())
	if err := t.followNew(t.latticeWeights(), 12); err != nil {
		return err
	}
	// Some more than are wanted, so that evenly spread ones can be chosen.
	want := t.o.N + min(t.o.N/2, 30)
	complete := 0 // rounds in which none was missing
	for range 14 {
		ends := t.ends()
		t.rescale(ends)
		missing, tolerance := max(want-len(ends), 0), 0.5
		if missing == 0 {
			if complete++; complete > 2 {
				tolerance = 1.5 // from now on only for wide holes
			}
		}
		if !t.fill(ends, missing, tolerance) {
			return nil
		}
		t.follow(8)
	}
	return nil
}

// followNew adds directions with the weights given and follows all; Infeasible where none has a feasible end.
func (t *tracer) followNew(weights [][]float64, rounds int) error {
	t.addDirections(weights)
	t.follow(rounds)
	if len(t.ends()) == 0 {
		var e problem.List
		e.Add(Infeasible, "Feasible accepts none of the %d points it was asked about: give Starts that it accepts", len(t.checked))
		return e
	}
	return nil
}

// axisWeights are for the ends of the front: weight on one objective alone, where it is best, and so much on all
// others that they are best.
func (t *tracer) axisWeights() [][]float64 {
	var out [][]float64
	for k := range t.p.M {
		w := make([]float64, t.p.M)
		w[k] = 1
		out = append(out, w)
		if t.p.M > 1 {
			out = append(out, weightsTowards(w))
		}
	}
	return out
}

// latticeWeights are for a lattice of directions, one for every M points wanted: with many objectives most rays
// from the ideal miss the front, and several directions end at one point.
func (t *tracer) latticeWeights() [][]float64 {
	divisions := 1
	for directionsCount(t.p.M, divisions+1) <= max(t.o.N/t.p.M, 12) {
		divisions++
	}
	out := DasDennis(t.p.M, divisions)
	for i, r := range out {
		out[i] = weightsTowards(r)
	}
	return out
}

// seed evaluates the points from which all begins and returns how many they are.
func (t *tracer) seed() int {
	us := t.dom.latinHypercube(min(max(20*t.d, 64), 400), t.rng)
	us = append(us, t.dom.centre())
	for _, x := range t.o.Starts {
		u := make([]float64, t.d)
		t.dom.toUnit(u, x)
		us = append(us, u)
	}
	t.evaluate(us, false)
	t.seeds = len(t.samples)
	return len(us)
}

// rescale takes ideal and nadir from non-dominated samples; an objective that is the same on all of those has
// its range over all that was evaluated.
func (t *tracer) rescale(samples []*sample) {
	var next ranges
	for _, s := range samples {
		next.include(s.f)
	}
	for k, v := range next.nadir {
		if v > next.ideal[k] {
			continue
		}
		for _, s := range t.samples {
			next.nadir[k] = max(next.nadir[k], s.f[k])
		}
	}
	if t.near(next) {
		return
	}
	t.ranges = next
	for _, s := range t.samples {
		t.normalize(s)
		s.epsilon, s.isEnd = math.Inf(1), false
	}
}

// near says whether ideal and nadir differ by less than a fiftieth of the ranges.
func (s ranges) near(o ranges) bool {
	for k := range s.ideal {
		width := (o.nadir[k] - o.ideal[k]) / 50
		if math.Abs(s.ideal[k]-o.ideal[k]) > width || math.Abs(s.nadir[k]-o.nadir[k]) > width {
			return false
		}
	}
	return s.ideal != nil
}

// ends returns where the directions stand, as far as known to be feasible or unchecked: non-dominated and distinct.
func (t *tracer) ends() []*sample {
	var stand []*sample
	for _, g := range t.directions {
		if g.at != nil && !g.at.infeasible() {
			stand = append(stand, g.at)
		}
	}
	return nonDominated(stand)
}

func nonDominated(samples []*sample) []*sample {
	fs := make([][]float64, len(samples))
	for i, s := range samples {
		fs[i] = s.f
	}
	var out []*sample
	for _, i := range NonDominated(fs) {
		out = append(out, samples[i])
	}
	return out
}

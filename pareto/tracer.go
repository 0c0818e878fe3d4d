package pareto

import (
	"context"
	"math"
	"math/rand/v2"
)

// tracer finds a front. Its evaluations are sites, shared by all of its goals.
type tracer struct {
	scale
	ctx   context.Context
	p     Problem
	o     FrontOptions
	d     int
	dom   *domain
	rng   *rand.Rand
	sites []*site
	goals []*goal

	sown     int     // of the sites, the sample
	judged   []*site // those that Feasible was asked about
	surveyed bool    // whether all of the sample was
}

func (t *tracer) trace() error {
	if tried := t.sow(); len(t.sites) == 0 {
		e := &Error{}
		e.add(NotANumber, "none of %d points of the bounds has finite numbers as objectives: look at what the problem returns", tried)
		return e
	}
	t.rescale(nonDominated(t.sites))
	// The axes twice: what lies beyond a valley is often one coordinate away.
	for range 2 {
		if err := t.pursue(t.axes(), 16); err != nil {
			return err
		}
		t.evaluate(t.redrawn(t.ends(), min(8*t.d, 400)), false)
	}
	if t.p.M == 1 {
		return nil
	}
	t.rescale(t.ends())
	if err := t.pursue(t.rays(), 12); err != nil {
		return err
	}
	// Some more than are wanted, so that the even ones can be chosen.
	want := t.o.N + min(t.o.N/2, 30)
	even := 0
	for range 14 {
		ends := t.ends()
		t.rescale(ends)
		missing, tolerance := max(want-len(ends), 0), 0.5
		if missing == 0 {
			if even++; even > 2 {
				tolerance = 1.5 // what still is a hole is worth an effort
			}
		}
		if !t.fill(ends, missing, tolerance) {
			return nil
		}
		if err := t.follow(8); err != nil {
			return err
		}
	}
	return nil
}

// pursue aims along weights and follows the goals; Infeasible where none ends inside.
func (t *tracer) pursue(weights [][]float64, rounds int) error {
	t.aim(weights)
	if err := t.follow(rounds); err != nil {
		return err
	}
	if len(t.ends()) == 0 {
		e := &Error{}
		e.add(Infeasible, "Feasible accepts none of the %d points it was asked about: give Starts that it accepts", len(t.judged))
		return e
	}
	return nil
}

// axes weigh one objective each, for the ideal, and all but one, for the nadir.
func (t *tracer) axes() [][]float64 {
	var out [][]float64
	for k := range t.p.M {
		w := make([]float64, t.p.M)
		w[k] = 1
		out = append(out, w)
		if t.p.M > 1 {
			out = append(out, along(w))
		}
	}
	return out
}

// rays weigh along Das–Dennis directions: one for every M points wanted, as most miss the front where there
// are many objectives.
func (t *tracer) rays() [][]float64 {
	divisions := 1
	for directionsCount(t.p.M, divisions+1) <= max(t.o.N/t.p.M, 12) {
		divisions++
	}
	out := DasDennis(t.p.M, divisions)
	for i, r := range out {
		out[i] = along(r)
	}
	return out
}

// sow evaluates the sample and the starts and returns how many they are.
func (t *tracer) sow() int {
	us := t.dom.sample(min(max(20*t.d, 64), 400), t.rng)
	us = append(us, t.dom.centre())
	for _, x := range t.o.Starts {
		u := make([]float64, t.d)
		t.dom.u(u, x)
		us = append(us, u)
	}
	t.evaluate(us, false)
	t.sown = len(t.sites)
	return len(us)
}

// rescale takes ideal and nadir from non-dominated sites; an objective that is the same on all of those has
// its range over all that was evaluated.
func (t *tracer) rescale(sites []*site) {
	var next scale
	for _, s := range sites {
		next.include(s.f)
	}
	for k, v := range next.nadir {
		if v > next.ideal[k] {
			continue
		}
		for _, s := range t.sites {
			next.nadir[k] = max(next.nadir[k], s.f[k])
		}
	}
	if t.near(next) {
		return
	}
	t.scale = next
	for _, s := range t.sites {
		t.measure(s)
		s.depth, s.end = math.Inf(1), false
	}
}

// near says whether the scales differ by less than a fiftieth of the ranges.
func (s scale) near(o scale) bool {
	for k := range s.ideal {
		width := (o.nadir[k] - o.ideal[k]) / 50
		if math.Abs(s.ideal[k]-o.ideal[k]) > width || math.Abs(s.nadir[k]-o.nadir[k]) > width {
			return false
		}
	}
	return s.ideal != nil
}

// ends returns where the goals stand: inside, non-dominated and distinct.
func (t *tracer) ends() []*site {
	var stand []*site
	for _, g := range t.goals {
		if g.at != nil && !g.at.outside() {
			stand = append(stand, g.at)
		}
	}
	return nonDominated(stand)
}

func nonDominated(sites []*site) []*site {
	fs := make([][]float64, len(sites))
	for i, s := range sites {
		fs[i] = s.f
	}
	var out []*site
	for _, i := range NonDominated(fs) {
		out = append(out, sites[i])
	}
	return out
}

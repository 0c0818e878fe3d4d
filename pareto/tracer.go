package pareto

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
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
	tried map[[2]*site]bool // gaps that were looked into
}

// site is an evaluated point.
type site struct {
	u, x, f []float64
	jac     []float64 // M × d, in unit coordinates; nil until it is needed
	judged  bool      // whether outside is known
	outside bool      // not feasible
}

func (t *tracer) trace() error {
	t.sow()
	if len(t.sites) == 0 {
		return &Error{Code: NotANumber, Problems: []string{"no point of the sample has numbers as objectives"}}
	}
	t.rescale(t.sites)
	for k := range t.p.M {
		w := make([]float64, t.p.M)
		w[k] = 1
		t.aim(w)
	}
	if len(t.goals) == 0 {
		return &Error{Code: Infeasible, Problems: []string{"Feasible accepts no point of the sample"}}
	}
	if err := t.follow(16); err != nil || t.p.M == 1 {
		return err
	}
	t.rescale(t.ends())
	divisions := 1
	for directionsCount(t.p.M, divisions+1) <= max(t.o.N/3, 12) {
		divisions++
	}
	for _, r := range DasDennis(t.p.M, divisions) {
		t.aim(along(r))
	}
	if err := t.follow(12); err != nil {
		return err
	}
	for range 10 {
		ends := t.ends()
		if len(ends) >= t.o.N || !t.fill(ends, t.o.N-len(ends)) {
			return nil
		}
		if err := t.follow(8); err != nil {
			return err
		}
	}
	return nil
}

// sow evaluates the sample and the starts.
func (t *tracer) sow() {
	us := t.dom.sample(min(max(20*t.d, 64), 400), t.rng)
	us = append(us, t.dom.centre())
	for _, x := range t.o.Starts {
		u := make([]float64, t.d)
		t.dom.u(u, x)
		us = append(us, u)
	}
	t.evaluate(us, false)
}

// evaluate adds a site for every u, in their order, and returns those that have numbers as objectives; nil
// for those that have not.
func (t *tracer) evaluate(us [][]float64, withJacobian bool) []*site {
	out := make([]*site, len(us))
	each(t.o.Workers, len(us), func(i int) {
		s := &site{u: us[i], x: make([]float64, t.d), f: make([]float64, t.p.M)}
		t.dom.x(s.x, s.u)
		if withJacobian && t.p.Both != nil {
			t.differentiate(s)
		} else {
			t.p.eval(s.f, s.x)
		}
		if finite(s.f) {
			out[i] = s
		}
	})
	for _, s := range out {
		if s != nil {
			t.sites = append(t.sites, s)
		}
	}
	return out
}

func finite(f []float64) bool {
	for _, v := range f {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// feasible asks Feasible once a site.
func (t *tracer) feasible(s *site) bool {
	if !s.judged {
		s.judged = true
		s.outside = t.o.Feasible != nil && !(t.o.Feasible(s.x) <= 0)
	}
	return !s.outside
}

// rescale takes ideal and nadir from the non-dominated of the sites.
func (t *tracer) rescale(sites []*site) {
	fs := make([][]float64, len(sites))
	for i, s := range sites {
		fs[i] = s.f
	}
	t.scale = scaleOf(fs, NonDominated(fs))
}

// ends returns where the goals stand: non-dominated and distinct.
func (t *tracer) ends() []*site {
	fs := make([][]float64, len(t.goals))
	for i, g := range t.goals {
		fs[i] = g.at.f
	}
	var out []*site
	for _, i := range NonDominated(fs) {
		out = append(out, t.goals[i].at)
	}
	return out
}

// fill aims at the largest gaps between neighbours among the ends, n at most; false where there are none.
func (t *tracer) fill(ends []*site, n int) bool {
	m := t.p.M
	f := make([][]float64, len(ends))
	for i, s := range ends {
		f[i] = make([]float64, m)
		for k, v := range s.f {
			f[i][k] = t.unit(k, v)
		}
	}
	type gap struct {
		a, b   int
		length float64
	}
	var gaps []gap
	near := make([][]gap, len(ends))
	each(t.o.Workers, len(ends), func(i int) {
		var all []gap
		for j := range ends {
			if j != i {
				all = append(all, gap{min(i, j), max(i, j), squared(f[i], f[j])})
			}
		}
		slices.SortFunc(all, func(a, b gap) int {
			return cmp.Or(cmp.Compare(a.length, b.length), cmp.Compare(a.a, b.a), cmp.Compare(a.b, b.b))
		})
		near[i] = all[:min(len(all), m+1)]
	})
	for i := range near {
		for _, g := range near[i] {
			key := [2]*site{ends[g.a], ends[g.b]}
			if g.length > 1e-12 && !t.tried[key] {
				t.tried[key] = true
				gaps = append(gaps, g)
			}
		}
	}
	slices.SortStableFunc(gaps, func(a, b gap) int { return cmp.Compare(b.length, a.length) })
	for _, g := range gaps[min(n, len(gaps)):] {
		delete(t.tried, [2]*site{ends[g.a], ends[g.b]})
	}
	gaps = gaps[:min(n, len(gaps))]
	us := make([][]float64, len(gaps))
	for i, g := range gaps {
		us[i] = make([]float64, t.d)
		for j, v := range ends[g.a].u {
			us[i][j] = (v + ends[g.b].u[j]) / 2
		}
	}
	t.evaluate(us, true)
	for _, g := range gaps {
		r := make([]float64, m)
		for k := range r {
			r[k] = (f[g.a][k] + f[g.b][k]) / 2
		}
		t.aim(along(r))
	}
	return len(gaps) > 0
}

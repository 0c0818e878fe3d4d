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
}

// site is an evaluated point.
type site struct {
	u, x, f []float64
	v       []float64 // f in units of the ranges
	sum     float64   // of v
	jac     []float64 // M × d, in unit coordinates; nil until it is needed
	judged  bool      // whether outside is known
	outside bool      // not feasible
	aimed   bool      // a goal was set from here
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
			if t.ideal != nil {
				t.measure(s)
			}
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
	for _, s := range t.sites {
		t.measure(s)
	}
}

// measure stores a site's objectives in units of the ranges.
func (t *tracer) measure(s *site) {
	if s.v == nil {
		s.v = make([]float64, t.p.M)
	}
	s.sum = 0
	for k, f := range s.f {
		s.v[k] = t.unit(k, f)
		s.sum += s.v[k]
	}
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

// fill aims at what the ends cover worst, n goals at most: at sites that were evaluated on the way, and at
// the points halfway between neighbours and between any two ends. False where nothing is left to cover.
func (t *tracer) fill(ends []*site, n int) bool {
	t.evaluate(t.halfway(ends, n), false)
	open := make([]hole, len(t.sites))
	each(t.o.Workers, len(open), func(i int) {
		s := t.sites[i]
		open[i] = hole{site: s, depth: math.Inf(1)}
		if s.aimed || s.outside {
			open[i].depth = 0
		}
		for _, end := range ends {
			open[i].cover(end)
		}
	})
	found := false
	for range n {
		deepest := &open[0]
		for i := range open {
			if open[i].depth > deepest.depth {
				deepest = &open[i]
			}
		}
		if deepest.depth < shallow {
			break
		}
		s := deepest.site
		s.aimed, deepest.depth = true, 0
		if !t.feasible(s) {
			continue
		}
		found = true
		t.aim(along(s.v))
		each(t.o.Workers, len(open), func(i int) { open[i].cover(s) })
	}
	return found
}

// hole is a site and how far, in units of the ranges, all that covers the front would have to be shifted to
// cover it too: its additive ε.
type hole struct {
	site  *site
	depth float64
}

// shallow is the depth below which a hole is none.
const shallow = 1e-4

func (h *hole) cover(by *site) {
	worst := math.Inf(-1)
	for k, v := range by.v {
		if d := v - h.site.v[k]; d > worst {
			if worst = d; worst >= h.depth {
				return
			}
		}
	}
	h.depth = worst
}

// halfway returns points between the ends: between neighbours, those farthest apart first, and as many
// between any two.
func (t *tracer) halfway(ends []*site, n int) [][]float64 {
	near := make([][]gap, len(ends))
	each(t.o.Workers, len(ends), func(i int) {
		for j, s := range ends {
			if j != i {
				near[i] = closest(near[i], gap{min(i, j), max(i, j), squared(ends[i].v, s.v)}, t.p.M+1)
			}
		}
	})
	gaps := slices.Concat(near...)
	slices.SortFunc(gaps, func(a, b gap) int { return cmp.Or(cmp.Compare(b.length, a.length), a.order(b)) })
	gaps = slices.Compact(gaps)
	gaps = gaps[:min(n, len(gaps))]
	for range n {
		if i, j := t.rng.IntN(len(ends)), t.rng.IntN(len(ends)); i != j {
			gaps = append(gaps, gap{a: i, b: j})
		}
	}
	us := make([][]float64, len(gaps))
	for i, g := range gaps {
		us[i] = make([]float64, t.d)
		for j, v := range ends[g.a].u {
			us[i][j] = (v + ends[g.b].u[j]) / 2
		}
	}
	return us
}

// gap is two ends and their squared distance.
type gap struct {
	a, b   int
	length float64
}

func (g gap) order(o gap) int { return cmp.Or(cmp.Compare(g.a, o.a), cmp.Compare(g.b, o.b)) }

// closest keeps the n shortest gaps in order.
func closest(gaps []gap, g gap, n int) []gap {
	if len(gaps) == n && gaps[n-1].length <= g.length {
		return gaps
	}
	at := len(gaps)
	for at > 0 && gaps[at-1].length > g.length {
		at--
	}
	return slices.Insert(gaps[:min(len(gaps), n-1)], at, g)
}

package pareto

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"parfait/parallel"
)

// site is an evaluated point.
type site struct {
	u, x, f []float64
	v       []float64 // f in units of the ranges
	sum     float64   // of v
	jac     []float64 // M × d, in unit coordinates; nil until it is needed
	doubt   float64   // what Feasible said: above 0 is outside; NaN until it is asked
	aimed   bool      // a goal was set from here
	end     bool      // counted as one in the depths of others
	depth   float64   // how far all ends would have to be shifted to cover it; Inf: not known
}

// inside says whether the site is known to be feasible, outside whether it is known not to be.
func (s *site) inside() bool  { return s.doubt <= 0 }
func (s *site) outside() bool { return s.doubt > 0 }

// evaluate adds a site for every u, in their order, and returns those that have numbers as objectives; nil
// for those that have not.
func (t *tracer) evaluate(us [][]float64, withJacobian bool) []*site {
	out := make([]*site, len(us))
	parallel.For(t.o.Workers, len(us), func(i int) {
		s := &site{u: us[i], x: make([]float64, t.d), f: make([]float64, t.p.M), v: make([]float64, t.p.M), doubt: math.NaN(), depth: math.Inf(1)}
		t.dom.x(s.x, s.u)
		if withJacobian && t.p.EvalJacobian != nil {
			t.differentiate(s, s.f)
		} else {
			t.p.eval(s.f, s.x)
		}
		if finite(s.f) {
			t.measure(s)
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
	return !slices.ContainsFunc(f, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}

// measure stores a site's objectives in units of the ranges, as soon as there are any.
func (t *tracer) measure(s *site) {
	if t.ideal == nil {
		return
	}
	s.sum = 0
	for k, f := range s.f {
		s.v[k] = t.unit(k, f)
		s.sum += s.v[k]
	}
}

// judge asks Feasible once a site.
func (t *tracer) judge(sites []*site) {
	var open []*site
	for _, s := range sites {
		if s == nil || !math.IsNaN(s.doubt) {
			continue
		}
		s.doubt = 0
		if t.o.Feasible != nil {
			open = append(open, s)
		}
	}
	parallel.For(t.o.Workers, len(open), func(i int) {
		if v := t.o.Feasible(open[i].x); math.IsNaN(v) {
			open[i].doubt = math.Inf(1)
		} else {
			open[i].doubt = v
		}
	})
	t.judged = append(t.judged, open...)
}

// differentiate stores the derivatives at a site, in unit coordinates, and with EvalJacobian the objectives in f.
func (t *tracer) differentiate(s *site, f []float64) {
	s.jac = make([]float64, t.p.M*t.d)
	j := mat.NewDense(t.p.M, t.d, s.jac)
	switch {
	case t.p.EvalJacobian != nil:
		t.p.EvalJacobian(f, j, s.x)
	case t.p.Jacobian != nil:
		t.p.Jacobian(j, s.x)
	default:
		t.differences(s)
		return
	}
	for k := range t.p.M {
		for i, w := range t.dom.width {
			s.jac[k*t.d+i] *= w
		}
	}
}

// differences are derivatives by one-sided differences that stay within [0, 1].
func (t *tracer) differences(s *site) {
	const h = 1e-6
	u, x, f := slices.Clone(s.u), make([]float64, t.d), make([]float64, t.p.M)
	for i := range u {
		step := h
		if s.u[i] > 0.5 {
			step = -h
		}
		u[i] += step
		t.dom.x(x, u)
		t.p.eval(f, x)
		for k, v := range f {
			s.jac[k*t.d+i] = (v - s.f[k]) / step
		}
		u[i] = s.u[i]
	}
}

func (p Problem) eval(dst, x []float64) {
	if p.Eval != nil {
		p.Eval(dst, x)
		return
	}
	p.EvalJacobian(dst, mat.NewDense(p.M, len(x), nil), x)
}

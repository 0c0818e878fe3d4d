package pareto

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// sample is an evaluated point.
type sample struct {
	u, x      []float64 // d: in unit coordinates, and as the caller knows it
	f         []float64 // M: objectives
	v         []float64 // M: f in units of the ranges, 0 at the ideal and 1 at the nadir
	sum       float64   // of v
	jac       []float64 // M × d: ∂f/∂u; nil until it is needed
	violation float64   // what Feasible said: above 0 is infeasible; NaN until it is asked
	targeted  bool      // a direction was aimed here
	isEnd     bool      // it was an end when the epsilons of all samples were last brought up to date
	epsilon   float64   // additive ε by which the ends would have to be shifted to cover it; Inf: not known
}

// feasible says whether the sample is known to be feasible, infeasible whether it is known not to be.
func (s *sample) feasible() bool   { return s.violation <= 0 }
func (s *sample) infeasible() bool { return s.violation > 0 }

// evaluate adds a sample for every u, in their order, and returns them; nil for those without finite objectives,
// which are not added.
func (t *tracer) evaluate(us [][]float64, withJacobian bool) []*sample {
	out := make([]*sample, len(us))
	t.each(len(us), func(i int) {
		s := &sample{u: us[i], x: make([]float64, t.d), f: make([]float64, t.p.M), v: make([]float64, t.p.M), violation: math.NaN(), epsilon: math.Inf(1)}
		t.dom.fromUnit(s.x, s.u)
		if withJacobian && t.p.EvalJacobian != nil {
			t.differentiate(s, s.f)
		} else {
			t.p.eval(s.f, s.x)
		}
		if finite(s.f) {
			t.normalize(s)
			out[i] = s
		}
	})
	for _, s := range out {
		if s != nil {
			t.samples = append(t.samples, s)
		}
	}
	return out
}

func finite(f []float64) bool {
	return !slices.ContainsFunc(f, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}

// normalize stores a sample's objectives in units of the ranges, as soon as there are any.
func (t *tracer) normalize(s *sample) {
	if t.ideal == nil {
		return
	}
	s.sum = 0
	for k, f := range s.f {
		s.v[k] = t.unit(k, f)
		s.sum += s.v[k]
	}
}

// differentiate stores the derivatives at a sample, and with EvalJacobian the objectives in f.
func (t *tracer) differentiate(s *sample, f []float64) {
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

// differences stores derivatives by one-sided finite differences that stay within [0, 1].
func (t *tracer) differences(s *sample) {
	const h = 1e-6
	u, x, f := slices.Clone(s.u), make([]float64, t.d), make([]float64, t.p.M)
	for i := range u {
		step := h
		if s.u[i] > 0.5 {
			step = -h
		}
		u[i] += step
		t.dom.fromUnit(x, u)
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

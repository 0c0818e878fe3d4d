package pareto

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// goal is one direction in the space of objectives and how far it was followed: the minimum of
// max_i w_i·f̂_i + ρ Σ f̂_i, f̂ in units of the ranges, over the i with a weight.
type goal struct {
	w       []float64
	at      *site
	reach   float64   // η of the proximal term ‖d‖²/2η
	dual    []float64 // multipliers of the last step
	settled bool

	next      []float64 // proposed
	predicted float64   // gain of the proposed, to first order
}

// augmented is ρ: what of the sum is added, so that no end is only weakly optimal.
const augmented = 1e-4

// settledAt is the gain, in units of the ranges, below which a goal is left alone.
const settledAt = 1e-5

// along returns the weights whose minimum lies where the ray from the ideal along r meets the front.
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
		w[k] *= 1e-3 / least // at most one
	}
	return w
}

// aim adds a goal that starts from the best site for it.
func (t *tracer) aim(w []float64) {
	g := &goal{w: w, reach: math.NaN()}
	for {
		best := math.Inf(1)
		g.at = nil
		for _, s := range t.sites {
			if v := value(w, s); v < best && !s.outside {
				best, g.at = v, s
			}
		}
		if g.at == nil {
			return
		}
		if t.feasible(g.at) {
			t.goals = append(t.goals, g)
			return
		}
	}
}

// value is what a goal with weights w minimises.
func value(w []float64, s *site) float64 {
	worst := math.Inf(-1)
	for k, v := range s.v {
		if w[k] > 0 && w[k]*v > worst {
			worst = w[k] * v
		}
	}
	return worst + augmented*s.sum
}

// follow moves every goal that is not settled, rounds times at most.
func (t *tracer) follow(rounds int) error {
	for range rounds {
		var active []*goal
		for _, g := range t.goals {
			if !g.settled {
				active = append(active, g)
			}
		}
		if len(active) == 0 {
			return nil
		}
		if err := t.ctx.Err(); err != nil {
			return err
		}
		t.round(active)
	}
	return t.ctx.Err()
}

// round makes one step of every goal; all see all that was evaluated.
func (t *tracer) round(active []*goal) {
	var bare []*site
	for _, g := range active {
		if g.at.jac == nil {
			g.at.jac = make([]float64, t.p.M*t.d)
			bare = append(bare, g.at)
		}
	}
	each(t.o.Workers, len(bare), func(i int) { t.differentiate(bare[i]) })
	each(t.o.Workers, len(active), func(i int) { t.propose(active[i]) })
	var moving []*goal
	var us [][]float64
	for _, g := range active {
		if g.predicted <= settledAt*t.weight(g) {
			g.settled = true
			continue
		}
		moving, us = append(moving, g), append(us, g.next)
	}
	sites := t.evaluate(us, true)
	each(t.o.Workers, len(sites), func(i int) {
		if sites[i] != nil && value(moving[i].w, sites[i]) < value(moving[i].w, moving[i].at) {
			t.feasible(sites[i])
		}
	})
	each(t.o.Workers, len(moving), func(i int) { t.settle(moving[i], sites[i], sites) })
}

// weight is the largest weight of a goal, the unit of its values.
func (t *tracer) weight(g *goal) float64 {
	w := 0.0
	for k, l := range g.dual {
		w += l * g.w[k]
	}
	return w
}

// settle judges the step that was proposed and takes the best of the new sites.
func (t *tracer) settle(g *goal, step *site, sites []*site) {
	before := value(g.w, g.at)
	gain := math.Inf(-1)
	if step != nil && !step.outside {
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
		if s == nil || !s.judged || s.outside {
			continue
		}
		if v := value(g.w, s); v < best {
			best, g.at = v, s
		}
	}
}

// differentiate stores the derivatives at a site, in unit coordinates.
func (t *tracer) differentiate(s *site) {
	if s.jac == nil {
		s.jac = make([]float64, t.p.M*t.d)
	}
	j := mat.NewDense(t.p.M, t.d, s.jac)
	switch {
	case t.p.Both != nil:
		t.p.Both(s.f, j, s.x)
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
	u, x, f := append([]float64(nil), s.u...), make([]float64, t.d), make([]float64, t.p.M)
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
	p.Both(dst, mat.NewDense(p.M, len(x), nil), x)
}

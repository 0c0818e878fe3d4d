package pareto

import (
	"math"
	"slices"
)

// proximal is the step of one direction: over the s with u + s within the bounds, the minimum of the linearised
// weighted objectives under a proximal term,
//
//	max_i (g_i + a_i·s) + ‖s‖²/2η + penalty·max(0, c + ∇c·s),
//
// where the last term keeps the step feasible for a constrained direction. It is solved in the dual: for
// multipliers λ on the simplex and ν in [0, penalty] the best step is s(λ, ν) = clamp(u − η(Aᵀλ + ν∇c)) − u, and
// λ and ν are found by accelerated projected gradients with restarts (Beck and Teboulle 2009; O'Donoghue and
// Candès 2015). The duality gap says when that is near enough. O(M·d) an iteration, 60 at most.
type proximal struct {
	d    int
	rows []int     // the m objectives with a weight
	a, g []float64 // m × d derivatives and m values
	u    []float64 // d: where the step starts
	eta  float64
	dom  *domain

	conGrad  []float64 // d: ∇c, scaled so that it is as long as the steepest objective's; nil: no constraint
	conValue float64   // c, likewise
}

// propose stores where a step of a direction leads, and what it gains to first order.
func (t *tracer) propose(g *direction) {
	q := t.linearise(g)
	g.predictedGain = 0
	norm := 0.0
	for k := range q.g {
		norm = max(norm, math.Sqrt(dot(q.row(k), q.row(k))))
	}
	if !(norm > 0) || math.IsInf(norm, 1) {
		return
	}
	if !(g.eta > 0) {
		g.eta = 0.15 * math.Sqrt(float64(t.d)) / norm
	}
	q.eta = g.eta
	if g.constrained {
		g.gradient = t.constraintGradient(g.at)
		q.constrain(g.gradient, g.at.violation, norm)
	}
	if len(g.multipliers) == 0 {
		g.multipliers = make([]float64, t.p.M)
		at := 0
		for k, v := range q.g {
			if v > q.g[at] {
				at = k
			}
		}
		g.multipliers[q.rows[at]] = 1
	}
	lambda := make([]float64, len(q.rows))
	for k, i := range q.rows {
		lambda[k] = g.multipliers[i]
	}
	g.next, g.predictedGain = q.solve(lambda)
	for k, i := range q.rows {
		g.multipliers[i] = lambda[k]
	}
}

// linearise is the direction's problem at its sample.
func (t *tracer) linearise(g *direction) *proximal {
	q := &proximal{d: t.d, u: g.at.u, dom: t.dom}
	slope := make([]float64, t.d)
	for k, w := range g.w {
		if w > 0 {
			q.rows = append(q.rows, k)
		}
		t.addSlope(slope, augmentation, g.at, k)
	}
	q.a, q.g = make([]float64, 0, len(q.rows)*t.d), make([]float64, 0, len(q.rows))
	for n, k := range q.rows {
		q.g = append(q.g, g.w[k]*g.at.v[k]+augmentation*g.at.sum)
		q.a = append(q.a, slope...)
		t.addSlope(q.row(n), g.w[k], g.at, k)
	}
	return q
}

// addSlope adds w times the derivative of objective k, in units of its range.
func (t *tracer) addSlope(dst []float64, w float64, s *sample, k int) {
	r := t.nadir[k] - t.ideal[k]
	if !(r > 0) {
		return
	}
	for i, v := range s.jac[k*t.d : (k+1)*t.d] {
		dst[i] += w / r * v
	}
}

func (q *proximal) row(k int) []float64 { return q.a[k*q.d : (k+1)*q.d] }

// conPenalty is what violating the constraint costs, in units of the steepest objective: more than 1 is exact.
const conPenalty = 10

// constrain adds the constraint that Feasible, of the given gradient and value, does not rise above 0. A step may
// go nine tenths of the way to it.
func (q *proximal) constrain(gradient []float64, violation, norm float64) {
	steep := math.Sqrt(dot(gradient, gradient))
	if !(steep > 0) {
		return
	}
	q.conValue = 0.9 * violation * norm / steep
	for _, v := range gradient {
		q.conGrad = append(q.conGrad, v*norm/steep)
	}
}

// solve returns the best point found and its gain to first order, from the multipliers given, which become those of
// the solution.
func (q *proximal) solve(lambda []float64) (next []float64, gain float64) {
	m := len(lambda)
	s := newDual(lambda)
	lipschitz := q.eta * (dot(q.a, q.a) + dot(q.conGrad, q.conGrad))
	room := make([]float64, m+2*q.d)
	value, step := room[:m], room[m:m+q.d]
	next = room[m+q.d:]
	before := slices.Max(q.g)
	gain = math.Inf(-1)
	for range 60 {
		q.step(step, s.mu, s.muC)
		worst, mean := math.Inf(-1), 0.0
		for k := range m {
			value[k] = q.g[k] + dot(q.row(k), step)
			worst, mean = max(worst, value[k]), mean+s.mu[k]*value[k]
		}
		over := 0.0
		if q.conGrad != nil {
			over = q.conValue + dot(q.conGrad, step)
			worst, mean = worst+conPenalty*max(over, 0), mean+s.muC*over
		}
		if before-worst > gain {
			gain = before - worst
			for i, v := range step {
				next[i] = q.u[i] + v
			}
		}
		if worst-mean <= 0.02*max(gain, 0) {
			break
		}
		for k := range value {
			value[k] /= lipschitz
		}
		s.ascend(value, over/lipschitz)
	}
	q.dom.clamp(next)
	return next, gain
}

// dual is the state of the accelerated ascent: the multipliers of the objectives and of the constraint, and the
// extrapolated ones at which the gradient is taken.
type dual struct {
	lambda, mu, old []float64 // m: multipliers, extrapolated, and before
	lambdaC, muC    float64   // of the constraint
	all             []int     // 0…m−1
	momentum        float64
}

func newDual(lambda []float64) *dual {
	s := &dual{lambda: lambda, mu: slices.Clone(lambda), old: make([]float64, len(lambda)), all: make([]int, len(lambda)), momentum: 1}
	for k := range s.all {
		s.all[k] = k
	}
	return s
}

// ascend makes a step from the extrapolated multipliers.
func (s *dual) ascend(step []float64, stepC float64) {
	copy(s.old, s.lambda)
	before := s.lambdaC
	for k, v := range step {
		s.lambda[k] = s.mu[k] + v
	}
	ontoSimplex(s.lambda, s.all)
	s.lambdaC = min(max(s.muC+stepC, 0), conPenalty)
	up := (s.muC - s.lambdaC) * (s.lambdaC - before)
	for k, v := range s.lambda {
		up += (s.mu[k] - v) * (v - s.old[k])
	}
	if up > 0 {
		s.momentum = 1
	}
	following := (1 + math.Sqrt(1+4*s.momentum*s.momentum)) / 2
	ahead := (s.momentum - 1) / following
	for k, v := range s.lambda {
		s.mu[k] = max(v+ahead*(v-s.old[k]), 0)
	}
	s.muC = min(max(s.lambdaC+ahead*(s.lambdaC-before), 0), conPenalty)
	s.momentum = following
}

// step stores s(λ, ν).
func (q *proximal) step(dst, lambda []float64, nu float64) {
	copy(dst, q.u)
	if nu > 0 {
		for i, v := range q.conGrad {
			dst[i] -= q.eta * nu * v
		}
	}
	for k, l := range lambda {
		if l == 0 {
			continue
		}
		for i, v := range q.row(k) {
			dst[i] -= q.eta * l * v
		}
	}
	q.dom.clamp(dst)
	for i, v := range q.u {
		dst[i] -= v
	}
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

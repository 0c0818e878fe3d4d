package pareto

import (
	"math"
	"slices"
)

// proximal is the step of one goal: over the bounds, the minimum of the linearised objectives
//
//	max_i (G_i + A_i·d) + ‖d‖²/2η,
//
// found in the dual, d(λ) = clamp(u − ηAᵀλ) − u with λ on the simplex, by accelerated projected
// gradients with restarts (Beck and Teboulle 2009; O'Donoghue and Candès 2015).
type proximal struct {
	d    int
	rows []int     // objectives with a weight
	a, g []float64 // len(rows) × d, len(rows)
	u    []float64
	eta  float64
	// The fence: Feasible's slope and value, in units of the steepest objective; nil for none.
	slope []float64
	limit float64
	dom   *domain
}

// propose stores the step of a goal in its next, and what it gains to first order in predicted.
func (t *tracer) propose(g *goal) {
	q := t.linearise(g)
	g.predicted = 0
	norm := 0.0
	for k := range q.g {
		norm = max(norm, math.Sqrt(dot(q.row(k), q.row(k))))
	}
	if !(norm > 0) || math.IsInf(norm, 1) {
		return
	}
	if !(g.reach > 0) {
		g.reach = 0.15 * math.Sqrt(float64(t.d)) / norm
	}
	q.eta = g.reach
	if g.careful {
		g.slope = t.incline(g.at)
		q.fence(g.slope, g.at.doubt, norm)
	}
	if len(g.dual) == 0 {
		g.dual = make([]float64, t.p.M)
		at := 0
		for k, v := range q.g {
			if v > q.g[at] {
				at = k
			}
		}
		g.dual[q.rows[at]] = 1
	}
	lambda := make([]float64, len(q.rows))
	for k, i := range q.rows {
		lambda[k] = g.dual[i]
	}
	g.next, g.predicted = q.solve(lambda)
	for k, i := range q.rows {
		g.dual[i] = lambda[k]
	}
}

func (t *tracer) linearise(g *goal) *proximal {
	q := &proximal{d: t.d, u: g.at.u, dom: t.dom}
	slope := make([]float64, t.d)
	for k, w := range g.w {
		if w > 0 {
			q.rows = append(q.rows, k)
		}
		t.addSlope(slope, augmented, g.at, k)
	}
	q.a, q.g = make([]float64, 0, len(q.rows)*t.d), make([]float64, 0, len(q.rows))
	for n, k := range q.rows {
		q.g = append(q.g, g.w[k]*g.at.v[k]+augmented*g.at.sum)
		q.a = append(q.a, slope...)
		t.addSlope(q.row(n), g.w[k], g.at, k)
	}
	return q
}

// addSlope adds w times the derivative of objective k, in units of its range.
func (t *tracer) addSlope(dst []float64, w float64, s *site, k int) {
	r := t.nadir[k] - t.ideal[k]
	if !(r > 0) {
		return
	}
	for i, v := range s.jac[k*t.d : (k+1)*t.d] {
		dst[i] += w / r * v
	}
}

func (q *proximal) row(k int) []float64 { return q.a[k*q.d : (k+1)*q.d] }

// penalty is what it costs to leave the fence, in units of the steepest objective.
const penalty = 10

// fence adds the constraint that Feasible, of the given slope and value, does not rise above 0, as an exact
// penalty. Nine tenths of the way to it are allowed at a time.
func (q *proximal) fence(slope []float64, doubt, norm float64) {
	steep := math.Sqrt(dot(slope, slope))
	if !(steep > 0) {
		return
	}
	q.limit = 0.9 * doubt * norm / steep
	for _, v := range slope {
		q.slope = append(q.slope, v*norm/steep)
	}
}

// solve returns the best point found and its gain to first order; λ is where to start, and where it ended.
func (q *proximal) solve(lambda []float64) (next []float64, gain float64) {
	m := len(lambda)
	s := newDual(lambda)
	lipschitz := q.eta * (dot(q.a, q.a) + dot(q.slope, q.slope))
	room := make([]float64, m+2*q.d)
	value, step := room[:m], room[m:m+q.d]
	next = room[m+q.d:]
	before := slices.Max(q.g)
	gain = math.Inf(-1)
	for range 60 {
		q.step(step, s.mu, s.nu)
		worst, mean := math.Inf(-1), 0.0
		for k := range m {
			value[k] = q.g[k] + dot(q.row(k), step)
			worst, mean = max(worst, value[k]), mean+s.mu[k]*value[k]
		}
		over := 0.0
		if q.slope != nil {
			over = q.limit + dot(q.slope, step)
			worst, mean = worst+penalty*max(over, 0), mean+s.nu*over
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

// dual is the state of the accelerated ascent: the multipliers of the objectives and of the fence, and the
// points ahead of them where the slope is taken.
type dual struct {
	lambda, mu, old []float64
	fence, nu       float64
	all             []int
	momentum        float64
}

func newDual(lambda []float64) *dual {
	s := &dual{lambda: lambda, mu: slices.Clone(lambda), old: make([]float64, len(lambda)), all: make([]int, len(lambda)), momentum: 1}
	for k := range s.all {
		s.all[k] = k
	}
	return s
}

// ascend makes a step of the given size from the points ahead.
func (s *dual) ascend(step []float64, fence float64) {
	copy(s.old, s.lambda)
	before := s.fence
	for k, v := range step {
		s.lambda[k] = s.mu[k] + v
	}
	ontoSimplex(s.lambda, s.all)
	s.fence = min(max(s.nu+fence, 0), penalty)
	up := (s.nu - s.fence) * (s.fence - before)
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
	s.nu = min(max(s.fence+ahead*(s.fence-before), 0), penalty)
	s.momentum = following
}

// step stores d(λ, ν).
func (q *proximal) step(dst, lambda []float64, nu float64) {
	copy(dst, q.u)
	if nu > 0 {
		for i, v := range q.slope {
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

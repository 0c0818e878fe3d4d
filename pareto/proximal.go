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
	dom  *domain
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

// solve returns the best point found and its gain to first order; λ is where to start, and where it ended.
func (q *proximal) solve(lambda []float64) (next []float64, gain float64) {
	m := len(lambda)
	lipschitz := q.eta * dot(q.a, q.a)
	all := make([]int, m)
	for k := range all {
		all[k] = k
	}
	room := make([]float64, 2*m+2*q.d)
	mu, value, step := room[:m], room[m:2*m], room[2*m:2*m+q.d]
	next = room[2*m+q.d:]
	copy(mu, lambda)
	before := slices.Max(q.g)
	gain = math.Inf(-1)
	momentum := 1.0
	for range 60 {
		q.step(step, mu)
		worst, mean := math.Inf(-1), 0.0
		for k := range m {
			value[k] = q.g[k] + dot(q.row(k), step)
			worst, mean = max(worst, value[k]), mean+mu[k]*value[k]
		}
		if before-worst > gain {
			gain = before - worst
			for i, v := range step {
				next[i] = q.u[i] + v
			}
		}
		if worst-mean <= 0.02*max(gain, 0) || m == 1 {
			break
		}
		for k, v := range value {
			value[k] = mu[k] + v/lipschitz
		}
		ontoSimplex(value, all)
		up := 0.0
		for k, v := range value {
			up += (mu[k] - v) * (v - lambda[k])
		}
		if up > 0 {
			momentum = 1
		}
		following := (1 + math.Sqrt(1+4*momentum*momentum)) / 2
		for k, v := range value {
			mu[k] = max(v+(momentum-1)/following*(v-lambda[k]), 0)
			lambda[k] = v
		}
		momentum = following
	}
	q.dom.clamp(next)
	return next, gain
}

// step stores d(λ).
func (q *proximal) step(dst, lambda []float64) {
	copy(dst, q.u)
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

package pareto

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// checkFeasible asks Feasible about the samples that it was not asked about before.
func (t *tracer) checkFeasible(samples []*sample) {
	var open []*sample
	for _, s := range samples {
		if s == nil || !math.IsNaN(s.violation) {
			continue
		}
		s.violation = 0
		if t.o.Feasible != nil {
			open = append(open, s)
		}
	}
	t.each(len(open), func(i int) {
		if v := t.o.Feasible(open[i].x); math.IsNaN(v) {
			open[i].violation = math.Inf(1)
		} else {
			open[i].violation = v
		}
	})
	t.checked = append(t.checked, open...)
}

// checkSeeds asks Feasible about the whole seed, once it is known that it matters.
func (t *tracer) checkSeeds() {
	if !t.seedsChecked {
		t.seedsChecked = true
		t.checkFeasible(t.samples[:t.seeds])
	}
}

// checkEnds asks Feasible where directions stand. Those that stand on infeasible samples are constrained from now
// on and start again from feasible ones; it says whether there were any.
func (t *tracer) checkEnds() bool {
	var stand []*sample
	for _, g := range t.directions {
		if g.at != nil {
			stand = append(stand, g.at)
		}
	}
	t.checkFeasible(stand)
	var back []*direction
	for _, g := range t.directions {
		if g.at != nil && g.at.infeasible() {
			g.constrained = true
			back = append(back, g)
		}
	}
	if len(back) == 0 {
		return false
	}
	t.checkSeeds()
	t.assign(back)
	return true
}

// checkGains asks Feasible about the steps of constrained directions that gain something.
func (t *tracer) checkGains(moving []*direction, steps []*sample) {
	var gaining []*sample
	for i, g := range moving {
		if s := steps[i]; g.constrained && s != nil && chebyshev(g.w, s) < chebyshev(g.w, g.at) {
			gaining = append(gaining, s)
		}
	}
	t.checkFeasible(gaining)
}

// correct replaces the steps of constrained directions that ended infeasible by points down the constraint's
// gradient, back to where it is 0 and a tenth farther: along a curved boundary no step would be possible
// otherwise. It returns the new samples.
func (t *tracer) correct(moving []*direction, steps []*sample) []*sample {
	var us [][]float64
	var of []int
	for i, g := range moving {
		s := steps[i]
		if s == nil || !s.infeasible() || math.IsInf(s.violation, 1) || g.gradient == nil {
			continue
		}
		u, back := slices.Clone(s.u), 1.1*s.violation/dot(g.gradient, g.gradient)
		for j, v := range g.gradient {
			u[j] -= back * v
		}
		t.dom.clamp(u)
		us, of = append(us, u), append(of, i)
	}
	samples := t.evaluate(us, true)
	for k, i := range of {
		steps[i] = samples[k]
	}
	return samples
}

// nearBoundary says whether s or any of the three checked samples nearest to it is infeasible.
func (t *tracer) nearBoundary(s *sample) bool {
	if s.infeasible() {
		return true
	}
	for _, n := range t.nearestChecked(s, 3) {
		if n.sample.infeasible() {
			return true
		}
	}
	return false
}

// likelyFeasible guesses from the nearest checked sample whether s is feasible; true as long as no direction has
// ended infeasible.
func (t *tracer) likelyFeasible(s *sample) bool {
	if !t.seedsChecked || !math.IsNaN(s.violation) {
		return !s.infeasible()
	}
	near := t.nearestChecked(s, 1)
	return len(near) == 0 || near[0].sample.feasible()
}

// neighbour is a sample and its squared distance.
type neighbour struct {
	sample *sample
	dist2  float64
}

// keepNearest inserts q into the n nearest, which are in ascending order of distance.
func keepNearest(near []neighbour, q neighbour, n int) []neighbour {
	if len(near) == n && near[n-1].dist2 <= q.dist2 {
		return near
	}
	at := len(near)
	near = append(near, neighbour{})
	for ; at > 0 && near[at-1].dist2 > q.dist2; at-- {
		near[at] = near[at-1]
	}
	near[at] = q
	return near[:min(len(near), n)]
}

// nearestChecked returns the n samples nearest to s in unit coordinates, other than itself, that Feasible gave a
// finite value.
func (t *tracer) nearestChecked(s *sample, n int) []neighbour {
	out := make([]neighbour, 0, n+1)
	for _, q := range t.checked {
		if dist2 := squared(q.u, s.u); dist2 > 0 && !math.IsInf(q.violation, 0) {
			out = keepNearest(out, neighbour{q, dist2}, n)
		}
	}
	return out
}

// constraintGradient estimates the gradient of Feasible at s by weighted least squares on its values at the 2d+2
// nearest checked samples, the nearer the heavier, with a small ridge; nil where too little is known. O(d³).
func (t *tracer) constraintGradient(s *sample) []float64 {
	d := t.d
	around := t.nearestChecked(s, 2*d+2)
	if len(around) < 2 {
		return nil
	}
	normal, right := mat.NewSymDense(d, nil), mat.NewVecDense(d, nil)
	step := make([]float64, d)
	for _, n := range around {
		for j, v := range n.sample.u {
			step[j] = v - s.u[j]
		}
		w := 1 / (n.dist2 * (n.dist2 + 0.1*around[len(around)-1].dist2))
		normal.SymRankOne(normal, w, mat.NewVecDense(d, step))
		for j, v := range step {
			right.SetVec(j, right.AtVec(j)+w*v*(n.sample.violation-s.violation))
		}
	}
	trace := 0.0
	for j := range d {
		trace += normal.At(j, j)
	}
	for j := range d {
		normal.SetSym(j, j, normal.At(j, j)+1e-3*trace/float64(d))
	}
	var c mat.Cholesky
	var slope mat.VecDense
	if !c.Factorize(normal) || c.SolveVecTo(&slope, right) != nil || !finite(slope.RawVector().Data) {
		return nil
	}
	return slope.RawVector().Data
}

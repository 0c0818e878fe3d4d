package pareto

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// survey asks Feasible about the whole sample, once it is known that it matters.
func (t *tracer) survey() {
	if !t.surveyed {
		t.surveyed = true
		t.judge(t.sites[:t.sown])
	}
}

// nearBoundary says whether any of the sites judged nearest to s is outside.
func (t *tracer) nearBoundary(s *site) bool {
	if s.outside() {
		return true
	}
	for _, n := range t.nearestJudged(s, 3) {
		if n.site.outside() {
			return true
		}
	}
	return false
}

// likelyInside guesses from the site judged nearest, where it matters.
func (t *tracer) likelyInside(s *site) bool {
	if !t.surveyed || !math.IsNaN(s.doubt) {
		return !s.outside()
	}
	near := t.nearestJudged(s, 1)
	return len(near) == 0 || near[0].site.inside()
}

// neighbour is a site and its squared distance.
type neighbour struct {
	site *site
	far  float64
}

// keepNearest enters a neighbour among the n nearest, which are in order.
func keepNearest(near []neighbour, q neighbour, n int) []neighbour {
	if len(near) == n && near[n-1].far <= q.far {
		return near
	}
	at := len(near)
	near = append(near, neighbour{})
	for ; at > 0 && near[at-1].far > q.far; at-- {
		near[at] = near[at-1]
	}
	near[at] = q
	return near[:min(len(near), n)]
}

// nearestJudged returns the n sites nearest to s, other than itself, that Feasible was asked about.
func (t *tracer) nearestJudged(s *site, n int) []neighbour {
	out := make([]neighbour, 0, n+1)
	for _, q := range t.judged {
		if far := squared(q.u, s.u); far > 0 && !math.IsInf(q.doubt, 0) {
			out = keepNearest(out, neighbour{q, far}, n)
		}
	}
	return out
}

// incline is the slope of Feasible at a site, by least squares through what was asked nearby, the nearer
// the heavier; nil where too little is known.
func (t *tracer) incline(s *site) []float64 {
	d := t.d
	around := t.nearestJudged(s, 2*d+2)
	if len(around) < 2 {
		return nil
	}
	normal, right := mat.NewSymDense(d, nil), mat.NewVecDense(d, nil)
	step := make([]float64, d)
	for _, n := range around {
		for j, v := range n.site.u {
			step[j] = v - s.u[j]
		}
		w := 1 / (n.far * (n.far + 0.1*around[len(around)-1].far))
		normal.SymRankOne(normal, w, mat.NewVecDense(d, step))
		for j, v := range step {
			right.SetVec(j, right.AtVec(j)+w*v*(n.site.doubt-s.doubt))
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

package search

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"parfait/surrogate"
)

// Line is what was measured on the straight line between two models: both alone at its ends, and every
// finished point in between, whatever strategy asked for it.
type Line struct {
	A, B   string
	Points []LinePoint // ascending
}

// LinePoint is a finished point on a line.
type LinePoint struct {
	At float64 // how far from A to B, from 0 to 1
	Point
}

// Lines returns the lines between every two models, in the order in which the strategy barrier asks for
// them, with those that nothing was measured on. It takes time proportional to pairs × points × coefficients.
// *Error with BadQuestion where the question makes no sense.
func Lines(q Question) ([]Line, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	r, units := newRegion(q.Space), q.Space.units()
	var out []Line
	for i := range units {
		for j := range i {
			l := Line{A: units[j].name, B: units[i].name}
			for _, p := range q.Done {
				t, on := q.Space.onLine(p.X, r, units, j, i)
				switch {
				case !on || t < -sameGap || t > 1+sameGap:
					continue
				case t < sameGap:
					t = 0
				case t > 1-sameGap:
					t = 1
				}
				l.put(LinePoint{t, p})
			}
			slices.SortFunc(l.Points, func(a, b LinePoint) int { return cmp.Compare(a.At, b.At) })
			out = append(out, l)
		}
	}
	return out, nil
}

// put adds a place. Of several at one point the first counts that did not fail.
func (l *Line) put(p LinePoint) {
	k := slices.IndexFunc(l.Points, func(o LinePoint) bool { return math.Abs(o.At-p.At) < sameGap })
	switch {
	case k < 0:
		l.Points = append(l.Points, p)
	case l.Points[k].Failed && !p.Failed:
		l.Points[k] = p
	}
}

// Barrier is what stands between two models, on one task.
type Barrier struct {
	A, B   string // the models
	Task   string
	Height float64 // how far the metric falls below the line between its values at both ends, at the worst point; 0: nowhere
	Stderr float64 // of the height; 0: not known, as it is where that of a measurement it is made of is not
	At     float64 // how far from A to B that is
	// P is the probability that noise alone makes a point of this line fall so many standard errors, of as many as were
	// measured: 1 where nothing falls or Stderr is not known.
	P float64
}

// Barrier is the barrier on one task of the question; ok is false where an end, or everything in between, was not
// measured. The worst point is that which falls most standard errors, where all are known: of several the one that noise
// explains least.
func (l Line) Barrier(task int, t Task) (b Barrier, ok bool) {
	b = Barrier{A: l.A, B: l.B, Task: t.Name, P: 1}
	measured := func(p LinePoint) bool { return !p.Failed && task < len(p.Y) && !math.IsNaN(p.Y[task].Value) }
	n := len(l.Points)
	if n < 3 {
		return b, false
	}
	from, to := l.Points[0], l.Points[n-1]
	if from.At != 0 || to.At != 1 || !measured(from) || !measured(to) {
		return b, false
	}
	var at []LinePoint // both ends and what was measured between them
	for _, p := range l.Points {
		if measured(p) {
			at = append(at, p)
		}
	}
	n = len(at)
	stderrs := noiseOnLine(at, task, t)
	worst, known := 0.0, stderrs != nil
	for i, p := range at[1 : n-1] {
		fall := from.Y[task].Value + float64(p.At*(to.Y[task].Value-from.Y[task].Value)) - p.Y[task].Value
		if !t.Maximize {
			fall = -fall
		}
		far, stderr := fall, 0.0
		if known {
			stderr = stderrOff(p.At, stderrs[0], stderrs[n-1], stderrs[i+1])
			far /= stderr
		}
		if far > worst {
			worst, b.Height, b.At, b.Stderr = far, fall, p.At, stderr
		}
	}
	if known && worst > 0 {
		b.P = chance(at, stderrs, worst)
	}
	return b, n > 2
}

// noiseOnLine are the standard errors that points of a line have where there is no barrier: of rates of so many items those at
// the rates of the straight line that fits them all best, since a reading that is low by luck has too small a one itself (the
// score test; Agresti, Categorical data analysis, section 1.3); of others their own. nil where one is not known.
func noiseOnLine(at []LinePoint, task int, t Task) []float64 {
	xs, ys, out := make([]float64, len(at)), make([]float64, len(at)), make([]float64, len(at))
	rates := t.Link == surrogate.Logit
	for i, p := range at {
		m := p.Y[task]
		xs[i], ys[i], out[i] = p.At, m.Value, m.Stderr
		rates = rates && m.N > 0
	}
	if rates {
		a, b := stat.LinearRegression(xs, ys, nil, false)
		for i, p := range at {
			n := float64(p.Y[task].N)
			rate := min(max(a+float64(b*xs[i]), 0.5/n), 1-0.5/n)
			out[i] = math.Sqrt(rate * (1 - rate) / n)
		}
	}
	if slices.ContainsFunc(out, func(v float64) bool { return !(v > 0) }) {
		return nil
	}
	return out
}

// nodes is of how many values each end's noise is taken: twice as many change P by less than 1e-3.
const nodes = 16

// chance is the probability that of points between two ends, on whose measurements all depend, one falls z standard errors
// by noise: points are independent where the noise of the ends is given, over which it is integrated (Gauss–Hermite).
func chance(points []LinePoint, stderrs []float64, z float64) float64 {
	at, weight := make([]float64, nodes), make([]float64, nodes)
	quad.Hermite{}.FixedLocations(at, weight, math.Inf(-1), math.Inf(1))
	n := len(points)
	none := 0.0
	for i, a := range at {
		for j, b := range at {
			p := weight[i] * weight[j] / math.Pi
			for k, m := range points[1 : n-1] {
				ends := math.Sqrt2 * ((1-m.At)*stderrs[0]*a + m.At*stderrs[n-1]*b)
				p *= distuv.UnitNormal.CDF((z*stderrOff(m.At, stderrs[0], stderrs[n-1], stderrs[k+1]) - ends) / stderrs[k+1])
			}
			none += p
		}
	}
	return min(max(1-none, 0), 1)
}

// stderrOff is the standard error of how far a measurement lies off the straight line between two others, of which it is at.
func stderrOff(at, from, to, between float64) float64 {
	return math.Hypot(between, math.Hypot((1-at)*from, at*to))
}

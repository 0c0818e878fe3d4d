package search

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
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
	var between []LinePoint
	known := true
	for _, p := range l.Points[1 : n-1] {
		if measured(p) {
			between = append(between, p)
			known = known && stderrOff(p.At, from.Y[task].Stderr, to.Y[task].Stderr, p.Y[task].Stderr) > 0
		}
	}
	worst := 0.0
	for _, p := range between {
		fall := from.Y[task].Value + float64(p.At*(to.Y[task].Value-from.Y[task].Value)) - p.Y[task].Value
		if !t.Maximize {
			fall = -fall
		}
		stderr := stderrOff(p.At, from.Y[task].Stderr, to.Y[task].Stderr, p.Y[task].Stderr)
		far := fall
		if known {
			far /= stderr
		}
		if far > worst {
			worst, b.Height, b.At, b.Stderr = far, fall, p.At, stderr
		}
	}
	if known && worst > 0 {
		b.P = l.chance(task, from, to, between, worst)
	}
	return b, len(between) > 0
}

// nodes is of how many values each end's noise is taken: twice as many change P by less than 1e-3.
const nodes = 16

// chance is the probability that of points between two ends, on whose measurements all depend, one falls z standard errors
// by noise: points are independent where the noise of the ends is given, over which it is integrated (Gauss–Hermite).
func (l Line) chance(task int, from, to LinePoint, between []LinePoint, z float64) float64 {
	at, weight := make([]float64, nodes), make([]float64, nodes)
	quad.Hermite{}.FixedLocations(at, weight, math.Inf(-1), math.Inf(1))
	none := 0.0
	for i, a := range at {
		for j, b := range at {
			p := weight[i] * weight[j] / math.Pi
			for _, m := range between {
				ends := math.Sqrt2 * ((1-m.At)*from.Y[task].Stderr*a + m.At*to.Y[task].Stderr*b)
				p *= distuv.UnitNormal.CDF((z*stderrOff(m.At, from.Y[task].Stderr, to.Y[task].Stderr, m.Y[task].Stderr) - ends) / m.Y[task].Stderr)
			}
			none += p
		}
	}
	return min(max(1-none, 0), 1)
}

// stderrOff is the standard error of how far a measurement lies off the straight line between two others, of which
// it is at: 0, not known, where one of theirs is not.
func stderrOff(at, from, to, between float64) float64 {
	if !(from > 0 && to > 0 && between > 0) {
		return 0
	}
	return math.Hypot(between, math.Hypot((1-at)*from, at*to))
}

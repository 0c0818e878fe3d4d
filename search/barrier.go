package search

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// barrier measures whether models can be merged at all: for every two of them, evenly spaced points on the
// straight line between the weights of the one and of the other (linear mode connectivity: Frankle et al.,
// arXiv 1912.05671). Where the metric stays up all along the line, both lie in one basin; where it falls
// into a hole, no coefficient of any method will help. Parameters of the method stay in the middle.
type barrier struct {
	points int // a line, with both ends
}

// linePoints is how many points a line has where nobody says.
const linePoints = 5

func newBarrier(options map[string]any) (Strategy, error) {
	o := settings{given: options}
	b := barrier{points: o.whole("points", linePoints, 3)}
	return b, o.err("barrier")
}

// Ask implements Strategy.
func (b barrier) Ask(_ context.Context, q Question) (Proposal, error) {
	if err := q.check(); err != nil {
		return Proposal{}, err
	}
	r, units := newRegion(q.Space), q.Space.ingredients()
	if len(units) < 2 {
		return Proposal{}, fail(BadQuestion, "barrier looks between models, and the coefficients scale %d: give at least two models, or choose another strategy", len(units))
	}
	n, spent := q.wanted()
	if n == 0 {
		return Proposal{Stop: spent}, nil
	}
	var out Proposal
	put := func(x []float64, why string) {
		_, how := q.recall(x)
		if how == unasked && len(out.X) < n && !slices.ContainsFunc(out.X, func(y []float64) bool { return q.Space.same(x, y) }) {
			out.X, out.Why = append(out.X, x), append(out.Why, why)
		}
	}
	for k, u := range units { // the ends first, as every line has two of them
		put(r.between(units, k, k, 0), u.name+" alone")
	}
	for i := range units {
		for j := range i {
			for k := 1; k < b.points-1; k++ {
				t := float64(k) / float64(b.points-1)
				put(r.between(units, j, i, t), fmt.Sprintf("%.3g of the way from %s to %s", t, units[j].name, units[i].name))
			}
		}
	}
	if len(out.X) == 0 {
		out.Stop = fmt.Sprintf("%d points between every two of %d models have been asked for", b.points, len(units))
	}
	return out, nil
}

// between is the point t of the way from unit i alone to unit j alone.
func (r *region) between(units []unit, i, j int, t float64) []float64 {
	weights := make([]float64, len(units))
	weights[i] += 1 - t
	weights[j] += t
	return r.blend(units, weights)
}

// onLine says how far x is from unit i alone to unit j alone, and whether it is on that line.
func (s Space) onLine(x []float64, r *region, units []unit, i, j int) (t float64, on bool) {
	a, b := r.between(units, i, j, 0), r.between(units, i, j, 1)
	up, length := 0.0, 0.0
	for k := range x {
		up += float64((x[k] - a[k]) * (b[k] - a[k]))
		length += float64((b[k] - a[k]) * (b[k] - a[k]))
	}
	if length == 0 {
		return 0, false
	}
	t = up / length
	for k := range x {
		if math.Abs(x[k]-a[k]-float64(t*(b[k]-a[k]))) > sameGap {
			return t, false
		}
	}
	return t, true
}

package search

import (
	"context"
	"fmt"
)

var barrierEntry = entry{
	Info: Info{
		Name:    "barrier",
		Line:    "can they be merged at all: points on the straight line between every two models",
		Paper:   "linear mode connectivity, Frankle et al. 2020 (arXiv 1912.05671)",
		Models:  2,
		Ends:    "every line has its points",
		Options: []Option{{"points", linePoints, "points a line, with both ends"}},
	},
	build: func(o *settings) Strategy { return barrier{points: o.whole("points", linePoints, 3)} },
}

// barrier measures whether models can be merged at all: for every two of them, evenly spaced points on the
// straight line between the weights of the one and of the other (linear mode connectivity: Frankle et al.,
// arXiv 1912.05671). Where the metric stays up all along the line, both lie in one basin; where it falls
// into a hole, no coefficient of any method will help. Parameters of the method stay in the middle.
type barrier struct {
	points int // a line, with both ends
}

// linePoints is how many points a line has where nobody says.
const linePoints = 5

// Ask implements Strategy.
func (b barrier) Ask(_ context.Context, q Question) (Proposal, error) {
	r, units := newRegion(q.Space), q.Space.units()
	need := needs{Question: &q}
	for k, u := range units { // the ends first, as every line has two of them
		need.put(r.between(units, k, k, 0), q.Space.beside(u.name+" alone"))
	}
	for i := range units {
		for j := range i {
			for k := 1; k < b.points-1; k++ {
				t := float64(k) / float64(b.points-1)
				need.put(r.between(units, j, i, t), fmt.Sprintf("%.3g of the way from %s to %s", t, units[j].name, units[i].name))
			}
		}
	}
	if len(need.points) == 0 {
		return Proposal{Stop: fmt.Sprintf("%d points between every two of %d models have been asked for", b.points, len(units))}, nil
	}
	return need.first(), nil
}

// between is the point t of the way from unit i alone to unit j alone.
func (r *region) between(units []unit, i, j int, t float64) []float64 {
	weights := make([]float64, len(units))
	weights[i] += 1 - t
	weights[j] += t
	return r.blend(units, weights)
}

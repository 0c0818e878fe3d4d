package search

import (
	"context"
	"fmt"
)

var bayesianEntry = entry{
	Info: Info{
		Name:    "bayesian",
		Line:    "Bayesian MAP: an even start, then batches in the directions where the surrogates were wrong",
		Paper:   "Bayesian MAP, Li et al. 2024 (arXiv 2406.07529)",
		Options: []Option{startOption},
	},
	build: func(o *settings) Strategy { return bayesian{start: o.whole("start", 0, 0)} },
}

// bayesian is Bayesian MAP (Li et al., arXiv 2406.07529): after an even start, each batch goes where the
// surrogates were wrong. The direction of the coefficients from the base, in hyperspherical angles, is cut
// into cells; a cell's score is the mean plus half the standard deviation of the leave-one-out residuals
// of its points, in units of each task's range; cells are drawn by the softmax of their scores, points
// evenly within them. The angles are cut so that there are at most about 128 cells, so that it can be used
// above six models; a cell without points scores as all points together.
type bayesian struct{ start int }

const (
	directionPool = 4000 // points from which those of a cell are drawn
	maxCells      = 128
)

// Ask implements Strategy.
func (b bayesian) Ask(ctx context.Context, q Question) (Proposal, error) {
	if q.starting(b.start) {
		return even(ctx, &q)
	}
	l, err := Fit(ctx, q)
	if err != nil {
		return Proposal{}, err
	}
	c := newCells(newRegion(q.Space))
	scores := l.scores(c, q.Done)
	rng := generator(q.Seed, uint64(q.Asked)+1)
	members := map[string][][]float64{}
	var keys []string
	for _, x := range c.region.whole().spread(directionPool, q.Seed+uint64(q.Batch)+1) {
		k := c.key(x)
		if members[k] == nil {
			keys = append(keys, k)
		}
		members[k] = append(members[k], x)
	}
	weights := softmax(keys, scores)
	taken := q.taken()
	var out Proposal
	for tries := 0; len(out.Points) < q.N && tries < 1000; tries++ {
		u, at := rng.Float64(), 0
		for at < len(keys)-1 && u > weights[at] {
			u -= weights[at]
			at++
		}
		cell := members[keys[at]]
		x := q.Space.tidy(cell[rng.IntN(len(cell))])
		if q.Space.known(x, taken) {
			continue
		}
		taken = append(taken, x)
		why := fmt.Sprintf("in a direction where the surrogates were off by %.0f %% of the range", 100*scores.of(keys[at]))
		out.Points = append(out.Points, Proposed{X: x, Why: why})
	}
	if len(out.Points) == 0 {
		return q.exhausted(allKnown), nil
	}
	return out, nil
}

package search

import (
	"context"
	"math"
)

var adaptiveEntry = entry{
	Info: Info{
		Name:  "adaptive",
		Line:  "the default: a short start as design, then batches where the predicted front is least certain",
		Paper: "uncertainty sampling on the front: Zuluaga, Krause and Püschel 2016 (ε-PAL); batches: Ginsbourger, Le Riche and Carraro 2010",
		Options: []Option{
			startOption,
			{"explore", 0.0, "share of each batch that goes where the whole region, not the front, is least certain"},
			enoughOption,
		},
	},
	build: func(o *settings) Strategy {
		return adaptive{start: o.whole("start", 0, 0), explore: o.share("explore", 0), enough: o.share("enough", 0)}
	},
}

// adaptive starts as a design and then measures where the predicted front is least certain: of the points
// of that front that hold its hypervolume together, the one with the largest sum over tasks of the
// standard deviation, in units of the measured range; entered at its prediction, it makes its neighbours
// surer, and the next is taken. Uncertainty sampling on a predicted front as in Zuluaga, Krause and Püschel
// (ε-PAL, 2016), in batches by the kriging believer of Ginsbourger, Le Riche and Carraro (2010).
type adaptive struct {
	start   int     // points of the start; 0: as many as the space needs
	explore float64 // share of each batch that goes where the whole region is least certain
	enough  float64 // gain of a batch below which there is no more to ask, as a share of the hypervolume
}

const (
	directionsATask = 100   // directions in which the predicted front is looked for
	probeCount      = 10000 // by which its points are chosen
	frontSize       = 40    // points of it among which to choose
	maxStart        = 40    // points of a start, however many coefficients there are
)

// Ask implements Strategy.
func (a adaptive) Ask(ctx context.Context, q Question) (Proposal, error) {
	l, p, err := begin(ctx, &q, a.start)
	if l == nil {
		return p, err
	}
	c, err := l.candidates(ctx, &q)
	if err != nil {
		return Proposal{}, err
	}
	if len(l.goals) == 1 {
		return improve(ctx, l, &q, c, a.enough)
	}
	joint, err := l.newPosterior(ctx, c.xs, q.Pending)
	if err != nil {
		return Proposal{}, err
	}
	var batch []Proposed
	explored := 0
	for k := range q.N {
		lo, hi, where := 0, c.front, "on the predicted front"
		if c.front == 0 || a.explores(&q, k) {
			lo, hi, where = c.front, len(c.xs), "in the whole region"
			explored++
		}
		at := joint.mostUncertain(lo, hi)
		if at < 0 {
			break
		}
		batch = append(batch, Proposed{X: c.xs[at], Why: joint.why(at, where)})
		joint.condition(at)
	}
	enough := a.enough
	if explored == len(batch) && a.explore < 1 {
		enough = 0 // what only explores is not there to gain
	}
	return finish(ctx, l, &q, c, batch, enough)
}

// explores says whether point k goes where the whole region is least certain: its share of each batch, and, where
// points are asked for one by one, of all.
func (a adaptive) explores(q *Question, k int) bool {
	if q.N == 1 {
		k = q.Asked
	}
	return math.Floor(a.explore*float64(k+1)) > math.Floor(a.explore*float64(k))
}

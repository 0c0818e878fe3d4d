package search

import (
	"context"
	"math"

	"parfait/parallel"
	"parfait/pareto"
)

var adaptiveEntry = entry{
	Info: Info{
		Name:  "adaptive",
		Line:  "the default: a short start that looks, then by turns where the predicted front is least certain and where most is expected above the uniform average and the base",
		Paper: "uncertainty sampling on the front: Zuluaga, Krause and Püschel 2016 (ε-PAL); above what is to be beaten: ehvi; batches: Ginsbourger, Le Riche and Carraro 2010",
		Looks: true,
		Options: []Option{
			startOption,
			{"explore", 0.0, "share of the points that goes where the whole region, not the front, is least certain"},
			enoughOption,
		},
	},
	build: func(o *settings) Strategy {
		return adaptive{start: o.whole("start", 0, 0), explore: o.share("explore", 0), enough: o.share("enough", 0)}
	},
}

// adaptive starts with a look (open) and then measures, by turns, where the predicted front is least certain and where
// most is expected to be gained over the uniform average and over the base. The first is of the points of that front
// that hold its hypervolume together the one with the largest sum over tasks of the standard deviation, in units of the
// measured range (uncertainty sampling on a predicted front as in Zuluaga, Krause and Püschel, ε-PAL, 2016): it learns
// the whole front, whose volume is nearly all in merges that give up some task, and measures hardly a merge that
// anybody ships. The second is the expected improvement of the hypervolume above these (Emmerich, Giannakoglou and
// Naujoks 2006). Entered at its prediction a point makes its neighbours surer, and the next is taken: batches by the
// kriging believer of Ginsbourger, Le Riche and Carraro (2010).
type adaptive struct {
	start   int     // points of the start; 0: as many as the space needs
	explore float64 // share of the points that goes where the whole region is least certain
	enough  float64 // gain of a batch below which there is no more to ask, as a share of the hypervolume
}

const (
	directionsATask = 100   // directions in which the predicted front is looked for
	maxDirections   = 1000  // however many tasks there are
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
	c, err := l.candidates(ctx, &q, a.explore > 0 || len(l.goals) == 1)
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
	known, within := l.keptGoals(&q), l.asPredicted()
	var batch []Proposed
	explored := 0
	for k := range q.N {
		at, why, turn := -1, "", q.Asked+k
		explores := c.front == 0 || a.explores(turn)
		if !explores && turn%2 == 1 && len(c.beat) > 0 {
			if at, why, err = l.surpass(ctx, c, joint, known, c.beat[turn/2%len(c.beat)]); err != nil {
				return Proposal{}, err
			}
		}
		if at < 0 {
			lo, hi, where := 0, c.own, "on the predicted front"
			if explores {
				lo, hi, where = len(c.fs), len(c.xs), "in the whole region"
				explored++
			}
			if at = joint.mostUncertain(lo, hi); at < 0 {
				break
			}
			why = joint.why(at, where)
		}
		batch = append(batch, Proposed{X: c.xs[at], Why: why})
		joint.condition(at)
		if at < len(c.fs) && within.missing(c.xs[at]) <= 0 {
			known = append(known, c.fs[at])
		}
	}
	enough := a.enough
	if explored == len(batch) && a.explore < 1 {
		enough = 0 // what only explores is not there to gain
	}
	return finish(ctx, l, &q, c, batch, enough)
}

// explores says whether a point goes where the whole region is least certain: its share of them all.
func (a adaptive) explores(turn int) bool {
	return math.Floor(a.explore*float64(turn+1)) > math.Floor(a.explore*float64(turn))
}

// surpass returns the point on or near the predicted front that is expected to add most hypervolume to what is known above a
// target, by the probability that it keeps the floors; −1 where none adds any. The error is that of ctx.
func (l *Landscape) surpass(ctx context.Context, c *candidates, joint *posterior, known [][]float64, t target) (at int, why string, err error) {
	front := pareto.NewImprovement(known, t.ref)
	gains := make([]float64, len(c.fs))
	if err := parallel.For(ctx, 0, len(gains), func(i int) {
		if gains[i] = l.keeping(joint, i); gains[i] > 0 {
			gains[i] *= l.improvement(front, c.fs[i], joint, i)
		}
	}); err != nil {
		return -1, "", err
	}
	at = -1
	for i, g := range gains {
		if g > 0 && !joint.used[i] && (at < 0 || g > gains[at]) {
			at = i
		}
	}
	return at, "expected to add most to what was measured above " + t.name, nil
}

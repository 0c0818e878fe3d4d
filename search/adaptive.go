package search

import (
	"context"
	"fmt"
	"math"
	"slices"
)

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

func newAdaptive(options map[string]any) (Strategy, error) {
	o := settings{given: options}
	a := adaptive{start: o.whole("start", 0, 0), explore: o.share("explore", 0), enough: o.share("enough", 0)}
	return a, o.err("adaptive")
}

const (
	raysATask  = 100   // rays that look for the predicted front
	probeCount = 10000 // by which its points are chosen
	frontSize  = 40    // points of it among which to choose
	mostStart  = 40    // points of a start, however many coefficients there are
)

// startSize is 8 points for 2 coefficients, 12 for 4 to 8, from there on as many as a Gaussian process wants, and
// never more than two thirds of a budget. Adaptive points are worth more than those of a larger start: with eight
// models 95 % of what can be had takes 62 evaluations after 20 points and 56 after 12; with six it is the same
// (bench/search).
func startSize(q *Question, wanted int) int {
	n := wanted
	if n == 0 {
		d := len(q.Space.Coefficients)
		n = min(2*d+4, max(12, d+4), mostStart)
	}
	if q.Budget > 0 {
		n = min(n, q.Budget*2/3)
	}
	return n
}

// Ask implements Strategy.
func (a adaptive) Ask(ctx context.Context, q Question) (Proposal, error) {
	l, n, p, err := begin(ctx, &q, a.start)
	if l == nil {
		return p, err
	}
	c, err := l.candidates(ctx, &q)
	if err != nil {
		return Proposal{}, err
	}
	if len(l.goals) == 1 {
		return improve(ctx, l, &q, c, n, a.enough)
	}
	b := l.newBelief(c.xs, q.Pending)
	var batch []proposed
	explored := 0
	for k := range n {
		lo, hi, where := 0, c.front, "on the predicted front"
		if c.front == 0 || float64(explored+1) <= a.explore*float64(k+1) {
			lo, hi, where = c.front, len(c.xs), "in the whole region"
			explored++
		}
		at := b.darkest(lo, hi)
		if at < 0 {
			break
		}
		batch = append(batch, proposed{c.xs[at], b.why(at, where)})
		b.measure(at)
	}
	return finish(ctx, l, &q, c, batch, n, a.enough)
}

// begin answers what every strategy with surrogates answers alike: bad questions, spent budgets and the
// start. Where it returns a landscape, n points are to be asked for; else the proposal and the error are
// the answer.
func begin(ctx context.Context, q *Question, start int) (l *Landscape, n int, p Proposal, err error) {
	if err := q.check(); err != nil {
		return nil, 0, Proposal{}, err
	}
	n, spent := q.wanted()
	if n == 0 {
		return nil, 0, Proposal{Stop: spent}, nil
	}
	if len(q.Done)+len(q.Pending) < startSize(q, start) || !q.measured() {
		p, err := extend(ctx, *q, n)
		return nil, 0, p, err
	}
	l, err = FitAs(ctx, q.Surrogate, q.Space, q.Tasks, q.Done)
	return l, n, Proposal{}, err
}

// measured says whether every task was measured somewhere.
func (q *Question) measured() bool {
	for i := range q.Tasks {
		if !slices.ContainsFunc(q.Done, func(p Point) bool { return !p.Failed && !math.IsNaN(p.Y[i].Value) }) {
			return false
		}
	}
	return len(q.Tasks) > 0
}

// candidates are points that may be asked for: first those of the predicted front, then a spread over the
// whole region; all where measuring may be expected to succeed.
type candidates struct {
	xs    [][]float64
	front int         // how many are of the front
	fs    [][]float64 // of the front: predicted objectives, minimised
	ref   []float64
}

func (l *Landscape) candidates(ctx context.Context, q *Question) (*candidates, error) {
	c := &candidates{}
	if len(l.goals) > 0 {
		c.ref = l.ref
		xs, fs, err := l.rays(ctx, raysATask*len(l.goals), c.ref)
		if err != nil {
			return nil, err
		}
		for i, x := range xs {
			if xs[i] = l.retreat(x); len(l.failed) > 0 {
				l.objectives(fs[i], nil, xs[i])
			}
		}
		for _, i := range newVolume(fs, c.ref, probeCount).greedy(fs, frontSize, nil) {
			c.xs, c.fs = append(c.xs, xs[i]), append(c.fs, fs[i])
		}
		c.front = len(c.xs)
	}
	for _, x := range newRegion(q.Space).spread(300, q.Seed+uint64(len(q.Done))) {
		c.xs = append(c.xs, l.retreat(x))
	}
	return c, nil
}

// finish tidies a batch, fills it up from the design where it is short, and says what it is expected to
// gain.
func finish(ctx context.Context, l *Landscape, q *Question, c *candidates, batch []proposed, n int, enough float64) (Proposal, error) {
	var out Proposal
	taken := q.taken()
	for _, p := range batch {
		x := q.Space.tidy(p.x)
		if q.Space.known(x, taken) {
			continue
		}
		taken = append(taken, x)
		out.X, out.Why = append(out.X, x), append(out.Why, p.why)
	}
	if gain, ok := l.expectedGain(q, c, out.X); ok {
		out.Advice = fmt.Sprintf("the next %d trials are expected to add %s to the measured hypervolume", len(out.X), percent(gain))
		if gain < enough {
			return Proposal{Stop: fmt.Sprintf("%s, less than the %s that was said to be enough", out.Advice, percent(enough)), Advice: out.Advice}, nil
		}
	}
	if short := n - len(out.X); short > 0 {
		more := *q
		more.Pending = append(slices.Clone(q.Pending), out.X...)
		rest, err := extend(ctx, more, short)
		if err != nil {
			return Proposal{}, err
		}
		out.X, out.Why, out.Stop = append(out.X, rest.X...), append(out.Why, rest.Why...), rest.Stop
	}
	return out, nil
}

func percent(v float64) string {
	if v < 0.001 {
		return "less than 0.1 %"
	}
	return fmt.Sprintf("%.1f %%", 100*v)
}

package search

import (
	"context"
	"fmt"
	"slices"

	"parfait/parallel"
)

// startSize is 8 points for 2 coefficients, 12 for 4 to 8, from there on as many as a Gaussian process wants, and
// never more than two thirds of a budget. Adaptive points are worth more than those of a larger start: with eight
// models 95 % of what can be had takes 62 evaluations after 20 points and 56 after 12; with six it is the same
// (bench/search).
func startSize(q *Question, wanted int) int {
	n := wanted
	if n == 0 {
		d := len(q.Space.Coefficients)
		n = min(2*d+4, max(12, d+4), maxStart)
	}
	if q.Budget > 0 {
		n = min(n, q.Budget*2/3)
	}
	return n
}

// begin answers the start, which strategies with surrogates have in common, and what follows it where somebody looks.
// Where it returns a landscape, the start is over, and nobody does; else the proposal and the error are the answer.
func begin(ctx context.Context, q *Question, start int) (l *Landscape, p Proposal, err error) {
	if q.starting(start) {
		p, err = open(ctx, q, q.N)
		return nil, p, err
	}
	if l, err = Fit(ctx, *q); err != nil || q.Focus == nil {
		return l, Proposal{}, err
	}
	p, err = look(ctx, l, q)
	return nil, p, err
}

// starting says whether there is too little to fit, or less than the size that was wished for.
func (q *Question) starting(size int) bool {
	return len(q.Done)+len(q.Pending) < startSize(q, size) || !q.measured()
}

// candidates are points that may be asked for: first those of the predicted front within the floors, and where nothing is
// predicted to keep them what comes nearest, then their neighbours, then a spread over the whole region; all where
// measuring may be expected to succeed.
type candidates struct {
	xs    [][]float64
	fs    [][]float64 // of the front and its neighbours: predicted objectives, minimised
	front int         // how many are of the front
	own   int         // how many of these were chosen by the volume above ref, or come nearest to the floors
	ref   []float64
	beat  []target // what people want more than: the others of the front were chosen by the volume above these
}

// target is a merge that people want to be better than.
type target struct {
	name string
	ref  []float64 // somewhat below it, see below
}

// candidates has the spread only where it is wanted, or where there is no front.
func (l *Landscape) candidates(ctx context.Context, q *Question, spread bool) (*candidates, error) {
	c := &candidates{ref: l.ref}
	if len(l.goals) > 0 {
		if err := l.onFront(ctx, c); err != nil {
			return nil, err
		}
		near := l.nearby(q, c)
		fs := make([][]float64, len(near))
		err := parallel.For(ctx, 0, len(near), func(i int) {
			near[i] = l.retreat(near[i])
			fs[i] = l.at(near[i])
		})
		if err != nil {
			return nil, err
		}
		c.xs, c.fs = append(c.xs, near...), append(c.fs, fs...)
	}
	if spread || len(c.xs) == 0 {
		for _, x := range newRegion(q.Space).spread(300, q.Seed+uint64(len(q.Done))) {
			c.xs = append(c.xs, l.retreat(x))
		}
	}
	return c, nil
}

// onFront adds the points of the predicted front.
func (l *Landscape) onFront(ctx context.Context, c *candidates) error {
	inside, nearest, err := l.edge(ctx)
	if err != nil {
		return err
	}
	rays, err := inside.newChebyshev(ctx, inside.everywhere())
	if err != nil {
		return err
	}
	directions := min(directionsATask*len(l.goals), maxDirections)
	if err := rays.aim(directions, l.ref); err != nil {
		return err
	}
	if len(l.goals) > 1 {
		for _, p := range l.worthBeating() {
			t := target{p.Why, l.below(p.X, rays.ideal(), askedBelow)}
			if err := rays.aim(directions/2, t.ref); err != nil {
				return err
			}
			c.beat = append(c.beat, t)
		}
	}
	xs, fs := rays.ends()
	for i, x := range xs {
		if xs[i] = l.retreat(x); len(l.failed) > 0 {
			l.objectives(fs[i], nil, xs[i])
		}
	}
	chosen, err := mostVolume(ctx, fs, l.ref, probeCount, frontSize)
	if err != nil {
		return err
	}
	for _, x := range nearest {
		x = l.retreat(x)
		chosen, xs, fs = append(chosen, len(xs)), append(xs, x), append(fs, l.at(x))
	}
	c.own = len(chosen)
	for _, t := range c.beat {
		above, err := above(ctx, fs, t.ref, chosen)
		if err != nil {
			return err
		}
		for range frontSize / 2 {
			if i := above.best(); i >= 0 {
				above.take(i)
				chosen = append(chosen, i)
			}
		}
	}
	for _, i := range chosen {
		c.xs, c.fs = append(c.xs, xs[i]), append(c.fs, fs[i])
	}
	c.front = len(c.xs)
	return nil
}

// finish tidies a batch, fills it up from the design where it is short, and says what it is expected to
// gain.
func finish(ctx context.Context, l *Landscape, q *Question, c *candidates, batch []Proposed, enough float64) (Proposal, error) {
	var out Proposal
	var xs [][]float64
	taken := q.taken()
	for _, p := range batch {
		if p.X = q.Space.tidy(p.X); q.Space.known(p.X, taken) {
			continue
		}
		taken, xs = append(taken, p.X), append(xs, p.X)
		out.Points = append(out.Points, p)
	}
	gain, ok, err := l.expectedGain(ctx, q, c, xs)
	if err != nil {
		return Proposal{}, err
	}
	if ok {
		out.Advice = Advice{Text: fmt.Sprintf("expected to add %s to the measured hypervolume", percent(gain)), Gain: gain}
		if gain < enough {
			why := fmt.Sprintf("the next %d trials are %s, less than the %s that was said to be enough", len(xs), out.Advice.Text, percent(enough))
			return q.exhausted(why), nil
		}
	}
	short := q.N - len(out.Points)
	if short == 0 {
		return out, nil
	}
	more := *q
	more.Pending = slices.Concat(q.Pending, xs)
	rest, err := open(ctx, &more, short)
	if err != nil || len(out.Points) == 0 {
		return rest, err
	}
	out.Points = append(out.Points, rest.Points...)
	return out, nil
}

func percent(v float64) string {
	if v < 0.001 {
		return "less than 0.1 %"
	}
	return fmt.Sprintf("%.1f %%", 100*v)
}

// expectedGain is the expected growth of the measured front's hypervolume by a batch, as a share of it:
// joint draws of the batch, counted on probes. False where there is nothing to compare with.
func (l *Landscape) expectedGain(ctx context.Context, q *Question, c *candidates, batch [][]float64) (gain float64, ok bool, err error) {
	_, known := l.measuredGoals(q.Done)
	varies := slices.ContainsFunc(l.goals, func(g int) bool { return !l.fits[g].trust.Constant })
	if len(batch) == 0 || len(known) == 0 || !varies { // where nothing varies there is nothing but noise to be gained
		return 0, false, nil
	}
	for _, x := range q.Pending {
		known = append(known, l.at(x))
	}
	const draws = 32
	samples := l.draw(batch, draws)
	all := slices.Clone(known)
	for _, s := range samples {
		all = append(all, s...)
	}
	v, err := newMCHypervolume(ctx, all, c.ref, probeCount)
	if err != nil {
		return 0, false, err
	}
	before, after := 0.0, 0.0
	had := newDominanceIndex(known)
	for j, y := range v.probes {
		if err := ctx.Err(); err != nil {
			return 0, false, err
		}
		if had.dominated(y) {
			before += v.weights[j]
			continue
		}
		for _, s := range samples {
			if slices.ContainsFunc(s, func(f []float64) bool { return weaklyDominates(f, y) }) {
				after += v.weights[j]
			}
		}
	}
	if before == 0 {
		return 0, false, nil
	}
	return after / draws / before, true, nil
}

// draw returns joint draws of the objectives at some points, minimised: draws × points × objectives.
func (l *Landscape) draw(xs [][]float64, draws int) [][][]float64 {
	out := make([][][]float64, draws)
	for s := range out {
		out[s] = make([][]float64, len(xs))
		for i := range xs {
			out[s][i] = make([]float64, len(l.goals))
		}
	}
	rng := generator(1, 0x64726177)
	for k, g := range l.goals {
		values := l.fits[g].surrogate.Draws(xs, draws, 1, rng.NormFloat64)
		for s := range out {
			for i := range xs {
				out[s][i][k] = l.sign(g) * values.At(s, i)
			}
		}
	}
	return out
}

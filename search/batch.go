package search

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
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

// begin answers the start, which strategies with surrogates have in common. Where it returns a landscape, the
// start is over; else the proposal and the error are the answer.
func begin(ctx context.Context, q *Question, start int) (l *Landscape, p Proposal, err error) {
	if q.starting(start) {
		p, err = extend(ctx, q, q.N)
		return nil, p, err
	}
	l, err = Fit(ctx, *q)
	return l, Proposal{}, err
}

// starting says whether there is too little to fit, or less than the size that was wished for.
func (q *Question) starting(size int) bool {
	return len(q.Done)+len(q.Pending) < startSize(q, size) || !q.measured()
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
		xs, fs, err := l.chebyshevFront(ctx, directionsATask*len(l.goals), c.ref)
		if err != nil {
			return nil, err
		}
		for i, x := range xs {
			if xs[i] = l.retreat(x); len(l.failed) > 0 {
				l.objectives(fs[i], nil, xs[i])
			}
		}
		chosen, err := mostVolume(ctx, fs, c.ref, probeCount, frontSize, nil)
		if err != nil {
			return nil, err
		}
		for _, i := range chosen {
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
	rest, err := extend(ctx, &more, short)
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
	if len(batch) == 0 || len(known) == 0 || len(l.goals) == 0 {
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
	before, after := 0, 0
	had := newDominanceIndex(known)
	for _, y := range v.probes {
		if err := ctx.Err(); err != nil {
			return 0, false, err
		}
		if had.dominated(y) {
			before++
			continue
		}
		for _, s := range samples {
			if slices.ContainsFunc(s, func(f []float64) bool { return weaklyDominates(f, y) }) {
				after++
			}
		}
	}
	if before == 0 {
		return 0, false, nil
	}
	return float64(after) / draws / float64(before), true, nil
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
		mean, cov := l.fits[g].surrogate.Joint(xs)
		root := l.root(cov)
		for s := range out {
			e := mat.NewVecDense(len(xs), nil)
			for i := range xs {
				e.SetVec(i, rng.NormFloat64())
			}
			e.MulVec(root, e)
			for i := range xs {
				out[s][i][k] = l.sign(g) * (mean[i] + e.AtVec(i))
			}
		}
	}
	return out
}

// root is the lower Cholesky factor of a covariance, jittered until there is one; its diagonal alone where
// there is none.
func (l *Landscape) root(cov *mat.SymDense) mat.Matrix {
	n := cov.SymmetricDim()
	largest := believer
	for i := range n {
		largest = max(largest, cov.At(i, i))
	}
	for jitter := 1e-10; jitter < 1; jitter *= 100 {
		c := mat.NewSymDense(n, nil)
		c.CopySym(cov)
		for i := range n {
			c.SetSym(i, i, c.At(i, i)+jitter*largest)
		}
		var chol mat.Cholesky
		if chol.Factorize(c) {
			var lower mat.TriDense
			chol.LTo(&lower)
			return &lower
		}
	}
	diagonal := make([]float64, n)
	for i := range diagonal {
		diagonal[i] = math.Sqrt(max(cov.At(i, i), 0))
	}
	return mat.NewDiagDense(n, diagonal)
}

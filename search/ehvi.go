package search

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"parfait/parallel"
	"parfait/pareto"
)

var ehviEntry = entry{
	Info: Info{
		Name:    "ehvi",
		Line:    "batches where the measured front's hypervolume is expected to grow most",
		Paper:   "Emmerich, Giannakoglou and Naujoks 2006; exact for three tasks: Yang, Emmerich, Deutz and Bäck 2019",
		Looks:   true,
		Options: []Option{startOption, enoughOption},
	},
	build: func(o *settings) Strategy { return ehvi{start: o.whole("start", 0, 0), enough: o.share("enough", 0)} },
}

// ehvi measures where the hypervolume of the measured front is expected to grow most (Emmerich, Giannakoglou
// and Naujoks 2006): exactly for up to three tasks (Yang et al. 2019), by Monte Carlo above. Batches are
// filled by the kriging believer: what was asked for counts as measured at its prediction. Under floors the front is that
// of what keeps them, and what a point may add counts by the probability that it keeps them (Schonlau, Welch and Jones 1998).
type ehvi struct {
	start  int
	enough float64
}

// Ask implements Strategy.
func (e ehvi) Ask(ctx context.Context, q Question) (Proposal, error) {
	if len(q.goals()) == 0 {
		return adaptive{start: e.start, explore: 1}.Ask(ctx, q)
	}
	l, p, err := begin(ctx, &q, e.start)
	if l == nil {
		return p, err
	}
	c, err := l.candidates(ctx, &q, true)
	if err != nil {
		return Proposal{}, err
	}
	return improve(ctx, l, &q, c, e.enough)
}

const (
	nearbyCount = 200 // candidates in the neighbourhood of what looks good
	nearbyStep  = 0.08
	believer    = 1e-9 // variance below which a prediction is certain
)

// improve fills a batch with the candidates of the largest expected improvement.
//
// Idea: greedy, by the kriging believer (posterior): the best candidate joins the front at its prediction, and the
// next is the best with it there. Candidates are points of the predicted front, random neighbours of it and
// of the measured one, and a spread over the region.
//
// Invariant: all candidates are judged against the same front, of which they can only improve less as it grows.
//
// Cost: a batch of n takes n·c expected improvements for c ≈ 580 candidates; each is exact in O(f) for a front
// of f points and up to three objectives (Yang et al. 2019), and the mean over 64 draws above.
func improve(ctx context.Context, l *Landscape, q *Question, c *candidates, enough float64) (Proposal, error) {
	xs := c.xs
	known, within := l.keptGoals(q), l.asPredicted()
	spread := make([][]float64, len(xs)-len(c.fs))
	if err := parallel.For(ctx, 0, len(spread), func(i int) { spread[i] = l.at(xs[len(c.fs)+i]) }); err != nil {
		return Proposal{}, err
	}
	mean := slices.Concat(c.fs, spread)
	joint, err := l.newPosterior(ctx, xs, q.Pending)
	if err != nil {
		return Proposal{}, err
	}
	var batch []Proposed
	for range q.N {
		front := pareto.NewImprovement(known, c.ref)
		gains := make([]float64, len(xs))
		if err := parallel.For(ctx, 0, len(xs), func(i int) {
			if gains[i] = l.keeping(joint, i); gains[i] > 0 {
				gains[i] *= l.improvement(front, mean[i], joint, i)
			}
		}); err != nil {
			return Proposal{}, err
		}
		best := -1
		for i, g := range gains {
			if !joint.used[i] && g > 0 && (best < 0 || g > gains[best]) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		why := "expected to add most to the measured front, which dominates nothing yet"
		if box := pareto.NewImprovement(nil, c.ref).Of(ideal(known, c.ref)); box > 0 {
			why = fmt.Sprintf("expected to add most to the measured front: %s of its box", percent(gains[best]/math.Max(box, 1e-300)))
		}
		batch = append(batch, Proposed{X: xs[best], Why: why})
		if within.missing(xs[best]) <= 0 {
			known = append(known, mean[best])
		}
		joint.condition(best)
	}
	return finish(ctx, l, q, c, batch, enough)
}

// keptGoals are the optimised values of what is measured, and those predicted of what is pending, where they keep the floors.
func (l *Landscape) keptGoals(q *Question) [][]float64 {
	var out [][]float64
	for _, p := range q.Done {
		if f, ok := l.goalsOf(p); ok && l.keeps(p) {
			out = append(out, f)
		}
	}
	for _, x := range q.Pending {
		if len(l.floors) == 0 || l.asPredicted().missing(x) <= 0 {
			out = append(out, l.at(x))
		}
	}
	return out
}

// ideal is the best of each objective, of some rows and the reference.
func ideal(fs [][]float64, ref []float64) []float64 {
	out := slices.Clone(ref)
	for _, f := range fs {
		for k, v := range f {
			out[k] = min(out[k], v)
		}
	}
	return out
}

// at is the predicted objectives at x, minimised.
func (l *Landscape) at(x []float64) []float64 {
	f := make([]float64, len(l.goals))
	l.objectives(f, nil, x)
	return f
}

// improvement is the expected improvement of candidate i: exact up to three objectives, the mean over the
// same 64 draws for all candidates above.
func (l *Landscape) improvement(front *pareto.Improvement, mean []float64, joint *posterior, i int) float64 {
	std := make([]float64, len(mean))
	t := 0
	for k, g := range l.goals {
		if l.fits[g].varies() {
			std[k] = l.fits[g].width * math.Sqrt(max(joint.cov[t].At(i, i), 0))
			t++
		}
	}
	if len(mean) <= 3 {
		return front.Expected(mean, std)
	}
	return front.Sampled(64, 1, func(rng *rand.Rand, dst []float64) {
		for k, m := range mean {
			dst[k] = m + std[k]*rng.NormFloat64()
		}
	})
}

// nearby are random neighbours of the predicted and of the measured front.
func (l *Landscape) nearby(q *Question, c *candidates) [][]float64 {
	parents := append(slices.Clone(c.xs[:c.front]), l.starts...)
	if len(parents) == 0 {
		return nil
	}
	rng := generator(q.Seed+uint64(len(q.Done)), 0x6e656172)
	bounds := q.Space.Bounds()
	out := make([][]float64, nearbyCount)
	for i := range out {
		x := slices.Clone(parents[rng.IntN(len(parents))])
		for j, coefficient := range q.Space.Coefficients {
			x[j] += nearbyStep * (coefficient.Hi - coefficient.Lo) * rng.NormFloat64()
		}
		bounds.Project(x)
		out[i] = x
	}
	return out
}

package search

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"parfait/parallel"
	"parfait/pareto"
)

// ehvi measures where the hypervolume of the measured front is expected to grow most (Emmerich, Giannakoglou
// and Naujoks 2006): exactly for up to three tasks (Yang et al. 2019), by Monte Carlo above. Batches are
// filled by the kriging believer: what was asked for counts as measured at its prediction.
type ehvi struct {
	start  int
	enough float64
}

func newEHVI(options map[string]any) (Strategy, error) {
	o := settings{given: options}
	e := ehvi{start: o.whole("start", 0, 0), enough: o.share("enough", 0)}
	return e, o.err("ehvi")
}

// Ask implements Strategy.
func (e ehvi) Ask(ctx context.Context, q Question) (Proposal, error) {
	l, n, p, err := begin(ctx, &q, e.start)
	if l == nil {
		return p, err
	}
	c, err := l.candidates(ctx, &q)
	if err != nil {
		return Proposal{}, err
	}
	if len(l.goals) == 0 {
		return adaptive{start: e.start, explore: 1}.Ask(ctx, q)
	}
	return improve(ctx, l, &q, c, n, e.enough)
}

const (
	nearbyCount = 200 // candidates in the neighbourhood of what looks good
	nearbyStep  = 0.08
	believer    = 1e-9 // variance below which a prediction is certain
)

// improve fills a batch with the candidates of the largest expected improvement.
func improve(ctx context.Context, l *Landscape, q *Question, c *candidates, n int, enough float64) (Proposal, error) {
	xs := slices.Clone(c.xs)
	for _, x := range l.nearby(q, c) {
		xs = append(xs, l.retreat(x))
	}
	_, known := l.measuredGoals(q.Done)
	for _, x := range q.Pending {
		known = append(known, l.at(x))
	}
	mean := make([][]float64, len(xs))
	parallel.For(0, len(xs), func(i int) { mean[i] = l.at(xs[i]) })
	b := l.newBelief(xs, q.Pending)
	var batch []proposed
	for range n {
		if err := ctx.Err(); err != nil {
			return Proposal{}, err
		}
		front := pareto.NewImprovement(known, c.ref)
		gains := make([]float64, len(xs))
		parallel.For(0, len(xs), func(i int) { gains[i] = l.improvement(front, mean[i], b, i) })
		best := -1
		for i, g := range gains {
			if !b.used[i] && g > 0 && (best < 0 || g > gains[best]) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		share := gains[best] / math.Max(pareto.NewImprovement(nil, c.ref).Of(ideal(known)), 1e-300)
		batch = append(batch, proposed{xs[best], fmt.Sprintf("expected to add most to the measured front: %s of its box", percent(share))})
		known = append(known, mean[best])
		b.measure(best)
	}
	return finish(ctx, l, q, c, batch, n, enough)
}

func ideal(fs [][]float64) []float64 {
	out := slices.Clone(fs[0])
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
func (l *Landscape) improvement(front *pareto.Improvement, mean []float64, b *belief, i int) float64 {
	std := make([]float64, len(mean))
	t := 0
	for k, g := range l.goals {
		if l.fits[g].varies() {
			std[k] = l.fits[g].spread * math.Sqrt(max(b.cov[t].At(i, i), 0))
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

// expectedGain is the expected growth of the measured front's hypervolume by a batch, as a share of it:
// joint draws of the batch, counted on probes. False where there is nothing to compare with.
func (l *Landscape) expectedGain(q *Question, c *candidates, batch [][]float64) (float64, bool) {
	_, known := l.measuredGoals(q.Done)
	if len(batch) == 0 || len(known) == 0 || len(l.goals) == 0 {
		return 0, false
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
	v := newVolume(all, c.ref, probeCount)
	before, after := 0, 0
	had := newShelf(known)
	for _, y := range v.probes {
		if had.covers(y) {
			before++
			continue
		}
		for _, s := range samples {
			if slices.ContainsFunc(s, func(f []float64) bool { return covers(f, y) }) {
				after++
			}
		}
	}
	if before == 0 {
		return 0, false
	}
	return float64(after) / draws / float64(before), true
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

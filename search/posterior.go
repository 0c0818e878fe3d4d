package search

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"parfait/parallel"
)

// posterior is the joint posterior covariance of the surrogates at some candidates, conditioned on those that are
// going to be measured. Values are in units of each task's measured range.
//
// Idea: the kriging believer (Ginsbourger, Le Riche and Carraro 2010). A candidate that is chosen counts as
// measured at its prediction. That leaves all means as they are, and how the covariance shrinks does not depend on
// the value, so that a batch can be chosen point after point without a refit.
//
// Invariant: cov[t] is the posterior covariance of task t given the measured points and every used candidate, with
// the variance measuringNoise; it stays symmetric and, but for rounding, positive semidefinite.
//
// Cost: O(c²) numbers a task for c candidates, and O(c²) to condition on one, a rank-one update
// Σ ← Σ − σₖσₖᵀ/(σₖₖ + noise).
type posterior struct {
	tasks []int           // that vary, the optimised ones first
	names []string        // of them
	xs    [][]float64     // candidates
	cov   []*mat.SymDense // a task, candidates × candidates
	used  []bool
}

// measuringNoise is the variance of a measurement, so that measuring a point again teaches little.
const measuringNoise = 1e-4

// newPosterior enters pending points at their predictions: means stay, uncertainty shrinks. The tasks are
// those that are optimised, or all where none is, and those with floors. The error is that of ctx.
func (l *Landscape) newPosterior(ctx context.Context, candidates, pending [][]float64) (*posterior, error) {
	p := &posterior{xs: append(append([][]float64(nil), candidates...), pending...)}
	p.used = make([]bool, len(p.xs))
	for _, i := range l.counted() {
		if l.fits[i].varies() {
			p.tasks = append(p.tasks, i)
			p.names = append(p.names, l.tasks[i].Name)
		}
	}
	p.cov = make([]*mat.SymDense, len(p.tasks))
	err := parallel.For(ctx, 0, len(p.tasks), func(k int) {
		f := &l.fits[p.tasks[k]]
		_, cov := f.surrogate.Joint(p.xs)
		cov.ScaleSym(1/(f.width*f.width), cov)
		p.cov[k] = cov
	})
	if err != nil {
		return nil, err
	}
	for k := len(candidates); k < len(p.xs); k++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p.condition(k)
	}
	return p, nil
}

// condition enters candidate k as measured at its prediction.
func (p *posterior) condition(k int) {
	p.used[k] = true
	column := mat.NewVecDense(len(p.xs), nil)
	for _, c := range p.cov {
		for i := range p.xs {
			column.SetVec(i, c.At(i, k))
		}
		c.SymRankOne(c, -1/(c.At(k, k)+measuringNoise), column)
	}
}

// sumStd is the sum over tasks of the standard deviation of candidate k.
func (p *posterior) sumStd(k int) float64 {
	sum := 0.0
	for _, c := range p.cov {
		sum += math.Sqrt(max(c.At(k, k), 0))
	}
	return sum
}

// mostUncertain returns the candidate in [lo, hi) that is least certain and not used yet; −1 where there is none.
func (p *posterior) mostUncertain(lo, hi int) int {
	best, top := -1, 0.0
	for k := lo; k < hi; k++ {
		if s := p.sumStd(k); s > top && !p.used[k] {
			best, top = k, s
		}
	}
	return best
}

// why says in words what is least certain about candidate k.
func (p *posterior) why(k int, where string) string {
	worst, share := "", 0.0
	for t, c := range p.cov {
		if s := math.Sqrt(max(c.At(k, k), 0)); s > share {
			worst, share = p.names[t], s
		}
	}
	return fmt.Sprintf("least certain %s: %s ±%.0f %% of its range", where, worst, 100*share)
}

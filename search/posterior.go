package search

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"parfait/parallel"
)

// belief is what the surrogates know jointly about some candidates, and how that changes as some of them
// are measured. Values are in units of each task's measured range.
type belief struct {
	names []string        // of the tasks that vary
	xs    [][]float64     // candidates
	cov   []*mat.SymDense // a task, candidates × candidates
	used  []bool
}

// measuringNoise is the variance of a measurement, so that measuring a point again teaches little.
const measuringNoise = 1e-4

// newBelief enters pending points at their predictions: means stay, uncertainty shrinks. The tasks are
// those that are optimised, or all where none is.
func (l *Landscape) newBelief(candidates, pending [][]float64) *belief {
	b := &belief{xs: append(append([][]float64(nil), candidates...), pending...)}
	b.used = make([]bool, len(b.xs))
	var tasks []int
	for _, i := range l.goalsOrAll() {
		if l.fits[i].varies() {
			tasks = append(tasks, i)
			b.names = append(b.names, l.tasks[i].Name)
		}
	}
	b.cov = make([]*mat.SymDense, len(tasks))
	parallel.For(0, len(tasks), func(k int) {
		f := &l.fits[tasks[k]]
		_, cov := f.surrogate.Joint(b.xs)
		cov.ScaleSym(1/(f.spread*f.spread), cov)
		b.cov[k] = cov
	})
	for k := len(candidates); k < len(b.xs); k++ {
		b.measure(k)
	}
	return b
}

// measure enters candidate k at its prediction.
func (b *belief) measure(k int) {
	b.used[k] = true
	column := mat.NewVecDense(len(b.xs), nil)
	for _, c := range b.cov {
		for i := range b.xs {
			column.SetVec(i, c.At(i, k))
		}
		c.SymRankOne(c, -1/(c.At(k, k)+measuringNoise), column)
	}
}

// doubt is the sum over tasks of the standard deviation of candidate k.
func (b *belief) doubt(k int) float64 {
	sum := 0.0
	for _, c := range b.cov {
		sum += math.Sqrt(max(c.At(k, k), 0))
	}
	return sum
}

// darkest returns the candidate in [lo, hi) that is least certain and not used yet; −1 where there is none.
func (b *belief) darkest(lo, hi int) int {
	best, top := -1, 0.0
	for k := lo; k < hi; k++ {
		if s := b.doubt(k); s > top && !b.used[k] {
			best, top = k, s
		}
	}
	return best
}

// why says in words what is least certain about candidate k.
func (b *belief) why(k int, where string) string {
	worst, share := "", 0.0
	for t, c := range b.cov {
		if s := math.Sqrt(max(c.At(k, k), 0)); s > share {
			worst, share = b.names[t], s
		}
	}
	return fmt.Sprintf("least certain %s: %s ±%.0f %% of its range", where, worst, 100*share)
}

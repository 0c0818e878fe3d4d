package search

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// adaptive starts as a design and then measures where the predicted front is least certain.
type adaptive struct {
	start int // points of the start; 0: as many as the space needs
}

// startSize is 8, 12, 16 and 20 points for 2, 4, 6 and 8 coefficients; never more than most of a budget.
func (a adaptive) startSize(q Question) int {
	n := a.start
	if n == 0 {
		n = min(2*len(q.Space.Coefficients)+4, 40)
	}
	if q.Budget > 0 {
		n = min(n, max(q.Budget*2/3, len(newRegion(q.Space).anchors(false))))
	}
	return n
}

// Ask implements Strategy.
func (a adaptive) Ask(ctx context.Context, q Question) (Proposal, error) {
	if err := q.check(); err != nil {
		return Proposal{}, err
	}
	n, spent := q.wanted()
	if n == 0 {
		return Proposal{Stop: spent}, nil
	}
	if len(q.Done)+len(q.Pending) < a.startSize(q) {
		return extend(ctx, q, n)
	}
	l, err := Fit(ctx, q.Space, q.Tasks, q.Done, nil)
	if err != nil {
		// Nothing measured yet of some task: more of the start tells nothing wrong.
		if ctx.Err() != nil {
			return Proposal{}, ctx.Err()
		}
		return extend(ctx, q, n)
	}
	front, _, err := l.front(ctx, 200, nil)
	if err != nil {
		return Proposal{}, err
	}
	r := newRegion(q.Space)
	b, err := newBelief(l, front, r.spread(400, q.Seed+uint64(len(q.Done))), q.Pending)
	if err != nil {
		return Proposal{}, err
	}
	var out Proposal
	taken := q.taken()
	for len(out.X) < n {
		explore := len(q.Space.Coefficients) >= 6 && len(out.X)%2 == 1
		x, why := b.next(explore)
		if x == nil {
			break
		}
		x = q.Space.tidy(x)
		if q.Space.known(x, taken) {
			continue
		}
		taken = append(taken, x)
		out.X, out.Why = append(out.X, x), append(out.Why, why)
	}
	if len(out.X) < n {
		q.Pending = append(append([][]float64(nil), q.Pending...), out.X...)
		rest, err := extend(ctx, q, n-len(out.X))
		if err != nil {
			return Proposal{}, err
		}
		out.X, out.Why, out.Stop = append(out.X, rest.X...), append(out.Why, rest.Why...), rest.Stop
	}
	return out, nil
}

// belief is what the surrogates know jointly about candidates, and how it changes as some are measured.
type belief struct {
	tasks []string
	xs    [][]float64
	front int             // the first of xs are of the predicted front
	cov   []*mat.SymDense // a task, in units of its measured range
	used  []bool
}

// jitter is the variance of a measurement, in units of the measured range squared.
const jitter = 1e-4

// newBelief enters pending points at their predictions: the means stay, the uncertainty shrinks.
func newBelief(l *Landscape, front, pool, pending [][]float64) (*belief, error) {
	b := &belief{front: len(front)}
	b.xs = append(append(append(b.xs, front...), pool...), pending...)
	b.used = make([]bool, len(b.xs))
	for _, i := range l.goals {
		f := l.fits[i]
		if f.spread == 0 {
			continue
		}
		_, cov := f.surrogate.Joint(b.xs)
		cov.ScaleSym(1/(f.spread*f.spread), cov)
		b.cov = append(b.cov, cov)
		b.tasks = append(b.tasks, l.tasks[i].Name)
	}
	for k := len(front) + len(pool); k < len(b.xs); k++ {
		b.condition(k)
	}
	return b, nil
}

// condition measures candidate k, at its prediction.
func (b *belief) condition(k int) {
	b.used[k] = true
	for _, c := range b.cov {
		column := make([]float64, len(b.xs))
		for i := range column {
			column[i] = c.At(i, k)
		}
		c.SymRankOne(c, -1/(c.At(k, k)+jitter), mat.NewVecDense(len(column), column))
	}
}

// next returns the candidate that is least certain, and measures it.
func (b *belief) next(explore bool) ([]float64, string) {
	lo, hi := 0, b.front
	if explore {
		lo, hi = b.front, len(b.xs)
	}
	best, top := -1, 0.0
	for k := lo; k < hi; k++ {
		if s := b.doubt(k); s > top && !b.used[k] {
			best, top = k, s
		}
	}
	if best < 0 {
		return nil, ""
	}
	worst, share := "", 0.0
	for t, c := range b.cov {
		if s := math.Sqrt(max(c.At(best, best), 0)); s > share {
			worst, share = b.tasks[t], s
		}
	}
	b.condition(best)
	where := "on the predicted front"
	if explore {
		where = "of the region"
	}
	return b.xs[best], fmt.Sprintf("least certain %s (%s ±%.0f %% of its range)", where, worst, 100*share)
}

func (b *belief) doubt(k int) float64 {
	sum := 0.0
	for _, c := range b.cov {
		sum += math.Sqrt(max(c.At(k, k), 0))
	}
	return sum
}

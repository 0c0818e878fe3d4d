package search

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
)

// Front returns at most n coefficient vectors of the predicted front: non-dominated, evenly spread,
// within the region that may be believed where any of it may. Sorted by the first objective, best
// first. Deterministic; floors of tasks do not change it.
func (l *Landscape) Front(ctx context.Context, n int) ([][]float64, error) {
	if n <= 0 || len(l.goals) == 0 {
		return nil, nil
	}
	p := l.Problem()
	r := newRegion(l.space)
	full := *r
	for i, c := range l.space.Coefficients {
		full.lo[i], full.hi[i] = c.Lo, c.Hi
	}
	pool := full.spread(3000, 1)
	for _, a := range r.anchors(true) {
		pool = append(pool, a.x)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var front []candidate
	for generation := range 12 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if generation > 0 {
			pool = pool[:0]
			for range 600 {
				a, b := front[rng.IntN(len(front))].x, front[rng.IntN(len(front))].x
				x := make([]float64, len(a))
				t := rng.Float64()
				for i := range x {
					w := l.space.Coefficients[i].Hi - l.space.Coefficients[i].Lo
					x[i] = a[i] + t*(b[i]-a[i]) + 0.05*w*rng.NormFloat64()/float64(generation)
				}
				pool = append(pool, l.space.tidy(x))
			}
		}
		for _, x := range pool {
			y := make([]float64, p.M)
			p.Eval(y, x)
			front = append(front, candidate{x: x, y: y, ok: l.Believed(x)})
		}
		front = thin(nonDominated(front), 4*n)
	}
	front = thin(front, n)
	slices.SortStableFunc(front, func(a, b candidate) int { return cmp.Compare(a.y[0], b.y[0]) })
	out := make([][]float64, len(front))
	for i, c := range front {
		out[i] = c.x
	}
	return out, nil
}

type candidate struct {
	x, y []float64
	ok   bool
}

func nonDominated(c []candidate) []candidate {
	believed := slices.ContainsFunc(c, func(c candidate) bool { return c.ok })
	slices.SortStableFunc(c, func(a, b candidate) int { return slices.Compare(a.y, b.y) })
	var out []candidate
	for _, a := range c {
		if believed && !a.ok {
			continue
		}
		if !slices.ContainsFunc(out, func(b candidate) bool { return dominates(b.y, a.y) }) {
			out = append(out, a)
		}
	}
	return out
}

// dominates includes equality.
func dominates(a, b []float64) bool {
	for i, v := range a {
		if v > b[i] {
			return false
		}
	}
	return true
}

// thin keeps n candidates, farthest first.
func thin(c []candidate, n int) []candidate {
	if len(c) <= n {
		return c
	}
	out := []candidate{c[0]}
	gap := make([]float64, len(c))
	for i := range gap {
		gap[i] = between(c[i].y, c[0].y)
	}
	for len(out) < n {
		k := 0
		for i := range gap {
			if gap[i] > gap[k] {
				k = i
			}
		}
		out = append(out, c[k])
		for i := range gap {
			gap[i] = min(gap[i], between(c[i].y, c[k].y))
		}
	}
	return out
}

func between(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += (v - b[i]) * (v - b[i])
	}
	return s
}

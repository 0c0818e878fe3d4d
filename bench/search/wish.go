package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"parfait/evaluator"
	"parfait/search"
)

// desire is a wish of three tasks, and the best that it can have.
type desire struct {
	wishes search.Wishes
	unit   []float64 // a task: the range of the anchors
	best   []float64 // the merge that fulfils it best on the validation images, of all that were tried
}

// desire is one a seed, of three kinds in turn: to have of three tasks what the best anchor has of each; weights of three;
// and floors of two, half-way from the uniform average to the best anchor, with the most of a third.
func (t *truth) desire(seed int) desire {
	rng := rand.New(rand.NewPCG(uint64(seed), 0x77697368))
	best, worst := t.scale(evaluator.Validation)
	mean := t.negated(t.uniform(), evaluator.Validation)
	var d desire
	for k := range best {
		d.unit = append(d.unit, worst[k]-best[k])
	}
	three := rng.Perm(t.n)[:3]
	name := func(i int) string { return t.tasks[three[i]].Name }
	switch seed % 3 {
	case 0:
		d.wishes.Aspire = map[string]float64{}
		for i, k := range three {
			d.wishes.Aspire[name(i)] = -best[k]
		}
	case 1:
		d.wishes.Weights = map[string]float64{}
		for i := range three {
			d.wishes.Weights[name(i)] = 1 + 2*rng.Float64()
		}
	default:
		d.wishes.Weights = map[string]float64{name(2): 1}
		for i, k := range three[:2] {
			d.wishes.Floors = append(d.wishes.Floors, search.Floor{Task: name(i), Least: true, Value: -(best[k] + mean[k]) / 2})
		}
	}
	return d
}

// falls is by how much accuracies (negated) fall short of what is aspired to and of floors, the worst of them, and what the
// weighted gain is, all in units of the anchors' ranges.
func (d desire) falls(t *truth, f []float64) (short, gain float64) {
	sum := 0.0
	for k, v := range f {
		name := t.tasks[k].Name
		if a, ok := d.wishes.Aspire[name]; ok {
			short = max(short, (a+v)/d.unit[k])
		}
		for _, b := range d.wishes.Floors {
			if b.Task == name {
				short = max(short, (b.Value+v)/d.unit[k])
			}
		}
		gain -= d.wishes.Weights[name] * v / d.unit[k]
		sum += d.wishes.Weights[name]
	}
	return short, gain / max(sum, 1e-300)
}

// score is how well they fulfil it: first what was asked for, then the gain.
func (d desire) score(t *truth, f []float64) float64 {
	short, gain := d.falls(t, f)
	return gain - 100*short
}

// regret is how much more f falls short than the best, or how much it gains less, whichever is more.
func (d desire) regret(t *truth, x []float64, split evaluator.Split) float64 {
	short, gain := d.falls(t, t.negated(x, split))
	least, most := d.falls(t, t.negated(d.best, split))
	if len(d.wishes.Weights) == 0 {
		return short - least
	}
	return max(short-least, most-gain)
}

// fulfil looks for the merge that fulfils it best, by some two thousand evaluations: steps from the best ten so far, shorter
// and shorter.
func (d *desire) fulfil(t *truth) {
	rng := rand.New(rand.NewPCG(1, 2))
	xs := append(t.anchors(), t.uniform())
	for range 300 {
		x := make([]float64, t.n)
		for i, c := range t.space.Coefficients {
			x[i] = t.shrink() * c.Hi * rng.Float64()
		}
		xs = append(xs, x)
	}
	better := func(a, b []float64) int {
		return cmp.Compare(d.score(t, t.negated(b, evaluator.Validation)), d.score(t, t.negated(a, evaluator.Validation)))
	}
	for step := 0.25; step > 0.01; step /= 1.25 {
		t.all(xs, evaluator.Validation)
		slices.SortStableFunc(xs, better)
		for _, from := range slices.Clone(xs[:10]) {
			for range 12 {
				x := slices.Clone(from)
				for i, c := range t.space.Coefficients {
					if rng.Float64() < 0.6 {
						x[i] = min(max(x[i]+step*rng.NormFloat64(), c.Lo), c.Hi)
					}
				}
				xs = append(xs, x)
			}
		}
	}
	t.all(xs, evaluator.Validation)
	d.best = slices.MinFunc(xs, better)
}

// told tells a strategy where somebody looks.
type told struct {
	search.Strategy
	focus search.Focus
}

func (s told) Ask(ctx context.Context, q search.Question) (search.Proposal, error) {
	q.Focus = &s.focus
	return s.Strategy.Ask(ctx, q)
}

// wishResult is how good picks are, for a strategy that is told of the wish or is not: medians over the wishes.
type wishResult struct {
	Name   string       `json:"name"`
	Told   bool         `json:"told"`
	To2    *float64     `json:"to2"` // evaluations from which on the regret stays within 2 %; null where half of the wishes never got there
	Each   []*float64   `json:"each"`
	Regret [][2]float64 `json:"regret"` // evaluations, regret on the images that are searched
	Test   [][2]float64 `json:"test"`   // the same on those that no search sees
}

// small is the regret that is good enough, in units of the anchors' ranges.
const small = 0.02

// fulfilled plays a contender for every wish.
func fulfilled(ctx context.Context, t *truth, c contender, desires []desire, tell bool, budget, batch int) (wishResult, error) {
	out := wishResult{Name: c.name, Told: tell}
	curves := map[evaluator.Split][][][2]float64{evaluator.Validation: make([][][2]float64, len(desires)), evaluator.Test: make([][][2]float64, len(desires))}
	errs := make([]error, len(desires))
	next := make(chan int)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for s := range next {
				d, own := desires[s], c
				if tell {
					own.strategy = told{c.strategy, search.Focus{Wishes: d.wishes}}
				}
				_, errs[s] = own.play(ctx, t, uint64(s), budget, batch, func(known []search.Point) error {
					if len(known) < 8 {
						return nil
					}
					l, err := search.Fit(ctx, search.Question{Space: t.space, Tasks: t.tasks, Done: known, Surrogate: c.fit})
					if err != nil {
						return err
					}
					x, err := l.Best(ctx, d.wishes)
					if err != nil {
						return err
					}
					for split := range curves {
						curves[split][s] = append(curves[split][s], [2]float64{float64(len(known)), d.regret(t, x, split)})
					}
					return nil
				})
			}
		})
	}
	for s := range desires {
		next <- s
	}
	close(next)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return out, err
		}
	}
	to := within(curves[evaluator.Validation], small)
	out.To2 = quantile(to, 0.5)
	for _, v := range to {
		out.Each = append(out.Each, quantile([]float64{v}, 0))
	}
	out.Regret, out.Test = median(curves[evaluator.Validation]), median(curves[evaluator.Test])
	return out, nil
}

// within is how many evaluations each run needed until what it tells stays at or below a bound, +Inf where it never did.
func within(curves [][][2]float64, bound float64) []float64 {
	out := make([]float64, len(curves))
	for i, c := range curves {
		out[i] = math.Inf(1)
		for _, p := range slices.Backward(c) {
			if p[1] > bound {
				break
			}
			out[i] = p[0]
		}
	}
	return out
}

// median is that of curves, point by point.
func median(curves [][][2]float64) (out [][2]float64) {
	for i := range curves[0] {
		var v []float64
		for _, c := range curves {
			if i < len(c) {
				v = append(v, c[i][1])
			}
		}
		out = append(out, [2]float64{curves[0][i][0], *quantile(v, 0.5)})
	}
	return out
}

// wish plays a contender with the wish and without.
func wish(ctx context.Context, t *truth, c contender, seeds, budget, batch int, log io.Writer) ([]wishResult, error) {
	desires := make([]desire, seeds)
	for s := range desires {
		desires[s] = t.desire(s)
		desires[s].fulfil(t)
	}
	var out []wishResult
	for _, tell := range []bool{true, false} {
		r, err := fulfilled(ctx, t, c, desires, tell, budget, batch)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
		r.print(log)
	}
	return out, nil
}

func (r wishResult) print(w io.Writer) {
	number := func(v *float64) string {
		if v == nil {
			return "–"
		}
		return fmt.Sprintf("%.0f", *v)
	}
	name := r.Name
	if r.Told {
		name += ", told of the wish"
	}
	_, _ = fmt.Fprintf(w, "%-28s regret within 2 %% after %s (", name, number(r.To2))
	for _, v := range r.Each {
		_, _ = fmt.Fprintf(w, " %s", number(v))
	}
	_, _ = fmt.Fprint(w, " )  ")
	for i, p := range r.Regret {
		if i%2 == 0 {
			_, _ = fmt.Fprintf(w, " %.0f:%.3f (test %.3f)", p[0], p[1], r.Test[i][1])
		}
	}
	_, _ = fmt.Fprintln(w)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"parfait/evaluator"
	"parfait/search"
)

// shownResult is what a strategy's evaluations are worth to somebody who looks at the front and picks: medians over
// the seeds.
type shownResult struct {
	Name        string             `json:"name"`
	Evaluations int                `json:"evaluations"`
	Shown       map[string]float64 `json:"shown"`    // a reference: share of what can be attained that predicted points have
	Measured    map[string]float64 `json:"measured"` // the same of the measured points
	MaxMin      float64            `json:"max_min"`  // how much more than need be the most balanced pick falls short, in units of the anchors' ranges
	Regret      float64            `json:"regret"`   // the same of a pick by a preference, the mean of all
}

// show plays a contender for every seed and judges what would be shown after so many evaluations, ascending.
func show(ctx context.Context, t *truth, c contender, seeds int, after []int, batch int) ([]shownResult, error) {
	judges, w, err := t.judges()
	if err != nil {
		return nil, err
	}
	runs, errs := make([][]look, seeds), make([]error, seeds)
	next := make(chan int)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for s := range next {
				runs[s], errs[s] = c.looks(ctx, t, uint64(s), after, batch)
			}
		})
	}
	for s := range seeds {
		next <- s
	}
	close(next)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var out []shownResult
	for i, n := range after {
		r := shownResult{Name: c.name, Evaluations: n, Shown: map[string]float64{}, Measured: map[string]float64{}}
		var balance, regrets []float64
		for _, run := range runs {
			picked := t.picked(run[i].seen, t.all(run[i].shown, evaluator.Test))
			mean := 0.0
			for k, v := range picked[1:] {
				mean += (v - w.Wishes[k+1]) / wishes
			}
			balance, regrets = append(balance, picked[0]-w.Wishes[0]), append(regrets, mean)
		}
		r.MaxMin, r.Regret = *quantile(balance, 0.5), *quantile(regrets, 0.5)
		for _, name := range referenceNames {
			var shown, measured []float64
			for _, run := range runs {
				l := run[i]
				shown = append(shown, t.worth(judges[name], name, l.shown, l.seen))
				measured = append(measured, t.worth(judges[name], name, l.measured, t.all(l.measured, evaluator.Validation)))
			}
			r.Shown[name], r.Measured[name] = *quantile(shown, 0.5), *quantile(measured, 0.5)
		}
		out = append(out, r)
	}
	return out, nil
}

// look is what there is to be seen after some evaluations.
type look struct {
	measured    [][]float64
	shown, seen [][]float64 // the predicted front, and what is predicted there
}

// looks plays one study and looks after so many evaluations; where it ends before, at its end.
func (c contender) looks(ctx context.Context, t *truth, seed uint64, after []int, batch int) ([]look, error) {
	var out []look
	last := after[len(after)-1]
	known, err := c.play(ctx, t, seed, last, batch, func(known []search.Point) error {
		if len(out) == len(after) || len(known) < after[len(out)] {
			return nil
		}
		l, err := c.look(ctx, t, known)
		out = append(out, l)
		return err
	})
	for err == nil && len(out) < len(after) {
		var l look
		l, err = c.look(ctx, t, known)
		out = append(out, l)
	}
	return out, err
}

// look looks at what is known.
func (c contender) look(ctx context.Context, t *truth, known []search.Point) (look, error) {
	l, err := search.Fit(ctx, search.Question{Space: t.space, Tasks: t.tasks, Done: known, Surrogate: c.fit})
	if err != nil {
		return look{}, err
	}
	out := look{}
	for _, p := range known {
		out.measured = append(out.measured, p.X)
	}
	if out.shown, err = l.Front(ctx, shownSize); err != nil {
		return look{}, err
	}
	problem := l.Problem()
	for _, x := range out.shown {
		f := make([]float64, problem.M)
		problem.Eval(f, x)
		out.seen = append(out.seen, f)
	}
	return out, nil
}

// worth is the share of what can be attained that frontSize of some points truly have, chosen by how they are seen.
func (t *truth) worth(j *judge, reference string, xs, seen [][]float64) float64 {
	var chosen [][]float64
	for _, i := range chooser(seen, t.reference(reference, evaluator.Validation)).choose(seen, frontSize) {
		chosen = append(chosen, t.negated(xs[i], evaluator.Test))
	}
	return j.share(chosen)
}

func (r shownResult) print(w io.Writer) {
	_, _ = fmt.Fprintf(w, "%-24s %3d evaluations  ", r.Name, r.Evaluations)
	for _, name := range referenceNames {
		_, _ = fmt.Fprintf(w, "%s %.2f (measured %.2f)  ", name, r.Shown[name], r.Measured[name])
	}
	_, _ = fmt.Fprintf(w, "max-min %+.3f  regret %+.3f\n", r.MaxMin, r.Regret)
}

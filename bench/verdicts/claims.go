package main

import (
	"context"
	"errors"
	"math"
	"slices"

	"parfait/evaluator"
	"parfait/explore"
	"parfait/search"
	"parfait/study"
)

// better says whether a is better than b on a task.
func (w world) better(a, b float64) bool {
	if w.loss {
		a, b = b, a
	}
	return a > b
}

// pairs counts what is said of two points of the front.
func (t *tally) pairs(w world, of string, a *study.Analysis) {
	said, wrong, cases := 0, 0, 0
	for i := 0; i+7 < len(a.Front); i += 11 {
		x, y := a.Front[i].X, a.Front[(i*7+7)%len(a.Front)].X
		for k := range w.tasks {
			d := a.Difference(k, x, y)
			cases++
			if !d.Sure() {
				continue
			}
			said++
			if w.better(w.here(k, x), w.here(k, y)) != (d.Gain > 0) {
				wrong++
			}
		}
	}
	t.count("of two points of the front one is better on a task beyond noise, and is not", of, 0.05, false, cases, wrong)
	t.count("of two points of the front one is better on a task beyond noise", of, none, false, cases, said)
}

// measuredPairs counts what is said of two trials that were measured.
func (t *tally) measuredPairs(w world, of string, a *study.Analysis) {
	wrong, cases := 0, 0
	for i := range a.Trials {
		x, y := a.Trials[i], a.Trials[(i*7+3)%len(a.Trials)]
		for k, task := range a.Tasks {
			d := task.Difference(x.Metrics[task.Name], y.Metrics[task.Name])
			cases++
			wrong += one(d.Sure() && w.better(w.here(k, x.X), w.here(k, y.X)) != (d.Gain > 0))
		}
	}
	t.count("of two trials one was measured better on a task beyond noise, and is not", of, 0.05, false, cases, wrong)
}

// nondominated counts points of the front of which it is said that no other is better on every objective.
func (t *tally) nondominated(w world, of string, a *study.Analysis) {
	var truth [][]float64
	for _, p := range a.Front {
		row := make([]float64, w.tasks)
		for k := range row {
			row[k] = w.here(k, p.X)
		}
		truth = append(truth, row)
	}
	sum, likely, dominated := 0.0, 0, 0
	for i, p := range a.Front {
		if p.Prob < 0.9 {
			continue
		}
		likely++
		sum += p.Prob
		dominated += one(slices.ContainsFunc(truth, func(o []float64) bool {
			for k, v := range o {
				if !w.better(v, truth[i][k]) {
					return false
				}
			}
			return true
		}))
	}
	base, surely, below := make([]float64, w.models), 0, 0
	for i, p := range a.Front {
		if a.Chance(p.X, base) < 0.9 {
			continue
		}
		surely++
		for k, v := range truth[i] {
			if w.better(w.here(k, base), v) {
				below++
				break
			}
		}
	}
	t.count("a point is nowhere below the base with probability .9 or more, and is below it", of, 0.1, false, surely, below)
	t.count("a point is non-dominated with p ≥ .9, and another of the front is better on every task", of, 0.1, false, likely, dominated)
}

// floors counts picks that are the best of one task at a floor of another.
func (t *tally) floors(ctx context.Context, w world, of string, a *study.Analysis) error {
	for k := range min(w.tasks, 2) {
		other := a.Tasks[(k+1)%w.tasks].Name
		var reached []float64
		for _, p := range a.Front {
			reached = append(reached, p.Predicted[k].Value)
		}
		slices.Sort(reached)
		if w.loss {
			slices.Reverse(reached)
		}
		for _, q := range []float64{0.5, 0.8} {
			floor := reached[int(q*float64(len(reached)))]
			c, err := explore.Best(ctx, a, explore.Preference{Best: other, AtLeast: map[string]float64{a.Tasks[k].Name: floor}})
			if errors.Is(err, explore.Infeasible) {
				continue
			}
			if err != nil {
				return err
			}
			breaks := w.better(floor, w.here(k, c.X))
			sure := explore.Keeps(a, c.X, c.Floors[0]) >= search.FloorSure-0.01
			t.count("a pick keeps its floor with probability .95 or more", of, none, false, 1, one(sure))
			if sure {
				t.count("a pick keeps its floor with probability .95 or more, and is truly below it", of, 0.05, false, 1, one(breaks))
			} else {
				t.count("a pick keeps its floor with a smaller probability that stands beside it, and is truly below it", of, none, false, 1, one(breaks))
			}
		}
	}
	return nil
}

// barriers counts what is said of straight lines between models.
func (t *tally) barriers(ctx context.Context, worlds int) error {
	for _, c := range []struct {
		of    string
		items int
		dip   float64
	}{{"20 items", 20, 0}, {"50 items", 50, 0}, {"100 items", 100, 0}, {"450 items", 450, 0}, {"5000 items", 5000, 0}, {"450 items", 450, 2}, {"5000 items", 5000, 2}} {
		for truth := range worlds {
			w := usual(truth)
			w.models, w.items, w.dip, w.asks, w.trials = 4, c.items, c.dip, "barrier", 22
			snap, err := w.play(ctx)
			if err != nil {
				return err
			}
			lines, err := snap.Lines()
			if err != nil {
				return err
			}
			wrong := false
			for i, holes := range explore.Holes(snap.Tasks, lines) {
				for k, h := range holes {
					truly := w.hole(k, lines[i])
					wrong = wrong || h.Real && truly <= 0
					if least := w.stderr(k, lines[i].Points[0].X); truly > 5*least {
						t.count("a barrier of five standard errors of a measurement or more is found", c.of, 0.8, true, 1, one(h.Real))
					}
				}
			}
			t.count("a barrier is said to be on some line of six and task of four where there is none", c.of, 0.05, false, 1, one(wrong))
		}
	}
	return nil
}

// hole is how far the truth falls below the straight line between two models.
func (w world) hole(k int, l search.Line) float64 {
	ends, depth := [2]float64{}, math.Inf(-1)
	for _, p := range l.Points {
		switch p.At {
		case 0:
			ends[0] = w.rate(k, p.X)
		case 1:
			ends[1] = w.rate(k, p.X)
		}
	}
	for _, p := range l.Points {
		if p.At > 0 && p.At < 1 {
			depth = max(depth, (1-p.At)*ends[0]+p.At*ends[1]-w.rate(k, p.X))
		}
	}
	return depth
}

// stderr is the standard error of a measurement at x.
func (w world) stderr(k int, x []float64) float64 {
	p := w.rate(k, x)
	if w.loss {
		return p * lossNoise / math.Sqrt(float64(w.items))
	}
	return math.Sqrt(p * (1 - p) / float64(w.items))
}

// constant counts tasks that are called constant though they vary.
func (t *tally) constant(w world, of string, a *study.Analysis) {
	for k, f := range a.Fits {
		lo, hi, noise := math.Inf(1), math.Inf(-1), 0.0
		for _, tr := range a.Trials {
			v := w.here(k, tr.X)
			lo, hi, noise = min(lo, v), max(hi, v), noise+w.stderr(k, tr.X)/float64(len(a.Trials))
		}
		if hi-lo > 2*noise {
			t.count("a task is constant, though it varies by more than two standard errors", of, 0.01, false, 1, one(f.Trust.Constant))
		}
	}
}

// again is a world whose measurements are made anew.
func (w world) again(salt string) world {
	w.salt = salt
	return w
}

// next is a measurement on the validation split.
func (w world) next(k int, x []float64) float64 {
	return w.measured(k, x, evaluator.Validation).Value
}

package search

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"parfait/parallel"
	"parfait/pareto"
)

// manyGoals is the number of optimised tasks above which an even spread over the front is nearly all rim: what
// gives almost everything up for one task.
const manyGoals = 4

// Front returns at most n coefficient vectors of the predicted front: non-dominated, evenly spread, and
// within the region that may be believed, or, where no point of it is, anywhere. With more than four
// optimised tasks half of them are spread evenly and the others are where the hypervolume is. Ordered by the
// first objective, the best first. Deterministic; floors of tasks do not change it. Empty where no task is optimised.
func (l *Landscape) Front(ctx context.Context, n int) ([][]float64, error) {
	even := n
	if len(l.goals) > manyGoals {
		even = (n + 1) / 2
	}
	feasible := l.doubt
	xs, err := l.front(ctx, even, feasible)
	if errors.Is(err, pareto.Infeasible) {
		feasible = nil
		xs, err = l.front(ctx, even, nil)
	}
	if err != nil || even >= n {
		return xs, err
	}
	full, err := l.byVolume(ctx, n-even, l.ref, feasible)
	if err != nil {
		return nil, err
	}
	return l.merged(ctx, xs, full)
}

// merged are the points of both that neither dominate, ordered by the first objective.
func (l *Landscape) merged(ctx context.Context, a, b [][]float64) ([][]float64, error) {
	xs := slices.Concat(a, b)
	fs := make([][]float64, len(xs))
	err := parallel.For(ctx, 0, len(xs), func(i int) {
		fs[i] = make([]float64, len(l.goals))
		l.objectives(fs[i], nil, xs[i])
	})
	if err != nil {
		return nil, err
	}
	keep := pareto.NonDominated(fs)
	slices.SortStableFunc(keep, func(i, j int) int {
		return cmp.Or(slices.Compare(fs[i], fs[j]), slices.Compare(xs[i], xs[j]))
	})
	var out [][]float64
	for _, i := range keep {
		if len(out) == 0 || !slices.Equal(out[len(out)-1], xs[i]) {
			out = append(out, xs[i])
		}
	}
	return out, nil
}

// FrontByVolume returns at most n coefficient vectors of the predicted front that together dominate most of
// the space up to a reference point (a value an optimised task, minimised: negated where the task is
// maximised), each the one that adds most to those before it. With more than four tasks an even spread over
// the front is nearly all rim; these are the trade-offs that matter. Not bounded by what is believed. Deterministic.
func (l *Landscape) FrontByVolume(ctx context.Context, n int, ref []float64) ([][]float64, error) {
	if n <= 0 || len(l.goals) == 0 {
		return nil, nil
	}
	if len(ref) != len(l.goals) {
		return nil, fail(BadQuestion, "the reference has %d entries for %d optimised tasks", len(ref), len(l.goals))
	}
	return l.byVolume(ctx, n, ref, nil)
}

// Of merges of eight models 100 points chosen from the ends of 400 directions have 3 % less of the hypervolume
// than from 1,600, and from 6,400 1 % more.
const (
	fineDirections = 1600
	fineProbes     = 20000 // by which points are chosen
)

// byVolume is FrontByVolume among the points where feasible, if there is such a function, is at most 0.
func (l *Landscape) byVolume(ctx context.Context, n int, ref []float64, feasible func([]float64) float64) ([][]float64, error) {
	xs, fs, err := l.chebyshevFront(ctx, max(fineDirections, n), ref)
	if err != nil {
		return nil, err
	}
	ok := func(i int) bool { return feasible == nil || feasible(xs[i]) <= 0 }
	chosen, err := mostVolume(ctx, fs, ref, fineProbes, n, ok)
	if err != nil {
		return nil, err
	}
	var out [][]float64
	for _, i := range chosen {
		out = append(out, xs[i])
	}
	return out, nil
}

// front finds the front of the surrogates' means where feasible is at most 0.
func (l *Landscape) front(ctx context.Context, n int, feasible func([]float64) float64) ([][]float64, error) {
	if n <= 0 || len(l.goals) == 0 {
		return nil, nil
	}
	xs, _, err := pareto.Front(ctx, l.Problem(), pareto.FrontOptions{N: n, Starts: l.starts, Feasible: feasible})
	return xs, err
}

// The bounds of what is believed: a prediction counts where its standard deviation is below a share of the
// measured range of its task, and where the point lies within the ellipsoid of the samples.
const (
	believedStd      = 0.15
	believedLeverage = 1.0
)

// Believed says whether the predictions at x may be believed: x lies among the points fitted (its leverage is at
// most 1), every optimised task is predicted to within a share of its measured range, and no point that failed is
// about as near as those that worked (failing). Points that are not believed are on the predicted front only where
// no point is.
func (l *Landscape) Believed(x []float64) bool { return l.doubt(x) <= 0 }

// doubt is above 0 where x may not be believed, and grows with the distance from where it may.
func (l *Landscape) doubt(x []float64) float64 {
	return max(l.failing(x, nearToBelieve), l.outside(x), l.uncertain(x))
}

// outside is above 0 where x lies outside the ellipsoid of the samples; −1 where no task is optimised.
func (l *Landscape) outside(x []float64) float64 {
	worst := -1.0
	for _, i := range l.goals {
		worst = max(worst, l.fits[i].surrogate.Leverage(x)/believedLeverage-1)
	}
	return worst
}

// uncertain is above 0 where an optimised task is not predicted well enough; −1 where none varies.
func (l *Landscape) uncertain(x []float64) float64 {
	worst := -1.0
	for _, i := range l.goals {
		if f := &l.fits[i]; f.varies() {
			_, std := f.surrogate.Predict(x)
			worst = max(worst, std/(believedStd*f.width)-1)
		}
	}
	return worst
}

// Doubt is why predictions are not to be believed, in words; "" where they may be.
type Doubt string

// What makes a point doubtful. Of several the first is said: what broke merges nearby matters most, and away
// from the samples everything is uncertain.
const (
	Failing   Doubt = "near a trial that failed"
	Outside   Doubt = "outside the sampled region"
	Uncertain Doubt = "too uncertain"
)

// Doubt says why the predictions at x are not to be believed; it is "" where, and only where, Believed holds.
func (l *Landscape) Doubt(x []float64) Doubt {
	switch {
	case l.failing(x, nearToBelieve) > 0:
		return Failing
	case l.outside(x) > 0:
		return Outside
	case l.uncertain(x) > 0:
		return Uncertain
	}
	return ""
}

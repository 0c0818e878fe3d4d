package study

import (
	"context"
	"fmt"
	"math"
	"slices"

	"parfait/pareto"
	"parfait/search"
)

// enough says why the search is over, where the front has stopped to grow, by w; "" while it has not, or it cannot be told.
func (w *StopWhen) enough(ctx context.Context, q search.Question) (string, error) {
	if w == nil || q.Focus != nil {
		return "", nil // who looks at one place does not ask for a larger front
	}
	gain, known, err := frontGain(ctx, q, w.Over)
	if err != nil || !known || gain >= w.Gain {
		return "", ctx.Err() // what cannot be fitted ends no search
	}
	return fmt.Sprintf("the front has gained %.2g %% over the last %d finished trials, less than stop_when asks for (%g %%): the search is over; a lower gain in study.yaml lets it go on", 100*gain, w.Over, 100*w.Gain), nil
}

// frontGain is by which share the hypervolume of the front that can be had is larger than that of the front that was to be
// had before the last over measured points, both by all that is known now: what those points were worth. What was
// measured is noisy, and the best of many measurements grows with their number by luck alone; surrogates of two
// moments differ by more than what one of them has found. It is not known with too few points.
//
// It costs two fits and two fronts. The same points give the same gain.
func frontGain(ctx context.Context, q search.Question, over int) (gain float64, known bool, err error) {
	before := q
	before.Done = withoutLast(q.Done, over)
	measured := func(points []search.Point) (n int) {
		for _, p := range points {
			if !p.Failed {
				n++
			}
		}
		return n
	}
	if n := measured(before.Done); n < LeastTrials || measured(q.Done)-n < over {
		return 0, false, nil
	}
	now, err := search.Fit(ctx, q)
	if err != nil {
		return 0, false, err
	}
	then, err := search.Fit(ctx, before)
	if err != nil {
		return 0, false, err
	}
	ref, predicted := now.Reference(), now.Problem()
	volumes := make([]float64, 2)
	for i, land := range []*search.Landscape{then, now} {
		xs, err := land.Front(ctx, gainPoints(len(ref)))
		if err != nil {
			return 0, false, err
		}
		costs := make([][]float64, len(xs))
		for k, x := range xs {
			costs[k] = make([]float64, predicted.M)
			predicted.Eval(costs[k], x)
		}
		if volumes[i], err = pareto.HypervolumeUntil(ctx, costs, ref); err != nil {
			return 0, false, err
		}
	}
	if !(volumes[0] > 0) || math.IsInf(volumes[1], 0) || math.IsNaN(volumes[1]) {
		return 0, false, nil
	}
	return volumes[1]/volumes[0] - 1, true, nil
}

// gainPoints is of how many points the hypervolume is taken: of more than four tasks it takes long.
func gainPoints(tasks int) int {
	if tasks > 4 {
		return 24
	}
	return 100
}

// withoutLast are the points but for the last n that were measured, by their numbers.
func withoutLast(points []search.Point, n int) []search.Point {
	out := slices.Clone(points)
	for i := len(out) - 1; i >= 0 && n > 0; i-- {
		if !out[i].Failed {
			out, n = slices.Delete(out, i, i+1), n-1
		}
	}
	return out
}

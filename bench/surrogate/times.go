package main

import (
	"context"
	"slices"
	"time"

	"parfait/surrogate"
)

// timing is how long something takes for all tasks together, on the processors that there are.
type timing struct {
	What   string  `json:"what"`
	Tasks  int     `json:"tasks"`
	N      int     `json:"n"`
	Best   float64 `json:"best_ms"`
	Median float64 `json:"median_ms"`
	Bar    float64 `json:"bar_ms"` // 0: none
}

// times measures fits of all tasks at n = 100 and 500, and the prediction of all tasks at a point that a
// slider has just come to: value, interval and leverage.
func (l *landscape) times(ctx context.Context, repeats int) ([]timing, error) {
	xs := uniform(500, l.n, l.scale()*l.top, 5)
	var out []timing
	for _, c := range []struct {
		n           int
		fit, slider float64 // bars, ms
	}{{100, 500, 1}, {500, 5000, 0}} {
		data := l.data(xs[:c.n], 0, 0)
		var fits []surrogate.Result
		fit, err := timed(repeats, func(int) error {
			fits = surrogate.Fit(ctx, data, surrogate.Choice{})
			return failures(fits)
		})
		if err != nil {
			return nil, err
		}
		at := uniform(200, l.n, l.scale()*l.top, 6)
		slide, err := timed(len(at), func(i int) error {
			for _, f := range fits {
				f.Surrogate.Predict(at[i])
				f.Surrogate.Interval(at[i], 0.9)
				f.Surrogate.Leverage(at[i])
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		fit.What, fit.Tasks, fit.N, fit.Bar = "fit", l.n, c.n, c.fit
		slide.What, slide.Tasks, slide.N, slide.Bar = "slider", l.n, c.n, c.slider
		out = append(out, fit, slide)
	}
	return out, nil
}

// timed runs f as often as it is told to.
func timed(repeats int, f func(i int) error) (timing, error) {
	var ms []float64
	for i := range repeats {
		start := time.Now()
		if err := f(i); err != nil {
			return timing{}, err
		}
		ms = append(ms, float64(time.Since(start).Microseconds())/1000)
	}
	return timing{Best: slices.Min(ms), Median: quantile(ms, 0.5)}, nil
}

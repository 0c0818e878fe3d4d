package explore

import (
	"context"

	"parfait/study"
)

// Refine returns points of the front around x that lie closer together than their intervals are wide and keep what w asks
// for: the floors of study.yaml, or a person's own instead, and a rival's figures. They have coefficients and no number. nil
// where nothing can be asked, or no point near x is so.
func (w Preference) Refine(ctx context.Context, a *study.Analysis, x []float64) ([]study.FrontPoint, error) {
	all, _ := w.bounds(a)
	return a.Refine(ctx, x, w.floors(a, all))
}

// Refine is [Preference.Refine] around the point in hand, under what is asked for.
func (s State) Refine(ctx context.Context, a *study.Analysis) ([]study.FrontPoint, error) {
	w := s.Wish(a)
	return a.Refine(ctx, s.X, w.floors(a, s.bounds(a)))
}

package explore

import (
	"context"

	"parfait/study"
)

// Refine returns points of the front around x that lie closer together than their intervals are wide and keep the floors:
// those of study.yaml, or a person's own instead. They have coefficients and no number. nil where nothing can be asked, or
// no point near x keeps the floors.
func Refine(ctx context.Context, a *study.Analysis, x []float64, own map[string]float64) ([]study.FrontPoint, error) {
	w := Preference{AtLeast: own}
	all, _ := w.bounds(a)
	return a.Refine(ctx, x, w.floors(a, all))
}

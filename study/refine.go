package study

import (
	"context"
	"math"

	"parfait/search"
)

// refinedDirections is how many directions a front is refined in: of eight tasks and a hundred trials a tenth of a
// second on two processors.
const refinedDirections = 48

// Refine returns points of the predicted front around x, which is on it or near it: those whose predictions are, on
// every objective, worse than the ones at x by no more than half the width of their intervals, so that no step between
// them is wider than what is known, and that keep floors. They have no place among the numbers of Front, no probability, and
// are ordered as Front is. nil where the analysis has no surrogates to ask, or nothing near x keeps the floors. The error
// is that of ctx, or that a task is not known.
func (a *Analysis) Refine(ctx context.Context, x []float64, floors []search.Floor) ([]FrontPoint, error) {
	if a.landscape == nil {
		return nil, nil
	}
	land, err := a.landscape.Under(floors)
	if err != nil {
		return nil, err
	}
	here := a.Predict(x)
	ref := a.costs(func(t int) float64 {
		p, worse := here[t], 0.0
		if half := (p.Hi - p.Lo) / 2; !math.IsNaN(half) && !math.IsInf(half, 0) {
			worse = half
		}
		v := p.Value - worse
		if a.Tasks[t].Sense == Minimize {
			v = p.Value + worse
		}
		for _, f := range floors {
			if task := a.Tasks[t]; f.Task == task.Name && f.Least == (task.Sense == Maximize) && task.Better(f.Value, v) {
				v = f.Value
			}
		}
		return v
	})
	from := [][]float64{x}
	costs := a.frontCosts()
	for i := range a.Front {
		if !worseThan(costs[i], ref) {
			from = append(from, a.Front[i].X)
		}
	}
	xs, err := land.Refine(ctx, refinedDirections, ref, from)
	if err != nil {
		return nil, err
	}
	var out []FrontPoint
	for _, x := range xs {
		out = append(out, FrontPoint{X: x, Predicted: a.Predict(x), Leverage: a.Leverage(x), Believed: true})
	}
	a.sortByFirst(out)
	return out, nil
}

// worseThan says whether a cost is above its limit.
func worseThan(costs, limits []float64) bool {
	for k, v := range costs {
		if v > limits[k] {
			return true
		}
	}
	return false
}

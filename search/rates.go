package search

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"parfait/pareto"
)

// Rates are the trade-off rates at a point of the predicted front, by the surrogates' gradients: entry (i, j) is
// what task j changes by, on its own scale, when task i gets better by one, along the move on the front that changes the
// other optimised tasks least, in units of their measured ranges (pareto.Rates). Tasks × tasks; NaN where a task is
// not optimised (to first order the front does not say what it does), and in the rows of those of which the front
// has no more to give here.
func (l *Landscape) Rates(x []float64) ([][]float64, error) {
	out := make([][]float64, len(l.tasks))
	for i := range out {
		out[i] = slices.Repeat([]float64{math.NaN()}, len(l.tasks))
	}
	if len(l.goals) == 0 {
		return out, nil
	}
	jac := mat.NewDense(len(l.goals), len(x), nil)
	l.objectives(make([]float64, len(l.goals)), jac, x)
	units := make([]float64, len(l.goals))
	for k, i := range l.goals {
		if units[k] = l.fits[i].width; !(units[k] > 0) {
			units[k] = 1
		}
	}
	rates, err := pareto.Rates(l.space.Bounds(), x, jac, units)
	if err != nil {
		return nil, err
	}
	for a, i := range l.goals {
		for b, j := range l.goals {
			out[i][j] = l.sign(j) * rates.At(a, b)
		}
	}
	return out, nil
}

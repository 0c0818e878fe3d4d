package study

// Predict returns the prediction of every task at x.
func (a *Analysis) Predict(x []float64) []Prediction {
	out := make([]Prediction, len(a.Fits))
	for i, f := range a.Fits {
		m, s := f.Surrogate.Predict(x)
		lo, hi := f.Surrogate.Interval(x, 0.9)
		out[i] = Prediction{Value: m, Std: s, Lo: lo, Hi: hi}
	}
	return out
}

// Leverage returns the largest leverage of x over the tasks' surrogates: up to 1 among the samples.
func (a *Analysis) Leverage(x []float64) float64 {
	worst := 0.0
	for _, f := range a.Fits {
		worst = max(worst, f.Surrogate.Leverage(x))
	}
	return worst
}

package digits

import (
	"math"

	"parfait/evaluator"
)

// Rate is the metric of k right answers out of n: the share, and its binomial standard error
// √(p̃(1−p̃)/n) with p̃ = (k+½)/(n+1), which is not zero even where every answer is right.
func Rate(k, n int) evaluator.Metric {
	p := (float64(k) + 0.5) / (float64(n) + 1)
	return evaluator.Metric{
		Value:  float64(k) / float64(n),
		Stderr: math.Sqrt(float64(p*(1-p)) / float64(n)),
		N:      n,
	}
}

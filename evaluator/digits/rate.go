package digits

import "parfait/evaluator"

// Rate is the metric of k right answers out of n: the share, and its standard error.
func Rate(k, n int) evaluator.Metric {
	return evaluator.Metric{Value: float64(k) / float64(n), Stderr: evaluator.RateStderr(float64(k), n), N: n}
}

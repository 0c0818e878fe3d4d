package evaluator

import "math"

// RateStderr is the standard error of a share of k among n independent items, √(p̃(1−p̃)/n) with
// p̃ = (k+½)/(n+1): that of the posterior mean of Jeffreys' prior (Brown, Cai and DasGupta 2001), which is not 0 where
// all of few items are right or none is. k may be no whole number: what a share is expected to be. n is at least 1.
func RateStderr(k float64, n int) float64 {
	p := (k + 0.5) / (float64(n) + 1)
	return math.Sqrt(float64(p*(1-p)) / float64(n))
}

package study

import (
	"math"

	"gonum.org/v1/gonum/mathext"

	"parfait/evaluator"
)

const (
	// falseAlarm is how often one of the tasks of an export is not as predicted though all are: it is shared among splits
	// and tasks (Bonferroni).
	falseAlarm = 0.02
	// onValidation is the share of that which validation has, of which predictions are.
	onValidation = 0.75
)

// NotAsPredicted are the tasks, in the order of tasks, of which a measurement is so far from its prediction that noise
// does not explain it: right predictions of an export are found wanting twice in a hundred times, on all its
// tasks and splits together, and one that is four standard errors of the measurement off in most (bench/verdicts). On the
// validation split the noise is that of the measurement and of the prediction; on another split also that of the items
// which the prediction was learnt from, as the measurement on validation has it: without that nothing is judged there.
func NotAsPredicted(tasks []Task, predicted map[string]Prediction, measured map[evaluator.Split]map[string]Metric) map[evaluator.Split][]string {
	out := map[evaluator.Split][]string{}
	for _, split := range []evaluator.Split{evaluator.Validation, evaluator.Test} {
		var names []string
		var chances []float64
		for _, t := range tasks {
			p, known := predicted[t.Name]
			m, both := measured[split][t.Name]
			if !known || !both {
				continue
			}
			if split != evaluator.Validation {
				learnt, ok := t.Stderr(measured[evaluator.Validation][t.Name])
				if !ok {
					continue
				}
				p.Std = math.Hypot(p.Std, learnt)
			}
			names, chances = append(names, t.Name), append(chances, t.surprise(p, m))
		}
		allowed := falseAlarm * onValidation
		if split != evaluator.Validation {
			allowed = falseAlarm - allowed
		}
		for i, name := range names {
			if chances[i] < allowed/float64(len(names)) {
				out[split] = append(out[split], name)
			}
		}
	}
	return out
}

// surprise is the probability of a measurement at least as far from the prediction, to either side. Of a rate of n items
// the measurement's noise is the one that it has where the prediction is right (the score form; Wilson 1927): at the
// measurement itself it is far too small near 0 and 1. A few items, or a rate near 0 or 1, are counted: the prediction
// is a beta distribution of the rate then. Where no noise of the measurement is known, that in the prediction's interval
// has to do.
func (t Task) surprise(p Prediction, m Metric) float64 {
	stderr, known := t.Stderr(m)
	if !known {
		const inInterval = 1.645 // standard deviations from the middle of a 90 % interval to its ends
		side := p.Hi - p.Value
		if m.Value < p.Value {
			side = p.Value - p.Lo
		}
		return twoSided(m.Value-p.Value, side/inInterval)
	}
	if !t.Rate() || m.N <= 0 {
		return twoSided(m.Value-p.Value, math.Hypot(p.Std, stderr))
	}
	n := float64(m.N)
	value := min(max(p.Value, 0), 1)
	clustered := stderr / evaluator.RateStderr(n*m.Value, m.N) // what items of a kind, or counted twice, make of it
	if stderr = clustered * evaluator.RateStderr(n*value, m.N); n*stderr > manyRight*clustered {
		return twoSided(m.Value-p.Value, math.Hypot(p.Std, stderr))
	}
	n = math.Round(n / (clustered * clustered))
	return betaBinomial(value, p.Std, math.Round(m.Value*n), max(n, 1))
}

// manyRight is from how large a standard deviation the number of items that are right is as good as normal.
const manyRight = 6

// twoSided is the probability of a normal deviate at least as large, of a standard deviation.
func twoSided(d, std float64) float64 {
	if d == 0 {
		return 1
	}
	return math.Erfc(math.Abs(d) / std / math.Sqrt2)
}

// betaBinomial is the probability that of n items a number are right which is at least as far from what is expected as k
// is: twice the smaller tail, of which k itself counts half (mid-p; Lancaster 1961), where the rate has a beta
// distribution with a mean and a standard deviation. O(n).
func betaBinomial(mean, std, k, n float64) float64 {
	if mean > 0.5 { // from the end that is not next to impossible
		mean, k = 1-mean, n-k
	}
	mean = max(mean, 0.5/(n+1))
	size := max(mean*(1-mean)/max(std*std, 1e-12)-1, 1)
	a, b := mean*size, (1-mean)*size
	var below, at, all float64
	p := math.Exp(mathext.Lbeta(a, b+n) - mathext.Lbeta(a, b))
	for i := 0.0; i <= n; i++ {
		switch {
		case i < k:
			below += p
		case i == k:
			at = p
		}
		all += p
		p *= (n - i) * (a + i) / ((i + 1) * (b + n - i - 1))
	}
	return min(1, 2*min(below+at/2, all-below-at/2))
}

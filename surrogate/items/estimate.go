package items

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"parfait/problem"
)

// Asking is one sample of the items of a trial, and its answers.
type Asking struct {
	Items       []int     // k: which were asked, as drawn by Draw
	Scores      []float64 // k: of each
	Probability []float64 // n: with which each item was drawn; 0 for those asked before, and only for these
	Predicted   []float64 // n: the scores that were expected, by a fit without these answers

	doubt []float64 // n: of a difference of rights and wrongs, the variance that is expected of each item; nil: what it is follows from Predicted
}

// All is the asking of all items, of which nothing is left to estimate.
func All(scores []float64) Asking {
	a := Asking{Scores: scores, Probability: make([]float64, len(scores)), Predicted: make([]float64, len(scores))}
	for i := range scores {
		a.Items = append(a.Items, i)
		a.Probability[i] = 1
	}
	return a
}

// Estimate is a mean over items, with two standard errors. It may lie outside of where scores can be, by some standard
// errors: brought back, it would have a bias.
type Estimate struct {
	Value float64
	These float64 // standard error of the mean over these n items; 0 where all were asked
	New   float64 // standard error of the mean over all items that could be drawn as these were
	N     int     // items that there are
	Asked int     // items that were answered

	freedom float64 // degrees of freedom of These
}

// ForThese is the central interval of the given level, e.g. 0.9, of the mean over these n items, by Student's distribution
// with as many degrees of freedom as the spread of the answers' contributions tells (Satterthwaite 1946).
func (e Estimate) ForThese(level float64) (lo, hi float64) {
	return e.interval(e.These, e.freedom, level)
}

// ForNew is the central interval of the mean over all items that could be drawn as these were.
func (e Estimate) ForNew(level float64) (lo, hi float64) {
	freedom := e.freedom // of the sum, the other part's being n − 1
	if e.New > 0 {
		design, rest := e.These*e.These, e.New*e.New-e.These*e.These
		freedom = design * design / max(e.freedom, 1)
		freedom = e.New * e.New * e.New * e.New / (freedom + rest*rest/max(float64(e.Asked-1), 1))
	}
	return e.interval(e.New, freedom, level)
}

func (e Estimate) interval(std, freedom, level float64) (lo, hi float64) {
	if !(std > 0) {
		return e.Value, e.Value
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: max(freedom, 1)}.Quantile((1 + level) / 2)
	return e.Value - t*std, e.Value + t*std
}

// Combine estimates the mean score of a trial over its n items from one asking of it, or several, in their order, each of
// items that those before did not ask.
//
// An asking estimates the sum of the items that are open by what was predicted of all and Σ (score − predicted)/probability
// of those asked, which has no bias whatever the predictions are worth; what was answered before is known. Given
// the earlier answers each is without bias, so that no two are correlated, and they are added with weights that depend on the
// numbers of items alone. Its variance is estimated as that of a sample of high entropy and fixed size is (Hájek 1964;
// Deville, Variance estimation for complex statistics and estimators, 1999, with c_k = (1−π_k)/(1−Σa²)); where none of the
// answers is a surprise, see unsurprised.
func Combine(askings ...Asking) (Estimate, error) {
	if err := checkAskings(askings); err != nil {
		return Estimate{}, err
	}
	n := len(askings[0].Predicted)
	e := Estimate{N: n}
	known, before := 0.0, make([]bool, n)
	var values, variances, freedoms, weights []float64
	for _, a := range askings {
		value, open := known, float64(n-e.Asked)
		for i, p := range a.Predicted {
			if !before[i] {
				value += p
			}
		}
		for k, i := range a.Items {
			value += (a.Scores[k] - a.Predicted[i]) / a.Probability[i]
		}
		variance, freedom := a.variance()
		k := float64(len(a.Items))
		values, variances, freedoms = append(values, value/float64(n)), append(variances, variance/float64(n*n)), append(freedoms, freedom)
		weights = append(weights, 1/(open*open*(1/k-1/open)))
		for k, i := range a.Items {
			before[i] = true
			known += a.Scores[k]
		}
		e.Asked += len(a.Items)
	}
	e.combine(values, variances, freedoms, weights)
	e.New = math.Sqrt(e.These*e.These + spread(askings, e.Value)/float64(n))
	return e, nil
}

// combine adds estimates that are not correlated; a weight is infinite where all that was open was asked.
func (e *Estimate) combine(values, variances, freedoms, weights []float64) {
	if last := len(values) - 1; math.IsInf(weights[last], 1) {
		e.Value = values[last]
		return
	}
	total, design, doubt := 0.0, 0.0, 0.0
	for _, w := range weights {
		total += w
	}
	for j, w := range weights {
		w /= total
		e.Value += w * values[j]
		v := w * w * variances[j]
		design += v
		doubt += v * v / freedoms[j]
	}
	e.These = math.Sqrt(design)
	if doubt > 0 {
		e.freedom = design * design / doubt
	}
}

// variance estimates the variance of the sum of one asking, and its degrees of freedom.
func (a Asking) variance() (variance, freedom float64) {
	total, squares, mean := 0.0, 0.0, 0.0
	surprised := false
	for k, i := range a.Items {
		q := 1 - a.Probability[i]
		total += q
		squares += q * q
		off := a.Scores[k] - a.Predicted[i]
		mean += q * off / a.Probability[i]
		surprised = surprised || q > 0 && math.Abs(off) > 0.5
	}
	if !(total > 0) {
		return 0, 1
	}
	mean /= total
	fourth, count := 0.0, 0.0
	for k, i := range a.Items {
		q := 1 - a.Probability[i]
		d := (a.Scores[k]-a.Predicted[i])/a.Probability[i] - mean
		v := q * d * d
		variance += v
		fourth += v * v
		if q > 0 {
			count++
		}
	}
	freedom = max(count-1, 1)
	if variance > 0 {
		if relative := fourth/(variance*variance) - 1/count; relative > 0 {
			freedom = min(max(2/relative, 1), freedom)
		}
	}
	variance /= max(1-squares/(total*total), 1e-9)
	if !surprised && (a.doubt != nil || binary([]Asking{a})) {
		if least := a.unsurprised(); least > variance {
			return least, fewest
		}
	}
	return variance, freedom
}

// fewest are the degrees of freedom where nothing that was asked was a surprise.
const fewest = 2

// unsurprised is the variance that rights and wrongs are given where none of those asked was a surprise, from which alone there
// would seem to be none at all: what is expected from the predictions, or of one surprise where more were expected. With no
// right of k, and none expected, the 90 % interval ends at about 3/k as the rule of three has it (Hanley and Lippman-Hand 1983).
func (a Asking) unsurprised() float64 {
	expected, surprises := 0.0, 0.0
	least := 1 / (2 * float64(len(a.Items)))
	for i, q := range a.Probability {
		if q > 0 && q < 1 {
			doubt := a.Predicted[i] * (1 - a.Predicted[i])
			if a.doubt != nil {
				doubt = a.doubt[i]
			}
			doubt = max(doubt, least*(1-least))
			expected += (1 - q) / q * doubt
			surprises += q * doubt
		}
	}
	return expected / max(surprises, 1)
}

// spread estimates the variance of the scores over the items: of rights and wrongs from their mean, of others by what was
// asked, each answer for as many items as its probability says.
func spread(askings []Asking, mean float64) float64 {
	n := len(askings[0].Predicted)
	if binary(askings) {
		least := 1 / (2 * float64(n))
		p := min(max(mean, least), 1-least)
		return p * (1 - p) * float64(n) / max(float64(n-1), 1)
	}
	var values []weighed
	for i, a := range answered(askings, n) {
		if a.weight > 0 {
			values = append(values, weighed{i, a.score, a.weight})
		}
	}
	return variances(values, mean, n, nil) * float64(n)
}

func checkAskings(askings []Asking) error {
	var e problem.List
	if len(askings) == 0 || len(askings[0].Predicted) == 0 {
		e.Add(Empty, "nothing was asked")
		return e.Err()
	}
	n := len(askings[0].Predicted)
	before := make([]bool, n)
	for j, a := range askings {
		what := fmt.Sprintf("asking %d", j)
		if len(a.Items) == 0 {
			e.Add(Empty, "%s has no items", what)
		}
		if len(a.Predicted) != n || len(a.Probability) != n {
			e.Add(Shape, "%s has %d predictions and %d probabilities for %d items", what, len(a.Predicted), len(a.Probability), n)
			return e.Err()
		}
		already := len(e)
		if checkAnswers(&e, what, slices.Clip(a.Items), a.Scores, n); len(e) > already {
			continue
		}
		for i, p := range a.Probability {
			switch {
			case !(p >= 0 && p <= 1):
				e.Add(NotANum, "%s: the probability of item %d is %g: expected 0 to 1", what, i, p)
			case before[i] && p > 0:
				e.Add(Unknown, "%s: item %d was asked before and could be drawn again: give it probability 0", what, i)
			case !before[i] && p == 0:
				e.Add(Unknown, "%s: item %d was not asked before and could not be drawn: the estimate would have a bias", what, i)
			}
			if !finite(a.Predicted[i]) {
				e.Add(NotANum, "%s: the prediction of item %d is %g", what, i, a.Predicted[i])
			}
		}
		for _, i := range a.Items {
			if a.Probability[i] == 0 {
				e.Add(Unknown, "%s: item %d could not be drawn and was asked", what, i)
			}
			before[i] = true
		}
	}
	return e.Err()
}

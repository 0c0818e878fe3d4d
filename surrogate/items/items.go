// Package items estimates the metric of a trial from the answers to some of its items, and compares trials item by item.
//
// A study measures many merges on the same n items, and each answers most of them like its neighbours. So a [Predictor],
// fitted to the answers of other trials, says how likely the trial answers each item rightly; [Probabilities] says with
// which probability each is worth asking, and [Draw] draws a sample of K; once these are answered, [Combine] estimates the
// mean over all n items, without bias whatever the predictions are worth, with two standard errors:
//
//   - for these items: of the mean over these n items, which other trials are measured on, too. It is 0 where all were asked.
//   - for new items: of the mean over all items that could be drawn as these n were.
//
// [Difference] compares two trials by their items, [Allocate] divides a budget of items among tasks, and [Separate] says which
// items tell trials apart.
//
// In come coefficients, numbers of items (0 … n−1, the same items for all trials) and scores: 0 and 1, shares, or any real
// numbers, such as losses. Nothing is random but samples, which depend on their seed alone. The package knows nothing of
// evaluators, studies or searches; numerics are gonum's.
//
// Sources: the estimator is the difference estimator of Särndal, Swensson and Wretman, Model Assisted Survey Sampling
// (1992), §6.3, over inclusion probabilities (Horvitz and Thompson 1952); it is known as prediction-powered (Angelopoulos et
// al., Science 382, 2023) and, with probabilities that follow the doubt, active inference (Zrnic and Candès, ICML 2024).
// Standard errors of evaluations, paired and in clusters: Miller, Adding error bars to evals (arXiv 2411.00640).
package items

import (
	"math"

	"parfait/problem"
)

// Trial is what one trial answered, in one or several askings.
type Trial struct {
	X      []float64 // d: coefficients, in their own units
	Items  []int     // k: which items, each once; nil: all n, in order
	Scores []float64 // k: of each
}

// Code names a kind of mistake: errors.Is(err, items.Shape) asks for one.
type Code = problem.Code

// The codes of this package's errors; what is wrong with data comes all at once, as a problem.List.
const (
	Shape   Code = "items-shape"  // lengths that do not match
	Empty   Code = "items-empty"  // no answer at all
	NotANum Code = "items-nan"    // NaN or an infinity where a number is needed
	Unknown Code = "items-item"   // an item that there is not, or that is named twice
	Budget  Code = "items-budget" // more items than there are, or none
	Fit     Code = "items-fit"    // a fit that numerics could not carry through
)

// item is the number of the k-th answer's item.
func (t Trial) item(k int) int {
	if t.Items == nil {
		return k
	}
	return t.Items[k]
}

// check says what is wrong with a trial of d coefficients and n items; what names it. seen has n entries, all below mark.
func (t Trial) check(e *problem.List, what string, d, n int) {
	if len(t.X) != d {
		e.Add(Shape, "%s has %d coefficients, expected %d", what, len(t.X), d)
	}
	for i, v := range t.X {
		if !finite(v) {
			e.Add(NotANum, "%s: coefficient %d is %g", what, i, v)
		}
	}
	checkAnswers(e, what, t.Items, t.Scores, n)
}

// checkAnswers says what is wrong with scores of some of n items.
func checkAnswers(e *problem.List, what string, items []int, scores []float64, n int) {
	asked := len(items)
	if items == nil {
		asked = n
	}
	if len(scores) != asked {
		e.Add(Shape, "%s has %d scores for %d items", what, len(scores), asked)
	}
	for k, v := range scores {
		if !finite(v) {
			e.Add(NotANum, "%s: score %d is %g: leave out the trial, or ask the item again", what, k, v)
		}
	}
	seen := make([]bool, n)
	for _, i := range items {
		switch {
		case i < 0 || i >= n:
			e.Add(Unknown, "%s: item %d: there are %d, from 0", what, i, n)
		case seen[i]:
			e.Add(Unknown, "%s: item %d is there twice", what, i)
		default:
			seen[i] = true
		}
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

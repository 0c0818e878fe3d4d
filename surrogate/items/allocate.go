package items

import (
	"math"

	"parfait/problem"
)

// Allocate divides a budget of total items among tasks, so that the sum of the tasks' squared standard errors, each times the
// square of its weight, is least: std are, of each task, the standard deviations of its n items' answers about their
// predictions ([Predictor.At]; negative for those that are not to be asked), weight what an error of the task counts (nil:
// alike), and least how many items each gets at any rate, or all it has. The optimum in whole numbers (Neyman 1934; Wright,
// The equivalence of Neyman optimum allocation for sampling and equal proportions for apportioning the U.S. House of
// Representatives, The American Statistician 66, 2012). O(total · tasks).
func Allocate(total int, std [][]float64, weight []float64, least int) ([]int, error) {
	var e problem.List
	out, most, doubt := make([]int, len(std)), make([]int, len(std)), make([]float64, len(std))
	if weight != nil && len(weight) != len(std) {
		e.Add(Shape, "%d weights for %d tasks", len(weight), len(std))
	}
	given, all := 0, 0
	for t, of := range std {
		for i, v := range of {
			switch {
			case !finite(v):
				e.Add(NotANum, "task %d: the standard deviation of item %d is %g", t, i, v)
			case v >= 0:
				most[t]++
				doubt[t] += v
			}
		}
		if len(of) > 0 {
			doubt[t] /= float64(len(of))
		}
		if t < len(weight) {
			if !(weight[t] >= 0) || math.IsInf(weight[t], 0) {
				e.Add(NotANum, "task %d: weight %g: expected 0 or more", t, weight[t])
			}
			doubt[t] *= weight[t]
		}
		out[t] = min(max(least, 0), most[t])
		given, all = given+out[t], all+most[t]
	}
	switch {
	case total < given:
		e.Add(Budget, "%d items for %d tasks of at least %d each: %d are needed", total, len(std), least, given)
	case total > all:
		e.Add(Budget, "%d items: the tasks have %d that can be asked", total, all)
	}
	if err := e.Err(); err != nil {
		return nil, err
	}
	for ; given < total; given++ {
		best, gain := -1, math.Inf(-1)
		for t, k := range out {
			if k == most[t] {
				continue
			}
			// What one item more takes off doubt²/k; of a task that has none, everything: it comes first.
			g := doubt[t] * doubt[t] / (float64(k) * float64(k+1))
			if k == 0 {
				g = math.Inf(1)
			}
			if best < 0 || g > gain {
				best, gain = t, g
			}
		}
		out[best]++
	}
	return out, nil
}

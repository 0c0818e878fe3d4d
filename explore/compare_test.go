package explore

import (
	"slices"
	"strings"
	"testing"

	"parfait/study"
)

// contest is a comparison of studies a, b, c, … with these hypervolumes, each ± 1 %, in which the first in the order is
// ahead in a share of the draws; leaders are those that noise cannot tell from it, on the front and on each of two tasks.
func contest(ahead float64, volumes []float64, order []int, leaders ...[]int) *study.Comparison {
	c := &study.Comparison{Tasks: []study.Task{
		{Name: "math", Sense: study.Maximize, Unit: "rate"}, {Name: "loss", Sense: study.Minimize},
	}}
	c.Fronts = study.Standing{Value: volumes, Order: order, Leaders: leaders[0]}
	for i := range volumes {
		c.Studies = append(c.Studies, study.Contestant{Name: string(rune('a' + i)), Trials: 40})
		c.Fronts.Std = append(c.Fronts.Std, 0.01)
		c.Fronts.Ahead = append(c.Fronts.Ahead, slices.Repeat([]float64{ahead}, len(volumes)))
	}
	for _, l := range leaders[1:] {
		c.On = append(c.On, study.Standing{Leaders: l})
	}
	return c
}

func TestComparedInWords(t *testing.T) {
	for name, c := range map[string]struct {
		of   *study.Comparison
		want string
	}{
		"beyond noise": {
			contest(0.99, []float64{0.6, 0.5}, []int{0, 1}, []int{0}, []int{0}, []int{1}),
			"a has the better front: 60.0 ± 1.0 % of the box against 50.0 ± 1.0 %, and is ahead in 99 % of the draws.\n" +
				"The best trial of each task: a is best on math; b is best on loss.\n" + ofTheseRuns,
		},
		"the second is better": {
			contest(0.99, []float64{0.5, 0.6}, []int{1, 0}, []int{1}, []int{0, 1}, []int{0, 1}),
			"b has the better front: 60.0 ± 1.0 % of the box against 50.0 ± 1.0 %, and is ahead in 99 % of the draws.\n" +
				"The best trial of each task: noise decides on math and loss.\n" + ofTheseRuns,
		},
		"within noise": {
			contest(0.9, []float64{0.6, 0.59}, []int{0, 1}, []int{0, 1}, []int{0, 1}, []int{0}),
			"Noise decides which front is better: a has 60.0 ± 1.0 % of the box against 59.0 ± 1.0 %, and is ahead in 90 % of the draws.\n" +
				"The best trial of each task: a is best on loss; noise decides on math.",
		},
		"predicted otherwise": {
			predicting(contest(0.99, []float64{0.6, 0.5}, []int{0, 1}, []int{0}, []int{0, 1}, []int{0, 1}), 0.7, 0.8),
			"a has the better front: 60.0 ± 1.0 % of the box against 50.0 ± 1.0 %, and is ahead in 99 % of the draws.\n" +
				"The best trial of each task: noise decides on math and loss.\n" +
				"By predictions b (80.0 %) would not be behind a (70.0 %): measure points of these fronts before you decide.\n" + ofTheseRuns,
		},
		"three, two of them alike": {
			contest(0.6, []float64{0.6, 0.59, 0.3}, []int{0, 1, 2}, []int{0, 1}, []int{0, 1}, []int{2}),
			"Noise decides whether a or b has the best front: a has 60.0 ± 1.0 % of the box against 59.0 ± 1.0 % of b, the next, and is ahead in 60 % of the draws. Worse beyond noise: c.\n" +
				"The best trial of each task: c is behind on math; c is best on loss.\n" + ofTheseRuns,
		},
	} {
		if got := strings.Join(Compared(c.of), "\n"); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

const ofTheseRuns = "That is of these runs. The luck of the search is not in it: run each with several seeds before you say it of a method or a strategy."

func predicting(c *study.Comparison, volumes ...float64) *study.Comparison {
	for i, v := range volumes {
		c.Studies[i].Predicted = v
	}
	return c
}

package explore

import (
	"strings"
	"testing"

	"parfait/pareto"
	"parfait/study"
)

// contest is a comparison of studies a, b, c, … with these hypervolumes, of two tasks with these best values. Each
// is ahead of those after it in the share of the draws.
func contest(ahead, stderr float64, volumes []float64, best ...[2]float64) *study.Comparison {
	c := &study.Comparison{Tasks: []study.Task{
		{Name: "math", Sense: study.Maximize, Unit: "rate"}, {Name: "loss", Sense: study.Minimize},
	}}
	for i, v := range volumes {
		s := study.Contestant{Name: string(rune('a' + i)), Trials: 40, Measured: pareto.Indicators{Volume: v}}
		for range c.Tasks {
			s.Noise = append(s.Noise, study.Noise{Least: 450, Most: 450, Known: stderr > 0})
		}
		row := make([]float64, len(volumes))
		for k := range row {
			switch {
			case k > i:
				row[k] = ahead
			case k < i:
				row[k] = 1 - ahead
			}
		}
		for _, m := range best[i] {
			s.Best = append(s.Best, study.Best{Metric: study.Metric{Value: m, Stderr: stderr}})
		}
		c.Studies, c.Ahead = append(c.Studies, s), append(c.Ahead, row)
	}
	return c
}

func TestComparedInWords(t *testing.T) {
	for name, c := range map[string]struct {
		of   *study.Comparison
		want string
	}{
		"beyond noise": {
			contest(0.99, 0.01, []float64{0.6, 0.5}, [2]float64{0.9, 2}, [2]float64{0.8, 1}),
			"a has the better front: 60.0 % of the box against 50.0 %, and is ahead in 198 of 200 draws of the noise.\n" +
				"The best measurement of each task: a is best on math; b is best on loss.\n" +
				"The noise is that of the measurements; the luck of the search is not in it.",
		},
		"the second is better": {
			contest(0.01, 0.01, []float64{0.5, 0.6}, [2]float64{0.9, 1}, [2]float64{0.9, 1}),
			"b has the better front: 60.0 % of the box against 50.0 %, and is ahead in 198 of 200 draws of the noise.\n" +
				"The best measurement of each task: noise decides on math and loss.\n" +
				"The noise is that of the measurements; the luck of the search is not in it.",
		},
		"within noise": {
			contest(0.9, 0.01, []float64{0.6, 0.59}, [2]float64{0.9, 1}, [2]float64{0.89, 1.5}),
			"Noise decides which front is better: a has 60.0 % of the box against 59.0 %, and is ahead in 180 of 200 draws of the noise.\n" +
				"The best measurement of each task: a is best on loss; noise decides on math.",
		},
		"noise is not known": {
			contest(1, 0, []float64{0.6, 0.5}, [2]float64{0.9, 1}, [2]float64{0.8, 2}),
			"Which front is better cannot be said: the noise is not known on math and loss: a, b. " + larger + "\n" +
				"The best measurement of each task: it cannot be said on math and loss.\n" +
				"To be able to say it have the evaluator report stderr, in a new study: what was measured stays as it is.",
		},
		"noise of one task is not known": {
			uneven(func(s []study.Contestant) { s[1].Noise[0] = study.Noise{Most: 450, Known: true} }),
			"Which front is better cannot be said: the number of items is not known on math: b. " + larger + "\n" +
				"The best measurement of each task: b is best on loss; it cannot be said on math.\n" +
				"To be able to say it have the evaluator report n, the number of items, in a new study: what was measured stays as it is.",
		},
		"other numbers of items": {
			uneven(func(s []study.Contestant) {
				s[0].Noise[0], s[0].Noise[1] = study.Noise{Least: 100, Most: 100, Known: true}, study.Noise{Least: 99, Most: 100, Known: true}
			}),
			"Which front is better cannot be said: the numbers of items differ on math: 100 (a), 450 (b); the numbers of items differ on loss: 99 to 100 (a), 450 (b). " + larger + "\n" +
				"The best measurement of each task: it cannot be said on math and loss.\n" +
				"To be able to say it measure all of them on the same items, in a new study: what was measured stays as it is.",
		},
		"other numbers of trials": {
			uneven(func(s []study.Contestant) { s[1].Trials = 80 }),
			"Which front is better cannot be said: the numbers of trials differ: 40 (a), 80 (b). " + larger + "\n" +
				"The best measurement of each task: it cannot be said on math and loss.\n" +
				"To be able to say it raise the budget of those with fewer (search.budget in study.yaml).",
		},
		"three, of which one is other": {
			func() *study.Comparison {
				c := threeStudies()
				c.Studies[0].Noise = []study.Noise{{Least: 9, Most: 9, Known: true}, {Least: 9, Most: 9, Known: true}}
				return c
			}(),
			"Which front is better cannot be said: the numbers of items differ on math and loss: 9 (a), 450 (b, c). " + larger + "\n" +
				"The best measurement of each task: it cannot be said on math and loss.\n" +
				"To be able to say it measure all of them on the same items, in a new study: what was measured stays as it is. b and c can be compared by themselves.",
		},
		"predicted otherwise": {
			predicting(contest(0.99, 0.01, []float64{0.6, 0.5}, [2]float64{0.9, 2}, [2]float64{0.9, 2}), 0.7, 0.8),
			"a has the better front: 60.0 % of the box against 50.0 %, and is ahead in 198 of 200 draws of the noise.\n" +
				"The best measurement of each task: noise decides on math and loss.\n" +
				"By predictions b (80.0 %) would not be behind a (70.0 %): measure points of these fronts before you decide.\n" +
				"The noise is that of the measurements; the luck of the search is not in it.",
		},
		"three, two of them alike": {
			threeStudies(),
			"Noise decides whether a or b has the best front: a has 60.0 % of the box against 59.0 % of b, the next, and is ahead in 120 of 200 draws of the noise. Worse beyond noise: c.\n" +
				"The best measurement of each task: c is behind on math; c is best on loss.\n" +
				"The noise is that of the measurements; the luck of the search is not in it.",
		},
	} {
		if got := strings.Join(Compared(c.of), "\n"); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

const larger = "The hypervolume of measurements is larger than the truth, the more the noisier they are and the more of them there are."

// uneven is a comparison of two that would be beyond noise, but for a change.
func uneven(change func([]study.Contestant)) *study.Comparison {
	c := contest(1, 0.01, []float64{0.6, 0.5}, [2]float64{0.9, 2}, [2]float64{0.8, 1})
	change(c.Studies)
	return c
}

func predicting(c *study.Comparison, volumes ...float64) *study.Comparison {
	for i, v := range volumes {
		c.Studies[i].Predicted = v
	}
	return c
}

func threeStudies() *study.Comparison {
	c := contest(0.99, 0.01, []float64{0.6, 0.59, 0.3}, [2]float64{0.9, 2}, [2]float64{0.9, 2}, [2]float64{0.5, 1})
	c.Ahead[0][1], c.Ahead[1][0] = 0.6, 0.4
	return c
}

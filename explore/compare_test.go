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
		s := study.Contestant{Name: string(rune('a' + i)), Measured: pareto.Standing{Volume: v}, Noisy: stderr > 0}
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
			"a has the largest hypervolume, 60.0 % of the box against 50.0 %; whether that is more than noise cannot be said: no standard errors are known.\n" +
				"The best measurement of each task: the noise of math and loss is not known.",
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

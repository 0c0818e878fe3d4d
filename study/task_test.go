package study

import (
	"math"
	"strings"
	"testing"

	"parfait/evaluator"
)

// The three forms in which a figure can be reported, and what is known of its noise: never that it has none.
func TestStderr(t *testing.T) {
	rate, loss := Task{Name: "a", Unit: "rate"}, Task{Name: "b", Unit: "loss"}
	for _, c := range []struct {
		name  string
		task  Task
		m     Metric
		want  float64
		known bool
	}{
		{"value alone", rate, Metric{Value: .5}, 0, false},
		{"value and n", rate, Metric{Value: .5, N: 100}, .05, true},
		{"value and stderr", rate, Metric{Value: .5, Stderr: .07}, .07, true},
		{"all three", rate, Metric{Value: .5, Stderr: .07, N: 100}, .07, true},
		{"all right, of n", rate, Metric{Value: 1, N: 50}, math.Sqrt(.5 / 51 * 50.5 / 51 / 50), true},
		{"none right, of n", rate, Metric{Value: 0, N: 50}, math.Sqrt(.5 / 51 * 50.5 / 51 / 50), true},
		{"all right, of nobody knows how many", rate, Metric{Value: 1}, 0, false},
		{"a loss over n", loss, Metric{Value: 2, N: 100}, 0, false},
		{"a loss with stderr", loss, Metric{Value: 2, Stderr: .1, N: 100}, .1, true},
	} {
		got, known := c.task.Stderr(c.m)
		if math.Abs(got-c.want) > 1e-12 || known != c.known {
			t.Errorf("%s: %g (known: %v), want %g (%v)", c.name, got, known, c.want, c.known)
		}
		if seen := c.task.WithStderr(c.m).Stderr; seen != got {
			t.Errorf("%s: shown with %g, judged with %g", c.name, seen, got)
		}
		if p := point(Trial{State: evaluator.Done, Metrics: map[string]Metric{c.task.Name: c.m}}, []Task{c.task}); p.Y[0].Stderr != got {
			t.Errorf("%s: searched with %g, judged with %g", c.name, p.Y[0].Stderr, got)
		}
	}
}

// Where a prediction is right, noise is taken for more than that once in 200 times at most, of however few items
// and however near to 1: what is counted is every number of right answers, by its probability.
func TestAsPredictedFalseAlarms(t *testing.T) {
	rate := Task{Name: "a", Unit: "rate"}
	for _, n := range []int{30, 50, 100, 450} {
		for _, p := range []float64{.5, .8, .9, .95, .98, .99, .995, .999} {
			half := 0.3 * 1.645 * math.Sqrt(p*(1-p)/float64(n))
			alarms, pmf := 0.0, math.Pow(1-p, float64(n))
			for k := 0; k <= n; k++ {
				if !rate.AsPredicted(Prediction{Value: p, Lo: p - half, Hi: p + half}, Metric{Value: float64(k) / float64(n), N: n}) {
					alarms += pmf
				}
				pmf *= p / (1 - p) * float64(n-k) / float64(k+1)
			}
			if alarms > 0.005 {
				t.Errorf("%d items of a rate of %g: %.4f of right predictions alarm, want .005 at most", n, p, alarms)
			}
		}
	}
}

// A loss of 0 is a measurement, unless somebody chose a scale that has none.
func TestPossible(t *testing.T) {
	read := func(task string) Task {
		s, err := ParseSpec("study.yaml", []byte("version: 1\nbase: b\nmodels: [{name: a, path: a}]\ntasks: ["+task+"]\nevaluators: {main: {fake: {}}}\n"))
		if err != nil {
			t.Fatal(err)
		}
		return s.Tasks[0]
	}
	for _, c := range []struct {
		task string
		v    float64
		want string // in the error; "" for none
	}{
		{"{name: harm, unit: loss}", 0, ""},
		{"{name: harm, unit: loss, link: auto}", 0, ""},
		{"{name: harm, unit: loss, link: log}", 0, "set link: auto"},
		{"{name: harm, unit: loss, link: log}", 0.1, ""},
		{"{name: good, unit: rate}", 1.5, "a rate is from 0 to 1"},
	} {
		err := read(c.task).possible(c.v)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %g: %v, want %q", c.task, c.v, err, c.want)
		}
	}
}

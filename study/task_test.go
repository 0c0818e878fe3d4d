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
		err := read(c.task).Possible(c.v)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %g: %v, want %q", c.task, c.v, err, c.want)
		}
	}
}

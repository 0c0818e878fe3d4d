package study

import (
	"maps"
	"math"
	"slices"
	"time"

	"parfait/evaluator"
)

// Measurement is one evaluator's answer for one trial, split and set of tasks. It never changes.
type Measurement struct {
	ID        int               `json:"-"` // in the order in which they came
	Attempt   int               `json:"attempt"`
	Evaluator string            `json:"evaluator,omitempty"` // "": not recorded
	Split     evaluator.Split   `json:"split"`
	At        time.Time         `json:"at"`
	Metrics   evaluator.Metrics `json:"metrics"`
}

// add adds a measurement, and brings the trial's figures to what its measurements come to on the tasks that the new one
// has. Of a task that was measured more than once it is the mean, each measurement weighted by its n where all
// have one. Repeats are of the same items, as far as anybody knows: the standard error is the root of the mean of the
// squares, and n the largest, so that measuring the same again makes nobody surer than the items do.
func (t *Trial) add(last Measurement) {
	t.Measurements = append(slices.Clip(t.Measurements), last)
	if len(t.Measurements) == 1 && last.Split == evaluator.Validation {
		t.Metrics = last.Metrics // which nobody changes
		return
	}
	t.Metrics = maps.Clone(t.Metrics) // others may have it
	for task := range last.Metrics {
		var of []Metric
		for _, m := range t.Measurements {
			if v, ok := m.Metrics[task]; ok && m.Split == evaluator.Validation {
				of = append(of, v)
			}
		}
		if len(of) > 0 {
			t.Metrics[task] = mean(of)
		}
	}
}

// mean is what repeated measurements of one task come to: see Trial.add.
func mean(of []Metric) Metric {
	if len(of) == 1 {
		return of[0] // exactly
	}
	counted := !slices.ContainsFunc(of, func(m Metric) bool { return m.N <= 0 })
	var out Metric
	var weights, squares float64
	for _, m := range of {
		w := 1.0
		if counted {
			w = float64(m.N)
		}
		out.Value += w * m.Value
		squares += w * m.Stderr * m.Stderr
		weights += w
		out.N = max(out.N, m.N)
	}
	out.Value /= weights
	out.Stderr = math.Sqrt(squares / weights)
	return out
}

// measurements is how many the trials have.
func measurements(trials []Trial) int {
	n := 0
	for i := range trials {
		n += len(trials[i].Measurements)
	}
	return n
}

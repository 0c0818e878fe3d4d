package study

import (
	"math"
	"slices"
	"time"

	"parfait/evaluator"
)

// Measurement is one evaluator's answer for one trial, split and set of tasks. It never changes.
type Measurement struct {
	ID        int               `json:"id"`
	Attempt   int               `json:"attempt"`
	Evaluator string            `json:"evaluator,omitempty"` // "": not recorded
	Split     evaluator.Split   `json:"split"`
	At        time.Time         `json:"at"`
	Metrics   evaluator.Metrics `json:"metrics"`
}

// addUp brings into figures what the measurements of a trial, the last of which is new, come to on the tasks that the
// new one has. Of a task that was measured more than once it is the mean, each measurement weighted by its n where all
// have one. Repeats are of the same items, as far as anybody knows: the standard error is the root of the mean of the
// squares, and n the largest, so that measuring the same again makes nobody surer than the items do.
func addUp(figures map[string]Metric, all []Measurement, last Measurement) {
	for task := range last.Metrics {
		var of []Metric
		for _, m := range all {
			if v, ok := m.Metrics[task]; ok && m.Split == evaluator.Validation {
				of = append(of, v)
			}
		}
		if len(of) > 0 {
			figures[task] = mean(of)
		}
	}
}

// mean is what repeated measurements of one task come to: see addUp.
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

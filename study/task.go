package study

import (
	"math"

	"parfait/evaluator"
	"parfait/surrogate"
)

// Role says what a task is for.
type Role string

// Roles of a task.
const (
	Objective Role = "objective" // optimised
	Guard     Role = "guard"     // measured, fitted, may have a floor, never optimised
	Info      Role = "info"      // measured and shown
)

// Sense of a metric.
type Sense string

// The two senses.
const (
	Maximize Sense = "maximize"
	Minimize Sense = "minimize"
)

// Task is one metric that is measured on every candidate.
type Task struct {
	Name      string         `json:"name"`
	Role      Role           `json:"role"`
	Unit      string         `json:"unit,omitempty"` // rate, loss, or anything for show
	Sense     Sense          `json:"sense"`
	Link      surrogate.Link `json:"link"`
	AutoLink  bool           `json:"-"`                  // nobody chose it: a loss of 0 has no logarithm, and then it is identity
	AtLeast   *float64       `json:"at_least,omitempty"` // floor, metric's scale
	AtMost    *float64       `json:"at_most,omitempty"`
	Evaluator string         `json:"evaluator,omitempty"`
}

// Better says whether a is better than b in the task's sense.
func (t Task) Better(a, b float64) bool {
	if t.Sense == Minimize {
		return a < b
	}
	return a > b
}

// holds says whether v satisfies the task's own bounds.
func (t Task) holds(v float64) bool {
	return (t.AtLeast == nil || v >= *t.AtLeast) && (t.AtMost == nil || v <= *t.AtMost)
}

// BrokenFloors are the names of the tasks whose own bounds the predictions do not satisfy.
func BrokenFloors(tasks []Task, p []Prediction) []string {
	var out []string
	for i, t := range tasks {
		if !t.holds(p[i].Value) {
			out = append(out, t.Name)
		}
	}
	return out
}

// Rate says whether the metric is a share in [0, 1].
func (t Task) Rate() bool { return t.Unit == "rate" }

// Stderr is the standard error of a measurement, and whether it is known: what was reported, or else, of a rate
// over n items, that of a share of n independent ones. Everything that judges or shows noise asks here; a known one
// is above 0, and one that is not known is 0.
func (t Task) Stderr(m Metric) (stderr float64, known bool) {
	switch {
	case m.Stderr > 0:
		return m.Stderr, true
	case t.Rate() && m.N > 0:
		return evaluator.RateStderr(m.Value*float64(m.N), m.N), true
	}
	return 0, false
}

// WithStderr is m with the standard error that [Task.Stderr] knows.
func (t Task) WithStderr(m Metric) Metric {
	m.Stderr, _ = t.Stderr(m)
	return m
}

// AsPredicted says whether noise explains the difference between a prediction and what was measured there: whether
// it is within three standard deviations of both together, which noise alone leaves once in 400 times. Of a rate of
// n items the measurement's is the one that it has where the prediction is right (the score form; Wilson 1927): at
// the measurement itself it is far too small near 0 and 1. Where no noise of the measurement is known, that in the
// prediction's interval has to do.
func (t Task) AsPredicted(p Prediction, m Metric) bool {
	const inInterval = 1.645 // standard deviations from the middle of a 90 % interval to its ends
	side := p.Hi - p.Value
	if m.Value < p.Value {
		side = p.Value - p.Lo
	}
	stderr, known := t.Stderr(m)
	if n := float64(m.N); known && t.Rate() && m.N > 0 {
		stderr *= evaluator.RateStderr(n*min(max(p.Value, 0), 1), m.N) / evaluator.RateStderr(n*m.Value, m.N)
	}
	return !(math.Abs(m.Value-p.Value) > 3*math.Hypot(side/inInterval, stderr))
}

// State of a trial; evaluator's states are the field's.
type State = evaluator.State

// Metric is a measured figure.
type Metric = evaluator.Metric

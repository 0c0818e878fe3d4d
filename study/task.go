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

// Holds says whether v satisfies the task's own bounds.
func (t Task) Holds(v float64) bool {
	return (t.AtLeast == nil || v >= *t.AtLeast) && (t.AtMost == nil || v <= *t.AtMost)
}

// Rate says whether the metric is a share in [0, 1].
func (t Task) Rate() bool { return t.Unit == "rate" }

// Stderr is the standard error of a measurement: what was reported, or else, of a rate over n items, that of a
// share of n independent ones, √(v(1−v)/n). 0: unknown.
func (t Task) Stderr(m Metric) float64 {
	if m.Stderr == 0 && t.Rate() && m.N > 0 && m.Value > 0 && m.Value < 1 {
		return math.Sqrt(m.Value * (1 - m.Value) / float64(m.N))
	}
	return m.Stderr
}

// State of a trial; evaluator's states are the field's.
type State = evaluator.State

// Metric is a measured figure.
type Metric = evaluator.Metric

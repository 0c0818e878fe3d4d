package study

import (
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
	Unit      string         `json:"unit,omitempty"` // one of Units, or anything for show
	Sense     Sense          `json:"sense"`
	Link      surrogate.Link `json:"link"`
	AutoLink  bool           `json:"-"`                  // nobody chose it: Log is surrogate.Auto then
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

// Units that mean something; a task's own words are for show.
const (
	UnitRate    = "rate"    // a share from 0 to 1
	UnitLoss    = "loss"    // a cost above 0, less is better
	UnitTokens  = "tokens"  // that answers cost, less is better
	UnitSeconds = "seconds" // that the evaluation takes, less is better: measured where the evaluator reports none
)

// Units lists them.
var Units = []string{UnitRate, UnitLoss, UnitTokens, UnitSeconds}

// Rate says whether the metric is a share in [0, 1].
func (t Task) Rate() bool { return t.Unit == UnitRate }

// costs says whether the unit is of what is to be paid: above 0, and less is better.
func costs(unit string) bool { return unit == UnitLoss || unit == UnitTokens || unit == UnitSeconds }

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

// State of a trial; evaluator's states are the field's.
type State = evaluator.State

// Metric is a measured figure.
type Metric = evaluator.Metric

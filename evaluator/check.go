package evaluator

import (
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
)

// Check says whether m is an answer to c: exactly the tasks that c asks for, and perhaps those that are Timed, each with a
// finite value, a standard error that is finite and not negative, and a number of items that is not negative. Everything
// wrong is in the returned error, joined, each part an *Error with its Code and Task. Nothing is guessed:
// a value of 81.3 for a rate is the study's to judge, which knows the unit.
func Check(c Candidate, m Metrics) error {
	var errs []error
	bad := func(code Code, task, format string, args ...any) {
		e := Errorf(code, format, args...)
		e.Task = task
		errs = append(errs, e)
	}
	for _, task := range slices.Concat(c.Tasks, c.Timed) {
		v, ok := m[task]
		switch {
		case !ok && slices.Contains(c.Timed, task):
		case !ok:
			bad(MissingTask, task, "no metric for the task %q: %s", task, reported(m))
		case !finite(v.Value):
			bad(NotFinite, task, "the metric of task %q is %v: expected a finite number", task, v.Value)
		case !finite(v.Stderr):
			bad(NotFinite, task, "the standard error of task %q is %v: expected a finite number, or none", task, v.Stderr)
		case v.Stderr < 0:
			bad(BadNoise, task, "the standard error of task %q is %v: expected 0 (unknown) or more", task, v.Stderr)
		case v.N < 0:
			bad(BadNoise, task, "the number of items of task %q is %d: expected 0 (unknown) or more", task, v.N)
		}
	}
	for _, task := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(c.Tasks, task) && !slices.Contains(c.Timed, task) {
			bad(UndeclaredTask, task, "a metric for the task %q, which was not asked for (asked for: %s): declare it in the study's tasks, with role info if it is only to be seen, or do not report it",
				task, strings.Join(c.Tasks, ", "))
		}
	}
	return errors.Join(errs...)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func reported(m Metrics) string {
	if len(m) == 0 {
		return "the evaluator reported no task at all"
	}
	return "the evaluator reported " + strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}

// checkCandidate finds what is wrong with a candidate before anything is paid for it.
func checkCandidate(c Candidate, l Limits) error {
	var errs []error
	if len(c.Tasks) == 0 {
		errs = append(errs, Errorf(BadCandidate, "candidate %s asks for no tasks: nothing to measure", c.Key))
	}
	for i, task := range c.Tasks {
		if slices.Contains(c.Tasks[:i], task) {
			errs = append(errs, Errorf(BadCandidate, "candidate %s asks for the task %q twice", c.Key, task))
		}
	}
	if !slices.Contains(l.Splits, c.Split) {
		errs = append(errs, Errorf(UnknownSplit, "the evaluator does not offer the split %q of candidate %s: it offers %v", c.Split, c.Key, l.Splits))
	}
	if l.NeedsModel && c.Model == nil {
		errs = append(errs, Errorf(NoModel, "candidate %s has no model, and this evaluator needs one", c.Key))
	}
	return errors.Join(errs...)
}

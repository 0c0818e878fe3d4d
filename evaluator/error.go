package evaluator

import (
	"errors"
	"fmt"

	"parfait/problem"
)

// Code names a kind of failure. It is itself an error, so that errors.Is(err, evaluator.TimedOut) asks
// whether err, or anything wrapped or joined in it, is of that kind.
type Code = problem.Code

// Kinds of failure that every evaluator shares. A kind of evaluator may add its own.
const (
	Internal       Code = "internal"        // an error without a code of its own
	Interrupted    Code = "interrupted"     // the runner asked it to stop
	TimedOut       Code = "timed_out"       // longer than Limits.Timeout
	Panicked       Code = "panicked"        // a bug in the evaluator
	NoModel        Code = "no_model"        // Candidate.Model is missing or failed
	BadModel       Code = "bad_model"       // the merged model cannot be read or run
	BadCandidate   Code = "bad_candidate"   // no tasks, a task twice, a key twice
	UnknownTask    Code = "unknown_task"    // the evaluator cannot measure it
	UnknownSplit   Code = "unknown_split"   // the evaluator does not offer it
	MissingTask    Code = "missing_task"    // asked for, not measured
	UndeclaredTask Code = "undeclared_task" // measured, not asked for
	NotFinite      Code = "not_finite"      // a value or standard error that is NaN or ±Inf
	BadNoise       Code = "bad_noise"       // a negative standard error or number of items
	BadOptions     Code = "bad_options"     // the evaluator is configured wrongly
	CannotStart    Code = "cannot_start"    // there is no such program, or it may not be executed
	Exited         Code = "exited"          // a program ended with a status other than 0
	Killed         Code = "killed"          // a program was ended by a signal
	NoMetrics      Code = "no_metrics"      // it ended well and reported nothing
	BadMetrics     Code = "bad_metrics"     // what it reported cannot be understood
)

// Error is one failure: what kind, and in words what was found where, what was expected, what to do.
type Error struct {
	problem.Problem
	Task   string // the task it is about, "" for none
	Signal string // what ended a program that was Killed: "SIGKILL"; "" for none
	Option string // the option in study.yaml it is about, "" for none
	Setup  bool   // study.yaml has to be changed: every candidate would meet it
	Cause  error  // what it comes from, nil for none; the text says as much of it as there is to say
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Errorf makes an Error; a %w in format becomes Cause.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Problem: problem.Problem{Code: code, What: err.Error()}, Cause: errors.Unwrap(err)}
}

// CodeOf returns the code of the first Error in err, Internal where there is none, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

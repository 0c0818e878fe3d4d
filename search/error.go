package search

import (
	"fmt"

	"parfait/problem"
)

// Code classifies an Error; tests and callers compare codes, never texts.
type Code = problem.Code

// The codes of an Error.
const (
	UnknownStrategy Code = "unknown-strategy"
	UnknownOption   Code = "unknown-option"
	BadOption       Code = "bad-option" // a known option with a value it cannot take
	BadQuestion     Code = "bad-question"
	NoData          Code = "no-data"         // a task that no point has measured
	BrokenContract  Code = "broken-contract" // of a strategy, by its own fault
	BadPoint        Code = "bad-point"       // coefficients that stand for no merge
)

// Error says what is wrong with a strategy, its options or a question.
type Error struct {
	problem.Problem
	Clause Clause // that is broken, with BrokenContract
}

// Error implements error.
func (e *Error) Error() string { return "search: " + e.Problem.Error() }

func fail(c Code, format string, args ...any) *Error {
	return &Error{Problem: problem.Problem{Code: c, What: fmt.Sprintf(format, args...)}}
}

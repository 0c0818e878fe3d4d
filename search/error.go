package search

import (
	"fmt"
	"strings"

	"parfait/yamldoc"
)

// Code classifies an Error; tests and callers compare codes, never texts.
type Code string

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
	Code   Code
	Text   string
	Clause Clause // that is broken, with BrokenContract
}

// Error implements error.
func (e *Error) Error() string { return "search: " + e.Text }

func fail(c Code, format string, args ...any) *Error {
	return &Error{Code: c, Text: fmt.Sprintf(format, args...)}
}

// hint adds "did you mean" to an unknown name.
func hint(s string, known []string) string {
	if k := yamldoc.Nearest(s, known); k != "" {
		return fmt.Sprintf(": did you mean %q?", k)
	}
	return ": expected one of " + strings.Join(known, ", ")
}

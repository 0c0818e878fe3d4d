package pareto

import (
	"fmt"
	"strings"
)

// Code classifies an Error; tests and callers compare codes, never texts.
type Code string

// The codes of an Error.
const (
	BadProblem Code = "bad-problem" // bounds, objectives or functions that do not fit together
	BadOption  Code = "bad-option"  // an option with a value it cannot take
	Infeasible Code = "infeasible"  // no point was found that Feasible accepts
	NotANumber Code = "nan"         // no point was found with numbers as objectives
	Singular   Code = "singular"    // a covariance that cannot be factorised
)

// Error says what is wrong with a problem, its options, or what came of it. All that is wrong is in
// Problems.
type Error struct {
	Code     Code // of the first problem
	Problems []string
}

// Error implements error.
func (e *Error) Error() string { return "pareto: " + strings.Join(e.Problems, "; ") }

func (e *Error) add(c Code, format string, args ...any) {
	if len(e.Problems) == 0 {
		e.Code = c
	}
	if len(e.Problems) < 20 {
		e.Problems = append(e.Problems, fmt.Sprintf(format, args...))
	}
}

// orNil is e as an error, or nil where nothing was added.
func (e *Error) orNil() error {
	if len(e.Problems) == 0 {
		return nil
	}
	return e
}

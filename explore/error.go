package explore

import "fmt"

// Code classes an Error; tests and exit codes depend on it, never on the text.
type Code string

// Codes of errors.
const (
	NoAnalysis         Code = "no-analysis"         // too few finished trials to say anything
	Infeasible         Code = "infeasible"          // no point of the front satisfies the floors
	UnknownTask        Code = "unknown-task"        // no task has that name
	UnknownCoefficient Code = "unknown-coefficient" // no coefficient has that name
	BadWish            Code = "bad-wish"            // nothing was asked for, or things that do not go together
	BadView            Code = "bad-view"            // a stored State cannot be read
	BadFilter          Code = "bad-filter"          // a filter of trials that cannot be understood
)

// Error says what cannot be done and what to do instead. Infeasible names the floor that costs most.
type Error struct {
	Code Code
	Text string
	Task string // the costliest floor, or the name that is unknown
}

// Error implements error.
func (e *Error) Error() string { return e.Text }

func fail(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Text: fmt.Sprintf(format, args...)}
}

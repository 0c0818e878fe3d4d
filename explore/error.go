package explore

import (
	"fmt"

	"parfait/problem"
)

// Code classes what is wrong; tests and exit codes depend on it, never on the text.
type Code = problem.Code

// Codes of problems.
const (
	NoAnalysis         Code = "no-analysis"         // too few finished trials to say anything
	Infeasible         Code = "infeasible"          // no point of the front satisfies the floors
	UnknownTask        Code = "unknown-task"        // no task has that name
	UnknownRival       Code = "unknown-rival"       // nothing has that name that could be beaten
	UnknownCoefficient Code = "unknown-coefficient" // no coefficient has that name
	BadPreference      Code = "bad-wish"            // nothing was asked for, or things that do not go together
	BadView            Code = "bad-view"            // a stored State cannot be read
	BadFilter          Code = "bad-filter"          // a filter of trials that cannot be understood
)

func fail(code Code, format string, args ...any) problem.Problem {
	return problem.Problem{Code: code, What: fmt.Sprintf(format, args...)}
}

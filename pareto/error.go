package pareto

import "parfait/problem"

// Code names a kind of mistake: errors.Is(err, pareto.Infeasible) asks for one.
type Code = problem.Code

// The codes of this package's errors, each a problem.List of all that is wrong.
const (
	BadProblem Code = "pareto-problem"    // bounds, objectives or functions that do not fit together
	BadOption  Code = "pareto-option"     // an option with a value it cannot take
	Infeasible Code = "pareto-infeasible" // no point was found that Feasible accepts
	NotANumber Code = "pareto-nan"        // no point was found with numbers as objectives
	Singular   Code = "pareto-singular"   // a covariance that cannot be factorised
)

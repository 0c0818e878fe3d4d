package merge

import (
	"errors"

	"parfait/problem"
)

// Code names a kind of problem: package codes has them all.
type Code = problem.Code

// Problem is one thing that is wrong, or (as a warning) odd. Of several that keep a merge from starting the error is
// a problem.List.
type Problem = problem.Problem

// problems gathers what keeps a merge from starting, and what is only odd.
type problems struct {
	list     []Problem
	warnings []Problem
	tensors  tensorProblems // problems of single tensors, until they are folded
	odd      tensorProblems // and warnings
}

func (p *problems) add(code Code, where, what, expected, fix string) {
	p.list = append(p.list, Problem{Code: code, Where: where, What: what, Expected: expected, Fix: fix})
}

func (p *problems) warn(code Code, where, what, expected, fix string) {
	p.warnings = append(p.warnings, Problem{Code: code, Where: where, What: what, Expected: expected, Fix: fix})
}

// take adds what another function found: the problems of a list, a problem, or any error under code.
func (p *problems) take(code Code, where string, err error) {
	var several problem.List
	var one Problem
	switch {
	case err == nil:
	case errors.As(err, &several):
		p.list = append(p.list, several...)
	case errors.As(err, &one):
		p.list = append(p.list, one)
	default:
		p.add(code, where, err.Error(), "", "")
	}
}

func (p *problems) err() error { return problem.List(p.list).Err() }

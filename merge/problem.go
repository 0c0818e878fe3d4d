package merge

import (
	"errors"
	"fmt"
	"strings"

	"parfait/problem"
)

// Code names a kind of problem; tests and programs compare codes, people read the rest.
type Code = problem.Code

// Problem is one thing that is wrong, or (as a warning) odd.
type Problem struct {
	Code     Code   `json:"code"`
	Where    string `json:"where,omitempty"` // file, tensor, model, key
	What     string `json:"what"`            // what was found
	Expected string `json:"expected,omitempty"`
	Fix      string `json:"fix,omitempty"` // what to do
}

// Error says all of it on one line.
func (p Problem) Error() string {
	var b strings.Builder
	if p.Where != "" {
		b.WriteString(p.Where + ": ")
	}
	b.WriteString(p.What)
	if p.Expected != "" {
		b.WriteString("; expected " + p.Expected)
	}
	if p.Fix != "" {
		b.WriteString("; " + p.Fix)
	}
	return b.String()
}

// Is lets errors.Is(err, Problem{Code: c}) find a problem by its code.
func (p Problem) Is(target error) bool {
	t, ok := target.(Problem)
	return ok && t.Code == p.Code && t == Problem{Code: t.Code}
}

// As gives the problem to whoever lays it out.
func (p Problem) As(target any) bool { return p.problem().As(target) }

func (p Problem) problem() problem.Problem {
	return problem.Problem{Code: p.Code, Where: p.Where, What: p.What, Expected: p.Expected, Fix: p.Fix}
}

// ProblemsError is everything that keeps a merge from starting.
type ProblemsError struct{ Problems []Problem }

// Error lists every problem on a line of its own.
func (e *ProblemsError) Error() string {
	if len(e.Problems) == 1 {
		return e.Problems[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d problems:", len(e.Problems))
	for _, p := range e.Problems {
		b.WriteString("\n  - " + p.Error())
	}
	return b.String()
}

// As gives the problems to whoever lays them out.
func (e *ProblemsError) As(target any) bool {
	var list problem.List
	for _, p := range e.Problems {
		list = append(list, p.problem())
	}
	return list.As(target)
}

// Unwrap gives the problems to errors.Is and errors.As.
func (e *ProblemsError) Unwrap() []error {
	out := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		out[i] = p
	}
	return out
}

// problems gathers what keeps a merge from starting, and what is only odd.
type problems struct {
	list     []Problem
	warnings []Problem
	tensors  tensorProblems // problems of single tensors, until they are folded
	odd      tensorProblems // and warnings
}

func (p *problems) add(code Code, where, what, expected, fix string) {
	p.list = append(p.list, Problem{code, where, what, expected, fix})
}

func (p *problems) warn(code Code, where, what, expected, fix string) {
	p.warnings = append(p.warnings, Problem{code, where, what, expected, fix})
}

// take adds what another function found: a *ProblemsError's parts, a Problem, or any error under code.
func (p *problems) take(code Code, where string, err error) {
	var several *ProblemsError
	var one Problem
	switch {
	case err == nil:
	case errors.As(err, &several):
		p.list = append(p.list, several.Problems...)
	case errors.As(err, &one):
		p.list = append(p.list, one)
	default:
		p.add(code, where, err.Error(), "", "")
	}
}

func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	return &ProblemsError{p.list}
}

package problem

import (
	"errors"
	"fmt"
	"strings"
)

// Code names a kind of mistake. Programs and tests compare codes, people read the rest. It is itself an error, so
// that errors.Is(err, code) asks whether err, or anything wrapped or joined in it, is of that kind.
type Code string

// Error returns the code's name.
func (c Code) Error() string { return string(c) }

// Problem is one thing that is wrong, or (as a warning) odd.
type Problem struct {
	Code     Code   `json:"code"`
	Where    string `json:"where,omitempty"` // file, tensor, model, key, task
	What     string `json:"what"`            // what was found
	Expected string `json:"expected,omitempty"`
	Fix      string `json:"fix,omitempty"` // what to do
	Err      error  `json:"-"`             // what it comes from, nil for none
}

// Error says all of it on one line.
func (p Problem) Error() string {
	if p.Fix == "" {
		return p.found()
	}
	return p.found() + "; " + p.Fix
}

// found is what is wrong, without what to do.
func (p Problem) found() string {
	s := p.What
	if p.Where != "" {
		s = p.Where + ": " + s
	}
	if p.Err != nil && !strings.Contains(s, p.Err.Error()) {
		s = strings.TrimPrefix(s+": "+p.Err.Error(), ": ")
	}
	if p.Expected != "" {
		s += "; expected " + p.Expected
	}
	return s
}

// Unwrap returns the cause.
func (p Problem) Unwrap() error { return p.Err }

// Is lets errors.Is find a problem by its code, or by a Problem that has nothing but a code.
func (p Problem) Is(target error) bool {
	switch t := target.(type) { //nolint:errorlint // the target is what it is
	case Code:
		return t == p.Code
	case Problem:
		return t.Code == p.Code && t.Where+t.What+t.Expected+t.Fix == "" && t.Err == nil
	}
	return false
}

// As lets errors.As find a problem by value and by pointer, whichever was returned.
func (p Problem) As(target any) bool {
	switch t := target.(type) {
	case *Problem:
		*t = p
	case **Problem:
		*t = &p
	default:
		return false
	}
	return true
}

// CodeOf returns the code of the outermost problem in err, "" where there is none.
func CodeOf(err error) Code {
	var p Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}

// List is everything that is wrong at once.
type List []Problem

// maxShown is how many problems of a list are spelt out: a thousand points can be wrong in the same way.
const maxShown = 100

// Error lists every problem on a line of its own.
func (l List) Error() string { return l.lines(Problem.Error) }

func (l List) lines(text func(Problem) string) string {
	if len(l) == 1 {
		return text(l[0])
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d problems:", len(l))
	for _, p := range l[:min(len(l), maxShown)] {
		b.WriteString("\n  - " + strings.ReplaceAll(text(p), "\n", "\n    "))
	}
	if more := len(l) - maxShown; more > 0 {
		fmt.Fprintf(&b, "\n  … and %d more", more)
	}
	return b.String()
}

// As lets errors.As find a whole list.
func (l List) As(target any) bool {
	t, ok := target.(*List)
	if ok {
		*t = l
	}
	return ok
}

// Unwrap gives the problems to errors.Is and errors.As.
func (l List) Unwrap() []error {
	out := make([]error, len(l))
	for i, p := range l {
		out[i] = p
	}
	return out
}

// Add notes that something is wrong.
func (l *List) Add(code Code, format string, args ...any) {
	*l = append(*l, Problem{Code: code, What: fmt.Sprintf(format, args...)})
}

// Err is the list as an error, nil where nothing is wrong.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// And joins words as people do: "a", "a and b", "a, b and c".
func And(words []string) string {
	n := len(words) - 1
	if n < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:n], ", ") + " and " + words[n]
}

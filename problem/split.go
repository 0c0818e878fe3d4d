package problem

import (
	"errors"
	"strings"
)

// Arrow stands before what to do, on a line of its own.
const Arrow = "\n  → "

// Split returns what is wrong, and what to do about it as far as err and what it wraps or joins know, each thing on
// a line of its own. In a list what to do stands below each problem, and fix is "".
func Split(err error) (what, fix string) {
	var fixes []string
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case nil:
		return "", ""
	case interface{ As(target any) bool }: // a problem or several, or what holds them and more
		var p Problem
		var several List
		switch what = err.Error(); {
		case e.As(&several) && len(several) == 1:
			return Split(several[0])
		case e.As(&several):
			return several.lines(Problem.laid), ""
		case e.As(&p):
			what = p.found()
			if p.Fix != "" {
				fixes = append(fixes, p.Fix)
			}
		}
	default:
		what = err.Error()
	}
	var known []string
	for _, inner := range causes(err) {
		text, fix := Split(inner)
		what = strings.Replace(what, inner.Error(), text, 1)
		if fix != "" {
			known = append(known, fix)
		}
	}
	return what, strings.Join(append(known, fixes...), Arrow)
}

// causes are the errors that err wraps or joins.
func causes(err error) []error {
	switch e := err.(type) { //nolint:errorlint // likewise
	case interface{ Unwrap() []error }:
		return e.Unwrap()
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return []error{inner}
		}
	}
	return nil
}

// Text lays err out for people: what is wrong, and below it, behind an arrow, what to do.
func Text(err error) string {
	what, fix := Split(err)
	if fix == "" {
		return what
	}
	return what + Arrow + fix
}

// Each lays out one by one what is wrong: the problems of a list, or err as a whole.
func Each(err error) []string {
	var several List
	if !errors.As(err, &several) {
		return []string{Text(err)}
	}
	out := make([]string, len(several))
	for i, p := range several {
		out[i] = Text(p)
	}
	return out
}

func (p Problem) laid() string { return Text(p) }

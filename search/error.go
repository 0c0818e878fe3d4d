package search

import (
	"fmt"
	"slices"
	"strings"
)

// Code classifies an Error; tests and callers compare codes, never texts.
type Code string

// The codes of an Error.
const (
	UnknownStrategy Code = "unknown-strategy"
	UnknownOption   Code = "unknown-option"
	BadOption       Code = "bad-option" // a known option with a value it cannot take
	BadQuestion     Code = "bad-question"
	NoData          Code = "no-data" // a task that no point has measured
)

// Error says what is wrong with a strategy, its options or a question.
type Error struct {
	Code Code
	Text string
}

// Error implements error.
func (e *Error) Error() string { return "search: " + e.Text }

func fail(c Code, format string, args ...any) *Error {
	return &Error{Code: c, Text: fmt.Sprintf(format, args...)}
}

// nearest returns the known name most like s, by edit distance, and "" where nothing is like it.
func nearest(s string, known []string) string {
	best, at := len(s)/2+2, ""
	for _, k := range slices.Sorted(slices.Values(known)) {
		if d := distance(strings.ToLower(s), k); d < best {
			best, at = d, k
		}
	}
	return at
}

// distance is Levenshtein's, on bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// hint adds "did you mean" to an unknown name.
func hint(s string, known []string) string {
	if k := nearest(s, known); k != "" {
		return fmt.Sprintf(": did you mean %q?", k)
	}
	return ": expected one of " + strings.Join(known, ", ")
}

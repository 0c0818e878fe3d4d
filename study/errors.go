package study

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// Code classes an Error; tests and exit codes depend on it, never on the text.
type Code string

// Codes of errors.
const (
	CodeNotAStudy Code = "not-a-study" // no study.yaml there
	CodeExists    Code = "exists"      // something is already there
	CodeBusy      Code = "busy"        // another runner holds the study
	CodeChanged   Code = "changed"     // study.yaml or the models no longer are what the history was measured with
	CodeHistory   Code = "history"     // study.db cannot be read or written
	CodeForeign   Code = "foreign"     // something that is not parfait's stands in the place of one of its files
	CodeInput     Code = "input"       // what was asked makes no sense: coefficients, tasks, numbers
	CodeTooFew    Code = "too-few"     // not enough finished trials
	CodeEvaluator Code = "evaluator"   // an evaluator cannot be used
	CodeSpace     Code = "space"       // no room on the disk
	CodeReadOnly  Code = "read-only"   // the folder may be looked at and not written
)

// Error says what is wrong, where, and what to do.
type Error struct {
	Code  Code
	Where string // file, folder, trial…
	What  string // what was found, and what was expected
	Fix   string // what to do
	Err   error  // cause, or nil
}

// Error implements error.
func (e *Error) Error() string {
	s := e.What
	if e.Where != "" {
		s = e.Where + ": " + s
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Fix != "" {
		s += "\n  → " + e.Fix
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the first *Error in err's chain, or "".
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func notAStudy(dir string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &Error{
			Code: CodeNotAStudy, Where: dir, What: "no study here: " + SpecFile + " does not exist",
			Fix: "name a study's folder, make one with `parfait init " + filepath.Clean(dir) + "`, or try `parfait demo`",
		}
	}
	return &Error{Code: CodeNotAStudy, Where: filepath.Join(dir, SpecFile), What: "cannot be read", Err: err}
}

func inputError(where, format string, args ...any) *Error {
	return &Error{Code: CodeInput, Where: where, What: fmt.Sprintf(format, args...)}
}

// clip shortens text to n bytes at most, at a whole character, and says that it did.
func clip(text string, n int) string {
	const more = " …"
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n-len(more)], "") + more
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

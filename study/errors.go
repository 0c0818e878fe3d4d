package study

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
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
	CodeInput     Code = "input"       // what was asked makes no sense: coefficients, tasks, numbers
	CodeTooFew    Code = "too-few"     // not enough finished trials
	CodeEvaluator Code = "evaluator"   // an evaluator cannot be used
	CodeSpace     Code = "space"       // no room on the disk
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

func historyError(where string, err error) error {
	if err == nil {
		return nil
	}
	if full(err) {
		return &Error{
			Code: CodeSpace, Where: where, What: "the disk is full, nothing more can be recorded", Err: err,
			Fix: "free some space and run again: what is finished is safe",
		}
	}
	return &Error{Code: CodeHistory, Where: where, What: "the history cannot be used", Err: err}
}

func inputError(where, format string, args ...any) *Error {
	return &Error{Code: CodeInput, Where: where, What: fmt.Sprintf(format, args...)}
}

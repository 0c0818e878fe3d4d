package study

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"parfait/history"
	"parfait/problem"
)

// Code classes an Error; tests and exit codes depend on it, never on the text.
type Code = problem.Code

// Codes of errors.
const (
	CodeNotAStudy Code = "not-a-study"        // no study.yaml there
	CodeExists    Code = "exists"             // something is already there
	CodeBusy      Code = "busy"               // another process holds the study
	CodeChanged   Code = "changed"            // study.yaml or the models no longer are what the history was measured with
	CodeHistory        = history.CodeHistory  // the history cannot be read or written
	CodeDamaged        = history.CodeDamaged  // it is not as it was written
	CodeForeign        = history.CodeForeign  // something that is not parfait's stands in the place of one of its files
	CodeInput     Code = "input"              // what was asked makes no sense: coefficients, tasks, numbers
	CodeTooFew    Code = "too-few"            // not enough finished trials
	CodeEvaluator Code = "evaluator"          // an evaluator cannot be used
	CodeSpace          = history.CodeSpace    // no room on the disk
	CodeReadOnly       = history.CodeReadOnly // the folder may be looked at and not written
	CodeNoLocks        = history.CodeNoLocks  // its file system carries no locks
)

// Error says what is wrong, where, and what to do.
type Error = problem.Problem

// CodeOf returns the code of the outermost [Error] in err, or "".
func CodeOf(err error) Code { return problem.CodeOf(err) }

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

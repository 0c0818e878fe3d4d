package cli

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"parfait/evaluator"
	"parfait/explore"
	"parfait/merge"
	"parfait/serve"
	"parfait/study"
	"parfait/yamldoc"
)

// Exit is a process's exit code. It means the same in every command.
type Exit int

// The exit codes.
const (
	ExitDone        Exit = 0
	ExitFailed      Exit = 1
	ExitUsage       Exit = 2
	ExitInput       Exit = 3
	ExitNotFound    Exit = 4
	ExitNoAnswer    Exit = 5
	ExitBusy        Exit = 6
	ExitExists      Exit = 7
	ExitSpace       Exit = 8
	ExitEvaluator   Exit = 9
	ExitMismatch    Exit = 10
	ExitInterrupted Exit = 130
)

// exitMeanings is the table for people; docs/commands.md is made from it.
var exitMeanings = []struct {
	Code    Exit
	Name    string // in JSON errors
	Meaning string
}{
	{ExitDone, "done", "what was asked is done"},
	{ExitFailed, "failed", "something went wrong that has no code of its own; the message says what"},
	{ExitUsage, "usage", "the command line makes no sense (unknown flag, task or coefficient, a number missing), or it needs a terminal and there is none"},
	{ExitInput, "input", "a file is not what it should be: study.yaml, a recipe, a model; every problem is listed"},
	{ExitNotFound, "not_found", "there is no study, export or file at that place"},
	{ExitNoAnswer, "no_answer", "too few finished trials to fit, no merge satisfies what was asked, or the one chosen breaks a floor (--anyway keeps it)"},
	{ExitBusy, "busy", "another runner is at work on the study"},
	{ExitExists, "exists", "something is there already; nothing is ever overwritten"},
	{ExitSpace, "space", "the disk or the quota is full, or the folder cannot be written"},
	{ExitEvaluator, "evaluator", "an evaluator cannot be used or fails; see the trial's log"},
	{ExitMismatch, "mismatch", "a check found differences: a checkpoint is not what its receipt says, or not measured as it was predicted"},
	{ExitInterrupted, "interrupted", "ended by ctrl-c or a signal; what was finished is kept, the message says how to go on"},
}

func (e Exit) name() string {
	for _, m := range exitMeanings {
		if m.Code == e {
			return m.Name
		}
	}
	return "failed"
}

// fault is an error that this package makes: its exit code, what is wrong, and what to do.
type fault struct {
	exit Exit
	what string
	fix  string
	err  error // cause, or nil
}

func (f *fault) Error() string {
	s := f.what
	if f.err != nil {
		s += ": " + f.err.Error()
	}
	if f.fix != "" {
		s += "\n  → " + f.fix
	}
	return s
}

func (f *fault) Unwrap() error { return f.err }

// exitOf classes an error. The outermost code wins: an export that was interrupted is interrupted.
func exitOf(err error) Exit {
	var f *fault
	var s *study.Error
	var p merge.Problem
	var x *explore.Error
	var y *yamldoc.Problems
	var k *serve.KeysError
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &f):
		return f.exit
	case errors.Is(err, context.Canceled), errors.Is(err, errInterrupted):
		return ExitInterrupted
	case errors.As(err, &s) && studyExits[s.Code] != 0:
		return studyExits[s.Code]
	case errors.As(err, &x):
		if e, ok := exploreExits[x.Code]; ok {
			return e
		}
		return ExitUsage
	case errors.As(err, &y), errors.As(err, &k):
		return ExitInput
	case errors.As(err, &p):
		if e, ok := mergeExits[p.Code]; ok {
			return e
		}
		return ExitInput
	case evaluator.CodeOf(err) != evaluator.Internal:
		return ExitEvaluator
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return ExitSpace
	case errors.Is(err, fs.ErrNotExist):
		return ExitNotFound
	case errors.Is(err, fs.ErrExist):
		return ExitExists
	}
	return ExitFailed
}

var studyExits = map[study.Code]Exit{
	study.CodeNotAStudy: ExitNotFound,
	study.CodeExists:    ExitExists,
	study.CodeBusy:      ExitBusy,
	study.CodeChanged:   ExitInput,
	study.CodeHistory:   ExitInput,
	study.CodeForeign:   ExitInput,
	study.CodeInput:     ExitUsage,
	study.CodeTooFew:    ExitNoAnswer,
	study.CodeEvaluator: ExitEvaluator,
	study.CodeSpace:     ExitSpace,
	study.CodeReadOnly:  ExitSpace,
}

// mergeExits are the codes of merge that are not simply a wrong input.
var mergeExits = map[merge.Code]Exit{
	merge.CodeUnknownKnob: ExitUsage,
	merge.CodeMissingKnob: ExitUsage,
	merge.CodeKnobValue:   ExitUsage,
	merge.CodeWrite:       ExitSpace,
	merge.CodeSpace:       ExitSpace,
	merge.CodePermission:  ExitSpace,
	merge.CodeExists:      ExitExists,
	merge.CodeMismatch:    ExitMismatch,
	merge.CodeCorrupt:     ExitMismatch,
	merge.CodeNotFound:    ExitNotFound,
}

// exploreExits are the codes of explore; the others are mistakes on the command line.
var exploreExits = map[explore.Code]Exit{
	explore.NoAnalysis: ExitNoAnswer,
	explore.Infeasible: ExitNoAnswer,
}

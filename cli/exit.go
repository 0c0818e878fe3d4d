package cli

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"syscall"

	"parfait/evaluator"
	"parfait/explore"
	"parfait/internal/sshsig"
	"parfait/merge/codes"
	"parfait/merge/mergekit"
	"parfait/problem"
	"parfait/search"
	"parfait/serve"
	"parfait/study"
	"parfait/transfer"
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

// exitTable is the table: what an exit code means to people, from which docs/commands.md is made, and the codes of
// problems that end a command with it.
var exitTable = []struct {
	Exit    Exit
	Name    string // in JSON errors
	Meaning string
	Codes   []problem.Code
}{
	{ExitDone, "done", "what was asked is done", nil},
	{ExitFailed, "failed", "something went wrong that has no code of its own, or the program is at fault; the message says what", []problem.Code{
		search.BadQuestion, search.NoData, search.BrokenContract, explore.BadView,
	}},
	{ExitUsage, "usage", "the command line makes no sense (unknown flag, task or coefficient, a number missing), or it needs a terminal and there is none", []problem.Code{
		study.CodeInput, explore.UnknownTask, explore.UnknownRival, explore.UnknownCoefficient, explore.BadPreference, explore.BadFilter, search.BadPoint,
		codes.UnknownCoefficient, codes.MissingCoefficient, codes.CoefficientValue,
	}},
	{ExitInput, "input", "a file is not what it should be: study.yaml, a recipe, a model, a key; every problem is listed", []problem.Code{
		study.CodeChanged, study.CodeHistory, study.CodeForeign, search.UnknownStrategy, search.UnknownOption,
		codes.NoModels, codes.Name, codes.Duplicate, codes.Pattern, codes.Method, codes.Param, codes.Option, codes.DTypeName,
		codes.NeedsBase, codes.ModelCount, codes.UnusedPattern, codes.Open, codes.Format, codes.NotConverted, codes.NoWeights,
		codes.MissingTensor, codes.ExtraTensor, codes.Shape, codes.Vocabulary, codes.DType, codes.NoGroup, codes.Adapter,
		codes.Quantised, codes.Tied, codes.Architecture, codes.Config, codes.Tokenizer, codes.TwoModels, codes.MixedDTypes,
		codes.Integers, codes.NotFinite, codes.Changed, codes.Read, codes.MasksDiffer, codes.Fisher, codes.Receipt, codes.Recipe, mergekit.Code, sshsig.BadKey, sshsig.BadSigners, codes.Same, codes.Far, codes.Unrelated, transfer.BadFile,
	}},
	{ExitNotFound, "not_found", "there is no study, export or file at that place", []problem.Code{study.CodeNotAStudy, codes.NotFound}},
	{ExitNoAnswer, "no_answer", "too few finished trials to fit, no merge satisfies what was asked, or the one chosen breaks a floor (--anyway keeps it)", []problem.Code{
		study.CodeTooFew, explore.NoAnalysis, explore.Infeasible,
	}},
	{ExitBusy, "busy", "another runner is at work on the study, or another process holds its history, for longer than one waits; the message says which", []problem.Code{study.CodeBusy}},
	{ExitExists, "exists", "something is there already; nothing is ever overwritten", []problem.Code{study.CodeExists, codes.Exists}},
	{ExitSpace, "space", "the disk or the quota is full, or the folder cannot be written (or not by several processes: its file system carries no locks)", []problem.Code{
		study.CodeSpace, study.CodeReadOnly, study.CodeNoLocks, codes.Write, codes.Space, codes.Permission,
	}},
	{ExitEvaluator, "evaluator", "an evaluator cannot be used or fails; see the trial's log", []problem.Code{study.CodeEvaluator}},
	{ExitMismatch, "mismatch", "a check found differences: the history is damaged (parfait repair puts it right), a checkpoint is not what its receipt says, a receipt not what its study or who signed it says, a checkpoint not measured as it was predicted, or, where trust --check asks, predicted by what should not be believed", []problem.Code{
		study.CodeDamaged, codes.Mismatch, codes.Corrupt, sshsig.NotSigned, sshsig.NotASignature, sshsig.WrongUse, sshsig.Changed, sshsig.UnknownSigner, sshsig.NotValidNow,
	}},
	{ExitInterrupted, "interrupted", "ended by ctrl-c or another signal, within two seconds; what was finished is kept, the message says how to go on", nil},
}

func (e Exit) name() string {
	for _, m := range exitTable {
		if m.Exit == e {
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

func (f *fault) problem() problem.Problem {
	return problem.Problem{What: f.what, Fix: f.fix, Err: f.err}
}

// Error implements error.
func (f *fault) Error() string { return f.problem().Error() }

// As gives the fault to whoever lays problems out.
func (f *fault) As(target any) bool { return f.problem().As(target) }

func (f *fault) Unwrap() error { return f.err }

// exitOf classes an error. The outermost code wins: an export that was interrupted is interrupted.
func exitOf(err error) Exit {
	var f *fault
	var y *yamldoc.Problems
	var k *serve.KeysError
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &f):
		return f.exit
	case errors.Is(err, context.Canceled), errors.Is(err, errInterrupted):
		return ExitInterrupted
	}
	if e, ok := exitByCode(problem.CodeOf(err)); ok {
		return e
	}
	switch {
	case errors.As(err, &y), errors.As(err, &k):
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

// exitByCode is the exit code of a problem's code, as far as there is one.
func exitByCode(c problem.Code) (Exit, bool) {
	for _, e := range exitTable {
		if c != "" && slices.Contains(e.Codes, c) {
			return e.Exit, true
		}
	}
	return ExitFailed, false
}

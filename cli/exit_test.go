package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"parfait/evaluator"
	"parfait/explore"
	"parfait/merge"
	"parfait/study"
	"parfait/yamldoc"
)

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want Exit
	}{
		{"nothing", nil, ExitDone},
		{"anything", errors.New("odd"), ExitFailed},
		{"own", &fault{exit: ExitNoAnswer}, ExitNoAnswer},
		{"own, wrapped", fmt.Errorf("x: %w", &fault{exit: ExitBusy}), ExitBusy},
		{"cancelled", fmt.Errorf("x: %w", context.Canceled), ExitInterrupted},
		{"no study", &study.Error{Code: study.CodeNotAStudy}, ExitNotFound},
		{"busy", &study.Error{Code: study.CodeBusy}, ExitBusy},
		{"changed", &study.Error{Code: study.CodeChanged}, ExitInput},
		{"input", &study.Error{Code: study.CodeInput}, ExitUsage},
		{"space", fmt.Errorf("x: %w", &study.Error{Code: study.CodeSpace}), ExitSpace},
		{"study.yaml", &yamldoc.Problems{}, ExitInput},
		{"infeasible", &explore.Error{Code: explore.Infeasible}, ExitNoAnswer},
		{"unknown task", &explore.Error{Code: explore.UnknownTask}, ExitUsage},
		{"shape", &merge.ProblemsError{Problems: []merge.Problem{{Code: merge.CodeShape}}}, ExitInput},
		{"target", merge.Problem{Code: merge.CodeExists}, ExitExists},
		{"corrupt", &merge.ProblemsError{Problems: []merge.Problem{{Code: merge.CodeCorrupt}}}, ExitMismatch},
		{"a check within a fault", &fault{exit: ExitMismatch, err: merge.Problem{Code: merge.CodeOpen}}, ExitMismatch},
		{"evaluator", &evaluator.Error{Code: evaluator.BadModel}, ExitEvaluator},
		{"full", &os.PathError{Op: "write", Path: "f", Err: syscall.ENOSPC}, ExitSpace},
		{"not allowed", fs.ErrPermission, ExitSpace},
		{"gone", fs.ErrNotExist, ExitNotFound},
		{"there", fs.ErrExist, ExitExists},
	} {
		if got := exitOf(c.err); got != c.want {
			t.Errorf("%s: exit %d, want %d", c.name, got, c.want)
		}
	}
}

func TestExitTableIsComplete(t *testing.T) {
	seen := map[Exit]bool{}
	for _, m := range exitMeanings {
		if seen[m.Code] || m.Name == "" || m.Meaning == "" {
			t.Errorf("%d stands twice or says nothing", m.Code)
		}
		seen[m.Code] = true
	}
	for _, table := range []map[study.Code]Exit{studyExits} {
		for code, e := range table {
			if !seen[e] {
				t.Errorf("%s: exit %d is not in the table", code, e)
			}
		}
	}
	for code, e := range mergeExits {
		if !seen[e] {
			t.Errorf("%s: exit %d is not in the table", code, e)
		}
	}
}

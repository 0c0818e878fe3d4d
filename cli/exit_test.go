package cli

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"parfait/evaluator"
	"parfait/explore"
	"parfait/merge"
	"parfait/merge/codes"
	"parfait/problem"
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
		{"infeasible", problem.Problem{Code: explore.Infeasible}, ExitNoAnswer},
		{"unknown task", problem.Problem{Code: explore.UnknownTask}, ExitUsage},
		{"shape", problem.List{{Code: codes.Shape}}, ExitInput},
		{"target", merge.Problem{Code: codes.Exists}, ExitExists},
		{"corrupt", problem.List{{Code: codes.Corrupt}}, ExitMismatch},
		{"a check within a fault", &fault{exit: ExitMismatch, err: merge.Problem{Code: codes.Open}}, ExitMismatch},
		{"evaluator", &evaluator.Error{Problem: problem.Problem{Code: evaluator.BadModel}}, ExitEvaluator},
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
	for _, m := range exitTable {
		if seen[m.Exit] || m.Name == "" || m.Meaning == "" {
			t.Errorf("%d stands twice or says nothing", m.Exit)
		}
		seen[m.Exit] = true
	}
}

// Every code that a package gives its problems is in the table, once, or nobody but this program's own authors can
// meet it.
func TestEveryCodeHasAnExit(t *testing.T) {
	tables := map[problem.Code]int{}
	for _, m := range exitTable {
		for _, c := range m.Codes {
			tables[c]++
		}
	}
	for _, dir := range []string{"study", "explore", "search", "merge/codes", "merge/mergekit"} {
		found := 0
		for name, code := range codesOf(t, filepath.Join("..", dir)) {
			found++
			if tables[code] != 1 {
				t.Errorf("%s.%s (%s) is in the table of exit codes %d times, expected once", dir, name, code, tables[code])
			}
		}
		if found == 0 {
			t.Errorf("%s has no codes at all", dir)
		}
	}
}

// codesOf are the constants of type Code that a package exports.
func codesOf(t *testing.T, dir string) map[string]problem.Code {
	t.Helper()
	out := map[string]problem.Code{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			group, ok := d.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, s := range group.Specs {
				v := s.(*ast.ValueSpec)
				if isCode(v.Type) && len(v.Values) == 1 {
					text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
					if err != nil {
						t.Fatal(err)
					}
					out[v.Names[0].Name] = problem.Code(text)
				}
			}
		}
	}
	return out
}

// isCode says whether a type is called Code, here or in another package.
func isCode(of ast.Expr) bool {
	if s, ok := of.(*ast.SelectorExpr); ok {
		of = s.Sel
	}
	name, ok := of.(*ast.Ident)
	return ok && name.Name == "Code"
}

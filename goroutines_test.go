package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPanicsOfGoroutinesAreRescued holds that nothing of the program starts a goroutine but through package rescue:
// a panic in any other would end it with a dump over the screen, and nothing said of what is safe.
func TestPanicsOfGoroutinesAreRescued(t *testing.T) {
	recoverThemselves := []string{"internal/rescue/rescue.go", "parallel/parallel.go", "evaluator/blocking.go"}
	elsewhere := []string{"bench", "docs", "e2e", ".git", "evaluator/evaluatortest", "search/searchtest"}
	seen := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(elsewhere, path):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || slices.Contains(recoverThemselves, path):
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		seen++
		ast.Inspect(file, func(n ast.Node) bool {
			if what := unguarded(n); what != "" {
				t.Errorf("%s: nobody rescues what panics in %s", set.Position(n.Pos()), what)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 200 {
		t.Errorf("%d files were read: these are not all", seen)
	}
}

// unguarded says what to write instead of what starts a goroutine by itself; "" for all else.
func unguarded(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "go …: use rescue.Go"
	case *ast.SelectorExpr:
		if isSelector(n, "sync", "WaitGroup") || isSelector(n, "errgroup", "Group") {
			return "a group of goroutines: use rescue.Group"
		}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "AfterFunc" {
			if guard, ok := n.Args[len(n.Args)-1].(*ast.CallExpr); !ok || !isSelector(guard.Fun, "rescue", "Guard") {
				return "AfterFunc: give it rescue.Guard(f)"
			}
		}
	}
	return ""
}

func isSelector(n ast.Node, of, name string) bool {
	s, ok := n.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == of
}

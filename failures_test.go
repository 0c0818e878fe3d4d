package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A test that fails says what was wanted, or what went wrong, in words: a value alone, as by t.Error(got), sends whoever
// reads it to the source. Errors speak for themselves.
func TestFailuresAreInWords(t *testing.T) {
	files := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && wordless(call) {
				t.Errorf("%s: the failure is a value alone: say what was wanted", files.Position(call.Pos()))
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// verbs are what a format prints of its values.
var verbs = regexp.MustCompile(`%[-+# 0-9.\[\]*]*[a-zA-Z]`)

// wordless says whether a call of t.Error, t.Fatal or their formatted kind has no words, and is not about an error.
func wordless(call *ast.CallExpr) bool {
	s, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) == 0 {
		return false
	}
	if on, ok := s.X.(*ast.Ident); !ok || on.Name != "t" && on.Name != "b" && on.Name != "f" {
		return false
	}
	args := call.Args
	switch s.Sel.Name {
	case "Error", "Fatal":
	case "Errorf", "Fatalf":
		format, ok := args[0].(*ast.BasicLit)
		if !ok {
			return false
		}
		if text, _ := strconv.Unquote(format.Value); strings.ContainsFunc(verbs.ReplaceAllString(text, ""), letter) {
			return false
		}
		args = args[1:]
	default:
		return false
	}
	for _, a := range args {
		words := false
		ast.Inspect(a, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				words = words || n.Kind == token.STRING && strings.ContainsFunc(n.Value, letter)
			case *ast.Ident:
				words = words || n.Name == "err" || strings.HasSuffix(n.Name, "Err") || n.Name == "errs"
			}
			return true
		})
		if words {
			return false
		}
	}
	return true
}

func letter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

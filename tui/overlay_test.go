package tui

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// Every scope that an action names is that of a view, of what is in hand or of a dialog that overlays has: only
// then do docs/keys.md and the keys that close a dialog know of it.
func TestEveryScopeHasAHeading(t *testing.T) {
	known := map[scope]bool{}
	headings := map[string]scope{}
	for _, p := range places() {
		if other, taken := headings[p.heading]; p.heading == "" || taken || known[p.scope] {
			t.Errorf("the heading of scope %q is %q, which is empty or that of %q; want one place each", p.scope, p.heading, other)
		}
		known[p.scope], headings[p.heading] = true, p.scope
	}
	for _, a := range actions() {
		for _, s := range a.Scopes {
			if !known[s] {
				t.Errorf("%s: the scope %q has no heading in docs/keys.md; want its dialog in overlays, or its view in views", a.ID, s)
			}
		}
	}
}

// A dialog can be closed, has keys of its own alone, and docs/keys.md has them.
func TestOverlays(t *testing.T) {
	for _, o := range overlays() {
		p := o.place()
		if !strings.Contains(keysMarkdown(), "\n## "+p.heading+"\n") {
			t.Errorf("%s has no section in docs/keys.md; want one, %q", p.scope, p.heading)
		}
		for _, a := range o.actions() {
			if len(a.Scopes) != 1 || a.Scopes[0] != p.scope {
				t.Errorf("%s is an action of the dialog %s and has the scopes %v; want that of the dialog alone", a.ID, p.scope, a.Scopes)
			}
		}
		for _, key := range []string{"esc", "ctrl+c"} {
			d := drive(t, demo, 80, 24)
			d.e.above = o
			d.press(key)
			if d.e.above != nil {
				t.Errorf("%s does not close the dialog %s; nothing else closes every dialog", key, p.scope)
			}
		}
	}
}

// What is written as a dialog or a view is one: those that the lists leave out have keys that do nothing.
func TestEveryOverlayAndViewIsListed(t *testing.T) {
	var listed []string
	for _, o := range overlays() {
		listed = append(listed, fmt.Sprintf("%T", o))
	}
	for _, v := range makeViews() {
		listed = append(listed, fmt.Sprintf("%T", v))
	}
	written := append(withMethod(t, "place", "place"), withMethod(t, "info", "viewInfo")...)
	for _, name := range written {
		if !slices.Contains(listed, "*tui."+name) {
			t.Errorf("%s is neither in overlays nor in views; want it in one of them", name)
		}
	}
	if len(written) < len(listed) {
		t.Errorf("found %d dialogs and views in the source, %v; want the %d listed, %v", len(written), written, len(listed), listed)
	}
}

// withMethod are the types of the package that have a method with this result.
func withMethod(t *testing.T, method, result string) []string {
	t.Helper()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil && fn.Name.Name == method && returns(fn, result) {
				out = append(out, receiver(fn))
			}
		}
	}
	return out
}

func returns(fn *ast.FuncDecl, result string) bool {
	if fn.Type.Results == nil || len(fn.Type.Results.List) != 1 {
		return false
	}
	id, ok := fn.Type.Results.List[0].Type.(*ast.Ident)
	return ok && id.Name == result
}

func receiver(fn *ast.FuncDecl) string {
	of := fn.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if id, ok := of.(*ast.Ident); ok {
		return id.Name
	}
	return "a type with parameters"
}

package placeholder

import (
	"testing"

	"pgregory.net/rapid"
)

var names = Names{"model": "a folder", "split": "a word"}

func TestExpand(t *testing.T) {
	values := map[string]string{"model": "/m {split}", "split": "test"}
	for in, want := range map[string]string{
		"--model={model}":        "--model=/m {split}", // what it stands for is not looked into again
		"{{model}} {split}":      "{model} test",
		`{"a": {"b": 1}} { } {}`: `{"a": {"b": 1}} { } {}`,
		"{Model} {model":         "{Model} {model",
	} {
		if got := Expand(in, values); got != want {
			t.Errorf("%q: %q, expected %q", in, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	for in, want := range map[string]int{"{model} {split}": 0, "{mdl} {x} {{x}}": 2, `{"x": 1}`: 0, "": 0} {
		if errs := names.Check(in); len(errs) != want {
			t.Errorf("%q: %v, expected %d errors", in, errs, want)
		}
	}
	if !In("a={model}", "model") || In("{{model}}", "model") || In("{models}", "model") {
		t.Error("In does not tell a placeholder from what only looks like one")
	}
}

// Text without braces comes through as it is.
func TestPlainText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[^{}]*`).Draw(t, "text")
		if got := Expand(s, nil); got != s || len(names.Check(s)) > 0 {
			t.Fatalf("%q became %q", s, got)
		}
	})
}

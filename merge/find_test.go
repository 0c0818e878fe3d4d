package merge

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parfait/merge/codes"
)

// checkpointFolder is a folder with characters that globs take for theirs, and models in it.
func checkpointFolder(t *testing.T, models ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a[1]*")
	for _, m := range models {
		if err := os.MkdirAll(filepath.Join(dir, m), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"c/step-3.log", "c/step-7.safetensors"} {
		if err := os.WriteFile(filepath.Join(dir, f), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFind(t *testing.T) {
	dir := checkpointFolder(t, "base", "c/step-9", "c/step-10", "c/step-100", "r/a/step-1", "r/b/step-1", "x/lr=1e-4/last", "x/lr=1e-5/last")
	for _, c := range []struct{ pattern, names, want string }{
		{"c/step-*", "", "step-7 c/step-7.safetensors, step-9 c/step-9, step-10 c/step-10, step-100 c/step-100"},
		{"./c/step-[0-9]", "", "step-9 c/step-9"},
		{"c/step-1?", "s*", "s0 c/step-10"},
		{"r/*/step-*", "*_*", "a_1 r/a/step-1, b_1 r/b/step-1"},
		{"x/*/last", "*", "lr_1e-4 x/lr=1e-4/last, lr_1e-5 x/lr=1e-5/last"},
		{filepath.Join(literal(dir), "c/step-10*"), "n*", "n " + filepath.Join(dir, "c/step-10") + ", n0 " + filepath.Join(dir, "c/step-100")},
	} {
		found, err := Find(dir, c.pattern, c.names, "c/step-8")
		var got []string
		for _, m := range found {
			got = append(got, m.Name+" "+m.Path)
		}
		if text := strings.Join(got, ", "); err != nil || text != c.want {
			t.Errorf("%s with the names %q finds %s, %v; want %s", c.pattern, c.names, text, err, c.want)
		}
	}
	if found, err := Find(dir, "*", "", "base"); err != nil || slices.ContainsFunc(found, func(s Source) bool { return s.Name == "base" }) {
		t.Errorf("the base is among its models: %v, %v", found, err)
	}
	for _, c := range []struct {
		pattern, names, want string
		code                 Code
	}{
		{"c/stpe-*", "", "it matches nothing", codes.Open},
		{"c/step-3*", "", "it matches step-3.log, and no model", codes.Open},
		{"c/step-[", "", "it is no glob", codes.Pattern},
		{"r/*/step-1", "", "r/a/step-1 and r/b/step-1 would both be called step-1", codes.Duplicate},
		{"r/*/step-*", "*", "would both be called 1", codes.Duplicate},
		{"c/step-*", "*_*", "have 2 *, and the glob leaves 1 parts open", codes.Name},
		{"c/step-*", "s", "are one name for all models", codes.Name},
	} {
		if _, err := Find(dir, c.pattern, c.names, ""); !errors.Is(err, Problem{Code: c.code}) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with the names %q: %v, want it to say %q", c.pattern, c.names, err, c.want)
		}
	}
}

func TestNumeric(t *testing.T) {
	want := []string{"step-9", "step-09", "step-10", "step-10-b", "step-100", "step-a", "v1.2", "v1.10", "v2"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, Numeric)
	if got[0] != "step-09" && got[0] != "step-9" || !slices.Equal(got[2:], want[2:]) {
		t.Errorf("in numeric order it is %v, want %v", got, want)
	}
}

// A recipe's models may be what a glob finds, each with the same weight, and paths may begin with ~.
func TestRecipeOfAGlob(t *testing.T) {
	dir := checkpointFolder(t, "base", "c/step-9", "c/step-10")
	t.Setenv("HOME", dir)
	text := "version: 1\nbase: ~/base\nmodels:\n  - {name: first, path: ~/c/step-9, weight: 1}\n  - {glob: 'c/step-[19]*', names: 's*', weight: 0.5}\n  - {name: last, path: ~/c/step-10, weight: 2}\nmethod: task_arithmetic\n"
	text = strings.Replace(text, "method: task_arithmetic", "method: {name: task_arithmetic}", 1)
	r, err := ParseRecipe(filepath.Join(dir, "recipe.yaml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range r.Spec().Models {
		got = append(got, m.Name+" "+strings.TrimPrefix(m.Path, dir))
	}
	if want := "first /c/step-9, s /c/step-9, s0 /c/step-10, last /c/step-10"; strings.Join(got, ", ") != want {
		t.Errorf("the models are %s, want %s", strings.Join(got, ", "), want)
	}
	if r.Spec().Base != filepath.Join(dir, "base") || r.At()["s0"] != 0.5 {
		t.Errorf("the base is %s and the weights %v; want ~/base in HOME, and .5 for what the glob found", r.Spec().Base, r.At())
	}
	whole := "version: 1\nmodels: {glob: 'c/step-*', weight: 1, path: x}\nmethod: {name: linear}\n"
	if _, err := ParseRecipe(filepath.Join(dir, "recipe.yaml"), []byte(whole)); err == nil || !strings.Contains(err.Error(), "leave name, path and stack out") {
		t.Errorf("%v, want it to refuse a path beside a glob", err)
	}
}

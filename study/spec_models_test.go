package study

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parfait/history"
)

// modelsOf are the models of the study in dir, and what its globs find beside them.
func modelsOf(t *testing.T, dir string) (models, appeared string) {
	t.Helper()
	read := readSheet(dir, nil)
	if read.err != nil {
		t.Fatal(read.err)
	}
	var got []string
	for _, m := range read.asked.spec.Models {
		got = append(got, m.Name+" "+m.Path)
	}
	return strings.Join(got, ", "), strings.Join(read.asked.spec.Appeared, ", ")
}

// A study has the models that its glob found when it was begun: one that appears later is said, and one that goes is missed.
func TestGlobOfModelsIsPinned(t *testing.T) {
	dir := t.TempDir()
	model := func(name string) string {
		path := filepath.Join(dir, "c", name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	model("step-9")
	ten := model("step-10")
	text := "version: 1\nbase: b\nmodels: {glob: 'c/step-*', names: 's*', range: [0, 0.8]}\ntasks: [{name: t, unit: rate}]\nevaluators: {main: {command: [true]}}\n"
	if err := os.WriteFile(filepath.Join(dir, SpecFile), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	const both = "s9 c/step-9, s10 c/step-10"
	if models, appeared := modelsOf(t, dir); models != both || appeared != "" {
		t.Errorf("the glob finds %s and %s, want %s", models, appeared, both)
	}
	model("step-11") // nothing is begun yet
	if models, _ := modelsOf(t, dir); models != both+", s11 c/step-11" {
		t.Errorf("before it is begun the study has %s, want step-11 too", models)
	}
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.setMeta("run", map[string]string{"identity": s.asked.Load().identity}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	model("step-100")
	if err := os.RemoveAll(ten); err != nil {
		t.Fatal(err)
	}
	models, appeared := modelsOf(t, dir)
	if models != both+", s11 c/step-11" || appeared != "c/step-100" {
		t.Errorf("after it was begun the study has %s and says %s; want what it had, and c/step-100", models, appeared)
	}
	s, err = Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // it is of a test
	if doubts := s.spec().Doubts(); len(doubts) != 1 || !strings.Contains(doubts[0].Error(), "there is c/step-100 too, which is no part of it") {
		t.Errorf("the doubts are %v, want step-100 among them", doubts)
	}
	if _, err := os.Stat(filepath.Join(dir, history.JournalFile)); err != nil {
		t.Error(err)
	}
}

// What is wrong with globs is said where it stands, with all else.
func TestGlobsThatCannotBe(t *testing.T) {
	text := "version: 1\nbase: b\nmodels:\n  - {glob: 'nowhere/step-*'}\n  - {glob: 'x*', path: y}\n  - {name: a, path: p, names: 's*'}\n  - {path: p}\nbudget: 3\ntasks: [{name: t, unit: rate}]\nevaluators: {main: {command: [true]}}\n"
	_, err := ParseSpec(filepath.Join(t.TempDir(), "s.yaml"), []byte(text))
	if err == nil {
		t.Fatal("nothing is refused")
	}
	for _, want := range []string{
		":4:12: models[0].glob: nowhere/step-*: it matches nothing", "models[1].glob: a glob finds paths and names them", "models[2]: names are of a glob",
		"models[3]: a model needs a name and a path, or a glob of paths", `unknown key "budget"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing says %q:\n%v", want, err)
		}
	}
}

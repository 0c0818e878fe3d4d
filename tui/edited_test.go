package tui

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parfait/study"
)

// realStudy is a study of two models that its evaluator needs not see, and the explorer on it.
func realStudy(t *testing.T, w, h int) (*study.Study, *driver) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "my.study")
	text := `version: 1
base: base
models:
  - {name: a, path: a}
  - {name: b, path: b}
dtype: bf16
tasks:
  - {name: first, unit: rate}
  - {name: second, unit: rate}
evaluators:
  main: {command: [sh, -c, 'if [ $0 = 2 ]; then echo no; exit 1; fi; echo "{\"first\": 0.$0, \"second\": 0.5}"', '{trial}']}
search: {strategy: design, budget: 5, batch: 5}
`
	if err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(filepath.Join(dir, study.SpecFile), []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
	s, err := study.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Run(t.Context(), study.RunOptions{}); err != nil {
		t.Fatal(err)
	}
	d := driveSource(t, s, w, h)
	return s, d
}

// edit replaces text in a study.yaml.
func edit(t *testing.T, s *study.Study, old, text string) {
	t.Helper()
	path := filepath.Join(s.Dir(), study.SpecFile)
	b, err := os.ReadFile(path)
	if err == nil && !strings.Contains(string(b), old) {
		err = errors.New("no " + old)
	}
	if err == nil {
		err = os.WriteFile(path, []byte(strings.Replace(string(b), old, text, 1)), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// until takes what the study says until the screen shows text.
func (d *driver) until(text string) {
	d.t.Helper()
	for !strings.Contains(d.text(), text) {
		d.send(listenMsg{}) // the next snapshot, however long it takes
		d.send(restedMsg{})
	}
}

func TestStudyYAMLIsReadAgainWhileTheExplorerIsOpen(t *testing.T) {
	s, d := realStudy(t, 120, 36)
	d.until("Trade-off")
	edit(t, s, "budget: 5", "budget: 7")
	d.until("5/7")
	d.sees("study.yaml was edited: this is what it asks now")

	edit(t, s, "dtype: bf16", "dtype: as-base")
	d.until(" (! shows all)")
	d.sees("study.yaml: 4 trials were measured with something else than it says now")
	d.press("!")
	d.sees("What is wrong", `dtype: was "bf16", now "as-base"`, "→ set it back")
	d.press("esc c") // read, and gone
	more := *d.e.snap
	more.Problem = strings.Replace(more.Problem, "4 trials", "5 trials", 1)
	d.send(snapshotMsg{&more})
	d.send(restedMsg{})
	if d.e.note.text != "" {
		t.Errorf("it is said again with another number: %q", d.e.note.text)
	}
	edit(t, s, "dtype: as-base", "dtype: bf16")
	d.until("what was wrong is put right")
}

func TestABrokenStudyYAMLIsToldAndHeals(t *testing.T) {
	s, d := realStudy(t, 80, 24)
	d.until("Trade-off")
	edit(t, s, "unit: rate}\n  - {name: second", "untt: rate}\n  - {name: second")
	d.until("study.yaml:8:")
	d.sees("Trade-off")
	edit(t, s, "untt", "unit")
	d.until("what was wrong is put right")
	d.press("!")
	d.sees("nothing is wrong")
}

func TestFloorsOfStudyYAMLFollowItIntoTheExplorer(t *testing.T) {
	s, d := realStudy(t, 120, 36)
	d.until("Trade-off")
	edit(t, s, "{name: second, unit: rate}", "{name: second, unit: rate, at_least: .45}")
	d.until("study.yaml was edited")
	for d.e.analysis().Tasks[1].AtLeast == nil { // it is worked out anew
		d.send(listenMsg{})
		d.send(restedMsg{})
	}
	if got := d.e.state.Floors["second"]; got != .45 {
		t.Errorf("the floor is %v, want .45", got)
	}
	for _, key := range append(digitKeys(), "1") {
		d.press(key)
		if !strings.Contains(d.text(), "my") {
			t.Errorf("the view %s shows\n%s", key, d.text())
		}
	}
}

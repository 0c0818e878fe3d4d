package study

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parfait/problem"
)

func checked(t *testing.T, dir string) Checked {
	t.Helper()
	c, err := Check(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A check compares what lies beside the history with it, and changes nothing.
func TestWhatACheckFinds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ruin func(t *testing.T, s *Study, e Export)
		want string // in a problem
		note string // or in a note
	}{
		"nothing":             {func(*testing.T, *Study, Export) {}, "", ""},
		"a broken study.yaml": {func(t *testing.T, s *Study, _ Export) { edit(t, s.Dir(), "tasks:", "taskz:") }, "taskz", ""},
		"another base": {func(t *testing.T, s *Study, _ Export) {
			edit(t, s.Dir(), "base: models/base", "base: models/rotated")
		}, "with something else than it says now", ""},
		"a log of a stranger": {func(t *testing.T, s *Study, _ Export) {
			write(t, filepath.Join(s.Dir(), "logs", "trial-0099.log"), "x")
		}, "trial-0099.log", ""},
		"a forged receipt": {func(t *testing.T, _ *Study, e Export) {
			b, err := os.ReadFile(e.Receipt)
			if err != nil {
				t.Fatal(err)
			}
			write(t, e.Receipt, strings.Replace(string(b), `"why"`, `"Why"`, 1)+" ")
		}, "not the receipt that the history vouches for", ""},
		"an export gone": {func(t *testing.T, _ *Study, e Export) {
			if err := os.RemoveAll(e.Out); err != nil {
				t.Fatal(err)
			}
		}, "", "is no longer in"},
		"a row changed": {func(t *testing.T, s *Study, _ Export) {
			sqlExec(t, s.store.Path(), "UPDATE trials SET why = 'no' WHERE id = 1")
		}, "trials 1: is not as it was written", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, e := exported(t, ExportRequest{X: []float64{0.5, 0.5}, Name: "one"})
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			c.ruin(t, s, e)
			before := contents(t, s.Dir())
			got := checked(t, s.Dir())
			if after := contents(t, s.Dir()); !slices.Equal(before, after) {
				t.Errorf("the check has made of\n%s\n\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
			}
			text := problem.Text(got.Problems)
			if (len(got.Problems) > 0) != (c.want != "") || !strings.Contains(text, c.want) {
				t.Errorf("it finds %q, want %q", text, c.want)
			}
			if notes := strings.Join(got.Notes, "\n"); !strings.Contains(notes, c.note) {
				t.Errorf("it notes %q, want %q", notes, c.note)
			}
		})
	}
}

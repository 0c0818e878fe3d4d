package study

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"parfait/search"
)

// What study.yaml says of a focus is checked where it stands.
func TestFocusIsRead(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "digits.study")
	if err := Demo(t.Context(), dir, DemoOptions{Tasks: 3, Budget: 8, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, SpecFile)
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	read := func(focus string) (*Spec, error) {
		return ParseSpec(path, []byte(strings.Replace(string(was), "search: {", "search: {"+focus+", ", 1)))
	}
	for _, c := range []struct {
		focus string
		want  *search.Wishes
	}{
		{"focus: none", nil},
		{"focus: wishes", &search.Wishes{}},
		{
			"focus: {floors: {rotated: 0.6}, aspire: {mirrored: 0.8}}",
			&search.Wishes{Floors: []search.Floor{{Task: "rotated", Least: true, Value: 0.6}}, Aspire: map[string]float64{"mirrored": 0.8}},
		},
	} {
		if s, err := read(c.focus); err != nil || !reflect.DeepEqual(s.Search.Focus, c.want) {
			t.Errorf("%s: %+v, %v; expected %+v", c.focus, s, err, c.want)
		}
	}
	for focus, want := range map[string]string{
		"focus: everywhere":                            `did you mean`,
		"focus: {aspire: {mirored: 0.8}}":              `did you mean "mirrored"`,
		"focus: {weights: {rotated: 0}}":               "worth more than 0",
		"focus: {weights: {rotated: -1, mirrored: 2}}": "expected 0 or more",
		"focus: {aspires: {rotated: 0}}":               `did you mean "aspire"`,
	} {
		if _, err := read(focus); err == nil || !strings.Contains(err.Error(), want) && want != "did you mean" {
			t.Errorf("%s: %v, expected %q", focus, err, want)
		}
	}
	text := strings.Replace(string(was), "search: {strategy: adaptive", "search: {focus: wishes, strategy: greedy", 1)
	if _, err := ParseSpec(path, []byte(text)); err == nil || !strings.Contains(err.Error(), "greedy goes its own way") {
		t.Errorf("with a strategy that cannot look: %v", err)
	}
}

// Where somebody looks is asked for there, on record with every batch, and comes back in a replay.
func TestWhoLooksSomewhereIsAskedForThere(t *testing.T) {
	t.Parallel()
	s := demo(t, DemoOptions{Tasks: 3, Budget: 16, Seed: 1}, RunOptions{})
	f := &search.Focus{Wishes: search.Wishes{Aspire: map[string]float64{"rotated": 0.9, "mirrored": 0.9}}}
	for _, bad := range []*search.Focus{
		{Wishes: search.Wishes{Aspire: map[string]float64{"nothing": 1}}},
		{Pick: &search.Pick{Name: "short", X: []float64{1}}},
	} {
		if err := s.Do(Command{Kind: CommandFocus, Focus: bad}); CodeOf(err) != CodeInput {
			t.Errorf("%+v: %v, expected %s", bad, err, CodeInput)
		}
	}
	if err := s.DoAll([]Command{{Kind: CommandFocus, Focus: f}, {Kind: CommandBudget, N: 20}}); err != nil {
		t.Fatal(err)
	}
	if got := load(t, s).Focus; !reflect.DeepEqual(got, f) {
		t.Errorf("the search looks at %+v, expected %+v", got, f)
	}
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := s.DoAll([]Command{{Kind: CommandFocus}, {Kind: CommandBudget, N: 24}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	snap := load(t, s)
	if snap.Focus != nil {
		t.Errorf("the search still looks at %+v", snap.Focus)
	}
	for _, trial := range snap.Trials {
		if looks := strings.HasPrefix(trial.Why, "looks for mirrored .90, rotated .90: "); looks != (trial.ID > 16 && trial.ID <= 20) {
			t.Errorf("trial %d: %q", trial.ID, trial.Why)
		}
	}
	if r, err := Replay(t.Context(), s.Dir()); err != nil || len(r.Problems) > 0 || r.Batches < 6 {
		t.Errorf("the replay: %+v, %v", r, err)
	}
}

// A pick that is being settled stays so over the end of a run, until the answer is known: then the search has its own way
// again.
func TestSettlingGoesOnUntilItIsKnown(t *testing.T) {
	t.Parallel()
	s := demo(t, DemoOptions{Tasks: 3, Budget: 12, Seed: 1}, RunOptions{})
	f := search.Focus{
		Wishes: search.Wishes{Weights: map[string]float64{"rotated": 1, "mirrored": 1}},
		Pick:   &search.Pick{Name: "base", X: make([]float64, 3)},
	}
	st, err := load(t, s).Standing(t.Context(), f)
	if err != nil || st.Best > 0.5 {
		t.Fatalf("the base stands as %v, %v", st, err)
	}
	if err := s.DoAll([]Command{{Kind: CommandFocus, Focus: &f}, {Kind: CommandBudget, N: 40}}); err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := s.Run(ended, RunOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := load(t, s).Focus; got == nil || got.Pick == nil || got.Pick.Name != "base" {
		t.Fatalf("after a run that was ended the search looks at %+v", got)
	}
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	snap := load(t, s)
	if !strings.HasPrefix(snap.Activity.Note, "base is not the best within its rivals: with probability ") {
		t.Errorf("it ended with %q", snap.Activity.Note)
	}
	if snap.Focus != nil || len(snap.Trials) >= 40 {
		t.Errorf("after %d trials the search looks at %+v", len(snap.Trials), snap.Focus)
	}
	if r, err := Replay(t.Context(), s.Dir()); err != nil || len(r.Problems) > 0 {
		t.Errorf("the replay: %+v, %v", r, err)
	}
}

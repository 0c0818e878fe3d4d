package study

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parfait/evaluator"
)

// commandStudy is the embedded study with a shell script for its evaluator.
func commandStudy(t *testing.T, script string) *Study {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "c.study")
	if err := Demo(t.Context(), dir, DemoOptions{Tasks: 2, Budget: 6, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "evaluate.sh"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	edit(t, dir, "{digits: {}}", "{command: [./evaluate.sh, '{model}', '{split}'], parallel: 2, timeout: 30s}")
	return open(t, dir)
}

func TestACommandMeasuresMergedModels(t *testing.T) {
	s := commandStudy(t, `test -s "$1/model.safetensors" || exit 3
echo "measuring $1"
echo '{"rotated": {"value": 0.5, "n": 100}, "mirrored": 0.25, "upright": 0.75}'
`)
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, tr := range load(t, s).Trials {
		if tr.State != evaluator.Done || tr.Metrics["mirrored"].Value != 0.25 {
			t.Errorf("trial %d: %s %s %v", tr.ID, tr.State, tr.Error, tr.Metrics)
		}
	}
	log, err := s.Log(1)
	if err != nil || !strings.Contains(log, "measuring ") {
		t.Errorf("log of trial 1: %q, %v", log, err)
	}
}

func TestWhatACommandDoesWrongIsSaid(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"garbage":       {"echo hello", "hello"},
		"dies":          {"echo out of memory >&2; exit 7", "out of memory"},
		"undeclared":    {`echo '{"rotated": 1, "mirrored": 1, "upright": 1, "sideways": 1}'`, "sideways"},
		"missing":       {`echo '{"rotated": 1, "mirrored": 1}'`, "upright"},
		"not a number":  {`echo '{"rotated": "high", "mirrored": 1, "upright": 1}'`, "rotated"},
		"out of bounds": {`echo '{"rotated": NaN, "mirrored": 1, "upright": 1}'`, "NaN"},
	} {
		t.Run(name, func(t *testing.T) {
			s := commandStudy(t, c.script)
			done := make(chan error, 1)
			go func() { done <- s.Run(t.Context(), RunOptions{}) }()
			await(t, s, "pause", func(s *Snapshot) bool { return s.Activity.Runner == Paused })
			if err := s.Do(Command{Kind: CommandStop}); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if tr := load(t, s).Trials[0]; tr.State != evaluator.Failed || !strings.Contains(tr.Error, c.want) {
				t.Errorf("%s: %q, want %q in it", tr.State, tr.Error, c.want)
			}
		})
	}
}

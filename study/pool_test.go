package study

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parfait/evaluator"
	"parfait/merge"
)

// modelStudy is a study of two real networks whose evaluator takes the merged model in hand.
func modelStudy(t *testing.T, budget, workers int, quota int64, hook func(path string) error) *Study {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "m.study")
	if err := Demo(t.Context(), dir, DemoOptions{Tasks: 2, Budget: budget, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	fakes.Store(t.Name(), &fake{parallel: workers, model: true, hook: func(ctx context.Context, c evaluator.Candidate) error {
		lease, err := c.Model(ctx, evaluator.Folder)
		if err != nil {
			return err
		}
		defer lease.Release()
		return hook(lease.Path)
	}})
	edit(t, dir, "main: {digits: {}}", fmt.Sprintf("main: {fake: {name: %s}}\ncandidates: {max: %d}", t.Name(), quota))
	return open(t, dir)
}

func TestQuotaHoldsAndNothingIsLeft(t *testing.T) {
	var mu sync.Mutex
	most, seen := 0, map[string]bool{}
	s := modelStudy(t, 14, 2, 3*19500, func(path string) error {
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Join(path, "model.safetensors")); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		whole := 0
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), "trial-") {
				whole++
			}
		}
		most = max(most, whole)
		seen[filepath.Base(path)] = true
		return nil
	})
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	if snap := load(t, s); snap.Activity.Done != 14 || snap.Activity.Failed != 0 {
		t.Fatalf("%+v, trial 1: %s", snap.Activity, snap.Trials[0].Error)
	}
	if most > 3 || most < 2 || len(seen) != 14 {
		t.Errorf("at most %d models stood at once (quota 3), %d in all", most, len(seen))
	}
	if _, err := os.Stat(filepath.Join(s.Dir(), "candidates")); !os.IsNotExist(err) {
		t.Errorf("the folder for candidates is still there: %v", err)
	}
}

func TestQuotaBelowOneModelIsRefusedBeforeAnythingRuns(t *testing.T) {
	s := modelStudy(t, 4, 1, 1000, func(string) error { t.Error("something was evaluated"); return nil })
	if err := s.Run(t.Context(), RunOptions{}); CodeOf(err) != CodeSpace {
		t.Error(err)
	}
}

func TestWhatACrashLeftIsReclaimed(t *testing.T) {
	s := modelStudy(t, 4, 1, 0, func(string) error { return nil })
	candidates := filepath.Join(s.Dir(), "candidates")
	for _, left := range []string{"folder/trial-0099-1", "folder/.trial-0098-7.parfait-staging-host-12-0123abcd", "adapter/trial-0001-1", "thesis"} {
		if err := os.MkdirAll(filepath.Join(candidates, left), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.reclaim(memory{}); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(candidates)
	if err != nil || len(left) != 1 || left[0].Name() != "thesis" {
		t.Errorf("left: %v, %v; want what is not a model of ours, and nothing else", left, err)
	}
}

func TestWrongModelsStopTheRunBeforeAnythingIsMeasured(t *testing.T) {
	s := modelStudy(t, 4, 1, 0, func(string) error { t.Error("something was evaluated"); return nil })
	file := filepath.Join(s.Dir(), "models", s.spec().Models[1].Name, "model.safetensors")
	if err := os.Truncate(file, 5000); err != nil {
		t.Fatal(err)
	}
	err := s.Run(t.Context(), RunOptions{})
	if err == nil || !strings.Contains(err.Error(), s.spec().Models[1].Name) {
		t.Errorf("a truncated model: %v", err)
	}
	if n := len(s.Snapshot().Trials); n != 0 {
		t.Errorf("%d trials were asked for", n)
	}
}

// For an evaluator that merges itself the models are checked as if they were merged here, and what it should come to can
// be worked out; nothing is written.
func TestMergedElsewhere(t *testing.T) {
	var digest map[string]string
	var recipe []byte
	s := modelStudy(t, 3, 1, 1<<30, nil)
	fakes.Store(t.Name(), &fake{merges: true, hook: func(ctx context.Context, c evaluator.Candidate) (err error) {
		if digest == nil {
			recipe = c.Recipe
			digest, err = c.Digests(ctx, evaluator.Folder)
		}
		return err
	}})
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.Dir(), "candidates")); !os.IsNotExist(err) {
		t.Errorf("something was merged here: %v", err)
	}
	r, err := merge.ParseRecipe("recipe.json", recipe)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := merge.NewPlan(t.Context(), r.Spec())
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := plan.Export(t.Context(), r.At(), filepath.Join(t.TempDir(), "merged"), merge.ExportOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := digest["model.safetensors"], receipt.Outputs[0].Hash; got != want || want == "" {
		t.Errorf("the digest is %s, that of what the recipe gives %s", got, want)
	}
	models, err := filepath.Glob(filepath.Join(s.Dir(), "models", "*", "model.safetensors"))
	if err != nil || len(models) == 0 {
		t.Fatal(models, err)
	}
	b, err := os.ReadFile(models[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	write(t, models[0], string(b))
	do(t, s, Command{Kind: CommandBudget, N: 4})
	if err := s.Run(t.Context(), RunOptions{}); CodeOf(err) != CodeChanged {
		t.Errorf("with other weights than before the run ends with %v", err)
	}
}

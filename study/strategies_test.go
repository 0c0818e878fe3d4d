package study

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/search"
)

// strategyStudy is the embedded study with another strategy.
func strategyStudy(t *testing.T, strategy string, models *string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "s.study")
	if *models != "" {
		if err := os.CopyFS(filepath.Join(dir, "models"), os.DirFS(*models)); err != nil {
			t.Fatal(err)
		}
	}
	if err := Demo(t.Context(), dir, DemoOptions{Tasks: 3, Budget: 12, Seed: 3}); err != nil {
		t.Fatal(err)
	}
	edit(t, dir, "strategy: adaptive", "strategy: "+strategy)
	if *models == "" {
		*models = filepath.Join(dir, "models")
	}
	return dir
}

// TestEveryStrategy runs each on the embedded study to the end: with one worker and with two, and
// interrupted again and again, it measures the same; each batch follows from what its strategy was to know;
// and what was measured can be analysed.
func TestEveryStrategy(t *testing.T) {
	t.Parallel()
	models := ""
	for k, info := range search.Strategies() {
		if testing.Short() && k%3 > 0 {
			continue
		}
		one := open(t, strategyStudy(t, info.Name, &models))
		if err := one.Run(t.Context(), RunOptions{Workers: 1}); err != nil {
			t.Errorf("%s: %v", info.Name, err)
			continue
		}
		snap := load(t, one)
		want := facts(snap)
		audit(t, one)
		sensible(t, info.Name, snap)

		two := open(t, strategyStudy(t, info.Name, &models))
		for ends := 1; two.Snapshot().Activity.Runner != Finished; ends++ {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(ends)*40*time.Millisecond)
			if err := two.Run(ctx, RunOptions{Workers: 2}); err != nil {
				t.Fatalf("%s, interrupted %d times: %v", info.Name, ends, err)
			}
			cancel()
			load(t, two)
		}
		if got := facts(two.Snapshot()); !slices.Equal(got, want) {
			t.Errorf("%s: two workers, interrupted, measure something else than one: %s", info.Name, firstDifference(got, want))
		}
	}
}

// audit asks the strategy for each batch again.
func audit(t *testing.T, s *Study) {
	t.Helper()
	h, err := s.load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, err := Replay(t.Context(), s.Dir())
	if err != nil || len(r.Problems) > 0 || r.Batches != len(h.batches) {
		t.Errorf("%s: %d of %d batches were asked for again: %v, %v", s.spec().Search.Strategy, r.Batches, len(h.batches), r.Problems, err)
	}
}

// sensible says what is wrong with an analysis, whatever trials a strategy asked for.
func sensible(t *testing.T, name string, snap *Snapshot) {
	t.Helper()
	a := snap.Analysis
	if a == nil || snap.Problem != "" || snap.Activity.Failed > 0 {
		t.Errorf("%s: %d trials, no analysis: %s %+v", name, len(snap.Trials), snap.Problem, snap.Activity)
		return
	}
	if len(a.Front) < 2 || len(a.Measured) == 0 || a.Knee < 0 || a.Knee >= len(a.Front) || !slices.IsSorted(a.History) || len(a.References) < 3 {
		t.Errorf("%s: front of %d, %d measured, knee %d, %d references", name, len(a.Front), len(a.Measured), a.Knee, len(a.References))
	}
	for _, p := range a.Front {
		for i, v := range p.Predicted {
			if math.IsNaN(v.Value) || v.Value < -0.01 || v.Value > 1.01 || !(v.Lo <= v.Value && v.Value <= v.Hi) || !(v.Std >= 0) {
				t.Errorf("%s: at %v %s is predicted as %+v", name, p.X, a.Tasks[i].Name, v)
			}
		}
		for i, c := range a.Space.Coefficients {
			if p.X[i] < c.Lo-1e-9 || p.X[i] > c.Hi+1e-9 {
				t.Errorf("%s: the front leaves the box: %v", name, p.X)
			}
		}
	}
}

// What people ask for in between changes what a strategy asks for next, and is on record.
func TestBatchesFollowFromWhatWasSeen(t *testing.T) {
	t.Parallel()
	var s *Study
	dir := fakeStudy(t, 24, &fake{parallel: 2, hook: func(_ context.Context, c evaluator.Candidate) error {
		if id := trialOf(c.Key); id%7 == 3 {
			return s.Do(Command{Kind: CommandEvaluate, X: []float64{float64(id) / 30, 0.5}, Who: "ann"})
		}
		return nil
	}})
	edit(t, dir, "strategy: design", "strategy: adaptive")
	s = open(t, dir)
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	if snap := load(t, s); snap.Activity.Budget <= snap.Activity.Search || snap.Activity.Done != snap.Activity.Budget {
		t.Fatalf("nobody asked for anything: %+v", snap.Activity)
	}
	audit(t, s)
}

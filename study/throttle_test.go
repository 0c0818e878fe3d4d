package study

import (
	"context"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"parfait/evaluator"
)

// A runner at work takes another throttle up: more go out at once, and with fewer none is taken back. The next runner
// keeps it, until study.yaml says something else.
func TestThrottleAtWork(t *testing.T) {
	t.Parallel()
	var at, most atomic.Int32
	gate := make(chan struct{})
	f := &fake{parallel: 2, hook: func(ctx context.Context, _ evaluator.Candidate) error {
		n := at.Add(1)
		defer at.Add(-1)
		most.Store(max(most.Load(), n))
		select {
		case <-gate:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	dir := fakeStudy(t, 12, f)
	notes := make(chan string, 100)
	s := open(t, dir)
	done := running(t, s, RunOptions{Note: func(text string) { notes <- text }})
	other := open(t, dir)
	atWork := func(n int32) {
		t.Helper()
		await(t, other, "so many at work", func(*Snapshot) bool { return at.Load() == n })
	}
	atWork(2)
	do(t, other, Command{Kind: CommandThrottle, N: 4, Who: "ann"})
	atWork(4)
	do(t, other, Command{Kind: CommandThrottle, N: 1})
	if note := <-notes; note != "evaluator e0: at most 4 candidates at once from now on, instead of 2" {
		t.Errorf("it says %q", note)
	}
	if note := <-notes; !strings.Contains(note, "at most 1 candidates at once from now on, instead of 4; of the 4 that are in flight none is taken back") {
		t.Errorf("it says %q", note)
	}
	if at.Load() != 4 {
		t.Errorf("%d are at work after the throttle was lowered, expected the 4 that were", at.Load())
	}
	for range 4 {
		gate <- struct{}{}
	}
	await(t, other, "the four", func(s *Snapshot) bool { return s.Activity.Done == 4 && s.Activity.Throttle == 1 })
	most.Store(0)
	close(gate)
	if err := ended(t, done); err != nil {
		t.Fatal(err)
	}
	snap := load(t, other)
	for _, tr := range snap.Trials {
		if tr.State != evaluator.Done || len(tr.Measurements) != 1 {
			t.Errorf("trial %d is %s, measured %d times", tr.ID, tr.State, len(tr.Measurements))
		}
	}
	if n := most.Load(); n != 1 {
		t.Errorf("%d were at work at once under a throttle of 1", n)
	}
	most.Store(0)
	do(t, other, Command{Kind: CommandBudget, N: 20})
	do(t, other, Command{Kind: CommandThrottle, N: 3})
	if err := s.Run(t.Context(), RunOptions{Workers: 2}); err != nil { // what the command line says comes first
		t.Fatal(err)
	}
	if n := load(t, other).Activity.Throttle; n != 3 {
		t.Errorf("the throttle is %d, expected 3", n)
	}
	f.parallel = 5 // as an edit of study.yaml
	if n := load(t, other).Activity.Throttle; n != 5 {
		t.Errorf("the throttle is %d although study.yaml says 5 since", n)
	}
}

func TestThrottleThatCannotBe(t *testing.T) {
	t.Parallel()
	s := open(t, makeStudy(t, 4))
	if err := s.Do(Command{Kind: CommandThrottle}); CodeOf(err) != CodeInput || !strings.Contains(err.Error(), "at least 1 candidate at once, found 0") {
		t.Errorf("%v", err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, SpecFile), "version: 1\nbase: base\nmodels:\n  - {name: a, path: a}\ntasks:\n  - {name: t, unit: rate}\nevaluators:\n  main: {command: [echo, '{}']}\nsearch: {strategy: design, budget: 3}\n")
	s = open(t, dir)
	if err := s.Do(Command{Kind: CommandThrottle, N: 3}); CodeOf(err) != CodeInput || !strings.Contains(err.Error(), "that is for slurm; others have --workers") {
		t.Errorf("%v", err)
	}
}

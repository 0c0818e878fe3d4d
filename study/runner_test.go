package study

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"parfait/evaluator"
)

func TestRunSpendsTheBudgetAndFits(t *testing.T) {
	s := open(t, makeStudy(t, 13))
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	snap := load(t, s)
	if len(snap.Trials) != 13 || snap.Activity.Done != 13 || snap.Activity.Runner != Finished {
		t.Fatalf("%d trials, activity %+v", len(snap.Trials), snap.Activity)
	}
	if snap.Analysis == nil || len(snap.Analysis.Front) < 2 || len(snap.Analysis.Measured) == 0 || snap.Analysis.Hypervolume <= 0 {
		t.Fatalf("analysis %+v", snap.Analysis)
	}
	if !slices.IsSorted(snap.Analysis.History) {
		t.Errorf("the measured hypervolume shrinks: %v", snap.Analysis.History)
	}
}

func TestWorkersChangeNothing(t *testing.T) {
	var want []string
	for _, workers := range []int{1, 2, 7} {
		s := open(t, makeStudy(t, 22))
		if err := s.Run(t.Context(), RunOptions{Workers: workers}); err != nil {
			t.Fatal(err)
		}
		got := facts(load(t, s))
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("with %d workers something else is measured: %s", workers, firstDifference(got, want))
		}
	}
}

func TestInterruptedRunsEndAsOneUninterrupted(t *testing.T) {
	s := open(t, makeStudy(t, 18))
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	want := facts(load(t, s))

	var ctx context.Context
	var cancel context.CancelFunc
	var seen atomic.Int32
	evaluated := map[string]int{}
	var mu sync.Mutex
	dir := makeStudy(t, 18, func(c context.Context, cand evaluator.Candidate) error {
		if seen.Add(1)%5 == 3 {
			cancel()
			<-c.Done()
			return c.Err()
		}
		mu.Lock()
		evaluated[cand.Key]++
		mu.Unlock()
		return nil
	})
	i := open(t, dir)
	for range 30 {
		ctx, cancel = context.WithCancel(t.Context())
		if err := i.Run(ctx, RunOptions{Workers: 2}); err != nil {
			t.Fatal(err)
		}
		cancel()
		if load(t, i).Activity.Runner == Finished {
			break
		}
	}
	if got := facts(load(t, i)); !slices.Equal(got, want) {
		t.Errorf("interrupted it measures something else: %s", firstDifference(got, want))
	}
}

func TestSecondRunnerIsRefused(t *testing.T) {
	started, hold := make(chan struct{}), make(chan struct{})
	var once sync.Once
	dir := makeStudy(t, 4, func(context.Context, evaluator.Candidate) error {
		once.Do(func() { close(started) })
		<-hold
		return nil
	})
	s := open(t, dir)
	done := make(chan error, 1)
	go func() { done <- s.Run(t.Context(), RunOptions{}) }()
	<-started
	if err := open(t, dir).Run(t.Context(), RunOptions{}); CodeOf(err) != CodeBusy {
		t.Errorf("second runner: %v", err)
	}
	close(hold)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestFailuresPauseAndResume(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to int // trials that fail
	}{
		{"five in a row", 3, 7},
		{"the whole first batch", 1, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			var broken atomic.Bool
			broken.Store(true)
			dir := makeStudy(t, 9, func(_ context.Context, cand evaluator.Candidate) error {
				if id := trialOf(cand.Key); broken.Load() && c.from <= id && id <= c.to {
					return errors.New("no GPU here")
				}
				return nil
			})
			s := open(t, dir)
			done := running(t, s, RunOptions{})
			snap := await(t, s, "pause", func(s *Snapshot) bool { return s.Activity.Runner == Paused })
			if !strings.Contains(snap.Activity.Note, "no GPU here") {
				t.Errorf("note %q does not say why", snap.Activity.Note)
			}
			broken.Store(false)
			for _, tr := range snap.Trials {
				if tr.State == evaluator.Failed {
					do(t, s, Command{Kind: CommandRetry, N: tr.ID})
				}
			}
			do(t, s, Command{Kind: CommandResume})
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			for _, tr := range load(t, s).Trials {
				want := 1
				if c.from <= tr.ID && tr.ID <= c.to {
					want = 2
				}
				if tr.State != evaluator.Done || tr.Attempt != want {
					t.Errorf("trial %d is %s in attempt %d, want %d: %s", tr.ID, tr.State, tr.Attempt, want, tr.Error)
				}
			}
		})
	}
}

// Who looks on between a runner's lock and its first word is not told that it is paused, because the one before it was: a
// headless run ends a runner that is.
func TestAPauseIsNotTheNextRunners(t *testing.T) {
	dir := makeStudy(t, 9, func(context.Context, evaluator.Candidate) error { return errors.New("no GPU here") })
	s := open(t, dir)
	done := running(t, s, RunOptions{})
	await(t, s, "pause", func(s *Snapshot) bool { return s.Activity.Runner == Paused })
	do(t, s, Command{Kind: CommandStop})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	lock, err := takeLockBy(t.Context(), dir, LockAuto, s.store.Replaced, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	defer lock.release()
	if act := open(t, dir).Snapshot().Activity; act.Runner != Sampling || act.Note != "" {
		t.Errorf("before the next runner is ready it is %s, %q; want %s and no note", act.Runner, act.Note, Sampling)
	}
	if err := lock.ready(); err != nil {
		t.Fatal(err)
	}
	if act := open(t, dir).Snapshot().Activity; act.Runner != Paused || act.Note == "" {
		t.Errorf("a runner that is ready and paused is %s, %q", act.Runner, act.Note)
	}
}

func TestCommands(t *testing.T) {
	s := open(t, makeStudy(t, 5))
	for _, c := range []Command{
		{Kind: CommandEvaluate, X: []float64{0.25, 0.75}, Who: "ann"},
		{Kind: CommandEvaluate, X: []float64{0.5, 0.5}},
		{Kind: CommandForget, N: 2},
		{Kind: CommandBudget, N: 7},
	} {
		if err := s.Do(c); err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
	}
	for _, c := range []Command{
		{Kind: CommandEvaluate, X: []float64{0.25}},
		{Kind: CommandEvaluate, X: []float64{0.25, math.NaN()}},
		{Kind: CommandBudget, N: 0},
		{Kind: CommandRetry, N: 77},
		{Kind: CommandRetry, N: 1},
		{Kind: "dance"},
	} {
		if err := s.Do(c); CodeOf(err) != CodeInput {
			t.Errorf("%+v: %v, want an input error", c, err)
		}
	}
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	snap := load(t, s)
	if snap.Trials[0].State != evaluator.Done || snap.Trials[0].Origin != "ann" || snap.Trials[1].State != evaluator.Cancelled {
		t.Errorf("trials asked for: %+v, %+v", snap.Trials[0], snap.Trials[1])
	}
	if len(snap.Trials) != 9 {
		t.Errorf("%d trials, want 7 of the search and 2 of people", len(snap.Trials))
	}
	if err := s.Do(Command{Kind: CommandForget, N: 1}); CodeOf(err) != CodeInput {
		t.Errorf("a finished trial was forgotten: %v", err)
	}
}

func TestWhatOneEvaluatorMeasuredOutlivesAnothersFailure(t *testing.T) {
	var measured, broken atomic.Int32
	broken.Store(1)
	first := [4]chan struct{}{1: make(chan struct{}), 2: make(chan struct{}), 3: make(chan struct{})}
	dir := makeStudy(t, 3,
		func(_ context.Context, c evaluator.Candidate) error {
			measured.Add(1)
			close(first[trialOf(c.Key)])
			return nil
		},
		func(_ context.Context, c evaluator.Candidate) error {
			if <-first[trialOf(c.Key)]; broken.Load() > 0 {
				return errors.New("judge is down")
			}
			return nil
		})
	s := open(t, dir)
	done := running(t, s, RunOptions{})
	snap := await(t, s, "pause", func(s *Snapshot) bool { return s.Activity.Runner == Paused })
	for _, tr := range snap.Trials {
		if tr.State != evaluator.Failed || len(tr.Metrics) != 2 {
			t.Fatalf("trial %d: %s with %v", tr.ID, tr.State, tr.Metrics)
		}
		do(t, s, Command{Kind: CommandRetry, N: tr.ID})
	}
	broken.Store(0)
	do(t, s, Command{Kind: CommandResume})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for _, tr := range load(t, s).Trials {
		if tr.State != evaluator.Done || len(tr.Metrics) != 4 {
			t.Errorf("trial %d: %s with %v", tr.ID, tr.State, tr.Metrics)
		}
	}
	if n := measured.Load(); n != 3 {
		t.Errorf("the evaluator that had succeeded ran %d times for 3 trials", n)
	}
}

func TestStopLeavesWhatRunsToTheNextRunner(t *testing.T) {
	started := make(chan struct{})
	var held atomic.Bool
	held.Store(true)
	var once sync.Once
	dir := makeStudy(t, 4, func(ctx context.Context, _ evaluator.Candidate) error {
		if held.Load() {
			once.Do(func() { close(started) })
			<-ctx.Done()
		}
		return nil
	})
	s := open(t, dir)
	done := make(chan error, 1)
	go func() { done <- s.Run(t.Context(), RunOptions{}) }()
	<-started
	if err := s.Do(Command{Kind: CommandStop}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if a := load(t, s).Activity; a.Runner != Idle || a.Waiting != 4 || a.Running != 0 {
		t.Errorf("after a stop: %+v", a)
	}
	held.Store(false)
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	if a := load(t, s).Activity; a.Done != 4 {
		t.Errorf("after the next run: %+v", a)
	}
}

func TestEditsThatChangeTheQuestionAreRefused(t *testing.T) {
	dir := makeStudy(t, 4)
	s := open(t, dir)
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	path := filepath.Join(dir, SpecFile)
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edit := func(old, text string) error {
		t.Helper()
		if err := os.WriteFile(path, []byte(strings.Replace(string(was), old, text, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := Open(dir)
		if err == nil {
			_ = s.Close()
		}
		return err
	}
	if err := edit("base: base", "base: other"); CodeOf(err) != CodeChanged || !strings.Contains(err.Error(), "other") {
		t.Errorf("another base: %v", err)
	}
	for _, ok := range [][2]string{{"budget: 4", "budget: 40"}, {"seed: 3", "seed: 4"}, {"{name: t0,", "{name: t0, at_least: 0.5,"}} {
		if err := edit(ok[0], ok[1]); err != nil {
			t.Errorf("%s: %v", ok[1], err)
		}
	}
}

func TestAStudyOfWhichNothingWasMeasuredMayBePutRight(t *testing.T) {
	dir := makeStudy(t, 4)
	s := open(t, dir)
	if err := s.Do(Command{Kind: CommandEvaluate, X: []float64{0, 0}}); err != nil {
		t.Fatal(err)
	}
	if err := s.store.setMeta("test", map[string]string{"identity": s.asked.Load().identity}); err != nil {
		t.Fatal(err)
	}
	edit := func(old, text string) error {
		t.Helper()
		path := filepath.Join(dir, SpecFile)
		was, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(was), old, text, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := Open(dir)
		if err == nil {
			_ = s.Close()
		}
		return err
	}
	if err := edit("name: t0", "name: t9"); err != nil {
		t.Errorf("another task, where nothing was measured: %v", err)
	}
	if err := edit("name: bb", "name: cc"); CodeOf(err) != CodeChanged || !strings.Contains(err.Error(), "delete study.db") || !strings.Contains(err.Error(), "history.jsonl") {
		t.Errorf("another coefficient, where nothing was measured: %v", err)
	}
}

func TestOpenSaysWhereThereIsNoStudy(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "nowhere")); CodeOf(err) != CodeNotAStudy {
		t.Error(err)
	}
}

package study

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parfait/evaluator"
)

// fake is an evaluator of the tests: metrics are functions of the coefficients, and a hook may hold, fail
// or count.
type fake struct {
	hook func(ctx context.Context, c evaluator.Candidate) error
}

var fakes sync.Map // name → *fake, so that a study.yaml can name one

func init() {
	kinds["fake"] = fakeKind(func(o map[string]any, _ string, workers int) (evaluator.Evaluator, error) {
		var f *fake
		if v, ok := fakes.Load(o["name"]); ok {
			f = v.(*fake)
		}
		return evaluator.Blocking(func(ctx context.Context, c evaluator.Candidate, _ func(evaluator.Progress)) (evaluator.Metrics, error) {
			if f != nil && f.hook != nil {
				if err := f.hook(ctx, c); err != nil {
					return nil, err
				}
			}
			m := evaluator.Metrics{}
			for i, task := range c.Tasks {
				z := 1.0
				for j, x := range c.At {
					centre := 0.2 + 0.6*float64((i+j+len(task))%2)
					z -= (x.Value - centre) * (x.Value - centre)
				}
				m[task] = evaluator.Metric{Value: 1 / (1 + math.Exp(-2*z)), N: 400, Stderr: 0.02}
			}
			return m, ctx.Err()
		}, max(1, workers)), nil
	})
}

// fakeKind is a kind of evaluator that takes any options.
func fakeKind(build func(options map[string]any, dir string, workers int) (evaluator.Evaluator, error)) kind {
	return kind{check: func(map[string]any) []error { return nil }, build: build}
}

// makeStudy writes a study of two models that no file stands behind: its evaluators need no model.
func makeStudy(t *testing.T, budget int, hooks ...func(context.Context, evaluator.Candidate) error) string {
	t.Helper()
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("version: 1\nbase: base\nmodels:\n  - {name: a, path: a}\n  - {name: bb, path: bb}\ntasks:\n")
	n := max(1, len(hooks))
	for i := range n {
		fmt.Fprintf(&b, "  - {name: t%d, unit: rate, evaluator: e%d}\n  - {name: other%d, unit: rate, evaluator: e%d}\n", i, i, i, i)
	}
	b.WriteString("evaluators:\n")
	for i := range n {
		name := fmt.Sprintf("%s-%d", t.Name(), i)
		f := &fake{}
		if i < len(hooks) {
			f.hook = hooks[i]
		}
		fakes.Store(name, f)
		fmt.Fprintf(&b, "  e%d: {fake: {name: %q}}\n", i, name)
	}
	fmt.Fprintf(&b, "search: {strategy: design, budget: %d, batch: 4, seed: 3}\n", budget)
	if err := os.WriteFile(filepath.Join(dir, SpecFile), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func open(t *testing.T, dir string) *Study {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func load(t *testing.T, s *Study) *Snapshot {
	t.Helper()
	snap, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// await runs until the newest snapshot satisfies ok.
func await(t *testing.T, s *Study, what string, ok func(*Snapshot) bool) *Snapshot {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for snap := range s.Subscribe(ctx) {
		if ok(snap) {
			return snap
		}
	}
	t.Fatalf("%s: not seen within 30 s; %+v", what, s.Snapshot().Activity)
	return nil
}

func facts(snap *Snapshot) []string {
	var out []string
	for _, t := range snap.Trials {
		out = append(out, fmt.Sprint(t.ID, t.Batch, t.X, t.State, t.Why, t.Metrics))
	}
	return out
}

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
			t.Errorf("with %d workers:\n%s\nwant\n%s", workers, strings.Join(got, "\n"), strings.Join(want, "\n"))
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
		t.Errorf("interrupted:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
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

// running starts a runner on s and returns what it will come to.
func running(t *testing.T, s *Study, o RunOptions) <-chan error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- s.Run(t.Context(), o) }()
	return done
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

func do(t *testing.T, s *Study, c Command) {
	t.Helper()
	if err := s.Do(c); err != nil {
		t.Fatalf("%+v: %v", c, err)
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
	dir := makeStudy(t, 3,
		func(context.Context, evaluator.Candidate) error { measured.Add(1); return nil },
		func(context.Context, evaluator.Candidate) error {
			if broken.Load() > 0 {
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
	if err := edit("name: t0", "name: t9"); CodeOf(err) != CodeChanged {
		t.Errorf("another task: %v", err)
	}
	for _, ok := range [][2]string{{"budget: 4", "budget: 40"}, {"seed: 3", "seed: 4"}, {"{name: t0,", "{name: t0, at_least: 0.5,"}} {
		if err := edit(ok[0], ok[1]); err != nil {
			t.Errorf("%s: %v", ok[1], err)
		}
	}
}

func TestOpenSaysWhereThereIsNoStudy(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "nowhere")); CodeOf(err) != CodeNotAStudy {
		t.Error(err)
	}
}

func TestHistoryOfANewerProgramIsRefused(t *testing.T) {
	dir := makeStudy(t, 4)
	s := open(t, dir)
	if _, err := s.store.db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	if _, err := Open(dir); CodeOf(err) != CodeHistory {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "study.db"), []byte("this is not a database, whatever its name says"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); CodeOf(err) != CodeHistory {
		t.Errorf("garbage: %v", err)
	}
}

package study

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parfait/evaluator"
)

// between is a study with a fast evaluator and one that holds its only candidate, so that trials stand
// between the two: measured by one, and not yet begun by the other.
func between(t *testing.T) (s *Study, held <-chan struct{}, let func()) {
	t.Helper()
	started, gate := make(chan struct{}), make(chan struct{})
	var once sync.Once
	dir := fakeStudy(t, 4,
		&fake{parallel: 4},
		&fake{hook: func(ctx context.Context, _ evaluator.Candidate) error {
			once.Do(func() { close(started) })
			select {
			case <-gate:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}})
	return open(t, dir), started, sync.OnceFunc(func() { close(gate) })
}

// measured says how many trials have metrics of the fast evaluator.
func measured(s *Snapshot) int {
	n := 0
	for _, tr := range s.Trials {
		if len(tr.Metrics) == 2 {
			n++
		}
	}
	return n
}

func TestARunEndsWithTrialsBetweenTwoEvaluators(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, *Study, context.CancelFunc){
		"stop":   func(t *testing.T, s *Study, _ context.CancelFunc) { do(t, s, Command{Kind: CommandStop}) },
		"cancel": func(_ *testing.T, _ *Study, cancel context.CancelFunc) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			s, held, let := between(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- s.Run(ctx, RunOptions{}) }()
			<-held
			await(t, s, "four measured by the fast one", func(s *Snapshot) bool { return measured(s) == 4 })
			end(t, s, cancel)
			if err := ended(t, done); err != nil {
				t.Fatal(err)
			}
			if a := load(t, s).Activity; a.Waiting != 4 || a.Running != 0 {
				t.Fatalf("after the end: %+v", a)
			}
			let()
			if err := s.Run(t.Context(), RunOptions{}); err != nil {
				t.Fatal(err)
			}
			if snap := load(t, s); snap.Activity.Done != 4 || measured(snap) != 0 {
				t.Errorf("after the next run: %+v", snap.Activity)
			}
		})
	}
}

func TestForgettingATrialBetweenTwoEvaluators(t *testing.T) {
	t.Parallel()
	s, held, let := between(t)
	done := running(t, s, RunOptions{})
	<-held
	await(t, s, "four measured by the fast one", func(s *Snapshot) bool { return measured(s) == 4 })
	do(t, s, Command{Kind: CommandForget, N: 3})
	await(t, s, "the third is forgotten", func(s *Snapshot) bool { return s.Trials[2].State == evaluator.Cancelled })
	let()
	if err := ended(t, done); err != nil {
		t.Fatal(err)
	}
	for _, tr := range load(t, s).Trials {
		want := evaluator.Done
		if tr.ID == 3 {
			want = evaluator.Cancelled
		}
		if tr.State != want {
			t.Errorf("trial %d is %s", tr.ID, tr.State)
		}
	}
}

// A runner sees the history every tick: a trial that is forgotten and tried again in between is another
// attempt, and the first one's result is nobody's.
func TestATrialThatIsForgottenAndTriedAgainAtOnce(t *testing.T) {
	t.Parallel()
	started := make(chan struct{}, 10)
	gate := make(chan struct{})
	var attempts sync.Map
	s := open(t, fakeStudy(t, 4, &fake{hook: func(_ context.Context, c evaluator.Candidate) error {
		if c.At[0].Value == 0 && c.At[1].Value == 0 {
			attempts.Store(c.Attempt, true)
			started <- struct{}{}
			<-gate // whatever it is told
		}
		return nil
	}}))
	done := running(t, s, RunOptions{})
	<-started
	snap := await(t, s, "one runs", func(s *Snapshot) bool { return s.Activity.Running == 1 })
	id := snap.Trials[slices.IndexFunc(snap.Trials, func(tr Trial) bool { return tr.State == evaluator.Running })].ID
	do(t, s, Command{Kind: CommandForget, N: id})
	do(t, s, Command{Kind: CommandRetry, N: id})
	close(gate)
	if err := ended(t, done); err != nil {
		t.Fatal(err)
	}
	tr := load(t, s).Trials[id-1]
	_, second := attempts.Load(2)
	if tr.State != evaluator.Done || tr.Attempt != 2 || !second {
		t.Errorf("trial %d is %s in attempt %d; its second was measured: %v", id, tr.State, tr.Attempt, second)
	}
}

func TestAForgottenTrialStaysSoWhateverItsEvaluatorSays(t *testing.T) {
	t.Parallel()
	var once sync.Once
	var s *Study
	f := &fake{hook: func(_ context.Context, c evaluator.Candidate) (err error) {
		if trialOf(c.Key) == 2 {
			once.Do(func() { err = s.Do(Command{Kind: CommandForget, N: 2}) }) // and ends well before anybody looks
		}
		return err
	}}
	s = open(t, fakeStudy(t, 4, f))
	if err := ended(t, running(t, s, RunOptions{})); err != nil {
		t.Fatal(err)
	}
	if tr := load(t, s).Trials[1]; tr.State != evaluator.Cancelled || len(tr.Metrics) > 0 {
		t.Errorf("trial 2 is %s with %v", tr.State, tr.Metrics)
	}
}

func TestATrialThatIsForgottenBeforeItStartsIsNotMeasured(t *testing.T) {
	t.Parallel()
	var s *Study
	var wrong atomic.Int32
	s = open(t, fakeStudy(t, 4, &fake{hook: func(_ context.Context, c evaluator.Candidate) error {
		switch trialOf(c.Key) {
		case 1: // the runner goes from one to the next at once, without a look at the history
			return s.Do(Command{Kind: CommandForget, N: 2})
		case 2:
			wrong.Add(1)
		}
		return nil
	}}))
	if err := ended(t, running(t, s, RunOptions{})); err != nil {
		t.Fatal(err)
	}
	if snap := load(t, s); wrong.Load() > 0 || snap.Trials[1].State != evaluator.Cancelled || snap.Activity.Done != 4 {
		t.Errorf("measured %d times: %+v", wrong.Load(), snap.Trials[1])
	}
}

// Evaluators that do not keep their contract fail their trials, and nothing else.
func TestEvaluatorsThatMisbehave(t *testing.T) {
	t.Parallel()
	final := func(c evaluator.Candidate, m evaluator.Metrics) evaluator.Event {
		return evaluator.Event{Key: c.Key, Attempt: c.Attempt, State: evaluator.Done, Metrics: m}
	}
	with := func(c evaluator.Candidate, v float64) evaluator.Event {
		m := bowls(c)
		m["t0"] = evaluator.Metric{Value: v}
		return final(c, m)
	}
	for name, c := range map[string]struct {
		say  func(c evaluator.Candidate, emit func(evaluator.Event) error) error
		want string // in the error, "" where it is none
	}{
		"no final event": {func(evaluator.Candidate, func(evaluator.Event) error) error { return nil }, "ended without a result"},
		"an error":       {func(evaluator.Candidate, func(evaluator.Event) error) error { return errors.New("no such host") }, "no such host"},
		"a panic":        {func(evaluator.Candidate, func(evaluator.Event) error) error { panic("index out of range") }, "index out of range"},
		"cancels by itself": {func(c evaluator.Candidate, emit func(evaluator.Event) error) error {
			return emit(evaluator.Event{Key: c.Key, Attempt: c.Attempt, State: evaluator.Cancelled})
		}, "did not say why"},
		"not a number": {func(c evaluator.Candidate, emit func(evaluator.Event) error) error { return emit(with(c, math.NaN())) }, "t0"},
		"infinite": {func(c evaluator.Candidate, emit func(evaluator.Event) error) error {
			return emit(with(c, math.Inf(-1)))
		}, "t0"},
		"per cent":      {func(c evaluator.Candidate, emit func(evaluator.Event) error) error { return emit(with(c, 81.3)) }, "a rate is from 0 to 1"},
		"too few tasks": {func(c evaluator.Candidate, emit func(evaluator.Event) error) error { return emit(final(c, nil)) }, "other0"},
		"a novel": {func(c evaluator.Candidate, emit func(evaluator.Event) error) error {
			return emit(evaluator.Event{Key: c.Key, Attempt: c.Attempt, State: evaluator.Failed, Err: errors.New(strings.Repeat("so it was, ", 1<<20))})
		}, "so it was"},
		"says it twice": {func(c evaluator.Candidate, emit func(evaluator.Event) error) error {
			return errors.Join(emit(final(c, bowls(c))), emit(with(c, 0.99)), errors.New("and then this"))
		}, ""},
		"of somebody else": {func(c evaluator.Candidate, emit func(evaluator.Event) error) error {
			return errors.Join(
				emit(evaluator.Event{Key: "x/77", Attempt: 1, State: evaluator.Done}),
				emit(evaluator.Event{Key: c.Key, Attempt: c.Attempt + 1, State: evaluator.Failed}),
				emit(evaluator.Event{Key: c.Key, State: evaluator.Running, Progress: evaluator.Progress{Done: 1}}),
				emit(final(c, bowls(c))),
			)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, fakeStudy(t, 3, &fake{submit: func(_ context.Context, batch []evaluator.Candidate, emit func(evaluator.Event) error) error {
				return c.say(batch[0], emit)
			}}))
			done := running(t, s, RunOptions{})
			if c.want != "" {
				await(t, s, "pause", func(s *Snapshot) bool { return s.Activity.Runner == Paused })
				do(t, s, Command{Kind: CommandStop})
			}
			if err := ended(t, done); err != nil {
				t.Fatal(err)
			}
			for _, tr := range load(t, s).Trials {
				good := tr.State == evaluator.Done && tr.Metrics["t0"].Value != 0.99
				failed := tr.State == evaluator.Failed && strings.Contains(tr.Error, c.want) && len(tr.Error) <= maxError && len(tr.Metrics) == 0
				if c.want == "" && !good || c.want != "" && !failed {
					t.Errorf("trial %d is %s: %.100q %v", tr.ID, tr.State, tr.Error, tr.Metrics)
				}
			}
		})
	}
}

func TestAnEvaluatorThatHangsIsLeftBehind(t *testing.T) {
	t.Parallel()
	started, gate := make(chan struct{}), make(chan struct{})
	defer close(gate)
	var hangs atomic.Bool
	hangs.Store(true)
	var asked []evaluator.Candidate
	s := open(t, fakeStudy(t, 4, &fake{
		hook: func(_ context.Context, c evaluator.Candidate) error {
			if hangs.Swap(false) {
				close(started)
				<-gate
			}
			return nil
		},
		recover: func(open []evaluator.Candidate) []evaluator.Event { asked = open; return nil },
	}))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, RunOptions{patience: 50 * time.Millisecond}) }()
	<-started
	cancel()
	if err := ended(t, done); CodeOf(err) != CodeEvaluator || !strings.Contains(err.Error(), "evaluators.e0") {
		t.Errorf("an evaluator that hangs: %v", err)
	}
	if a := load(t, s).Activity; a.Running != 1 || a.Runner != Idle {
		t.Errorf("its trial has to wait until somebody knows what became of it: %+v", a)
	}
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	if a := load(t, s).Activity; a.Done != 4 || len(asked) != 1 {
		t.Errorf("after the next run: %+v; it was asked about %d", a, len(asked))
	}
}

// left is a study of some trials whose first run was left while its evaluator hung, and which was run again, when what the
// first trial came to in between was told.
func left(t *testing.T, trials int, told func(open evaluator.Candidate) evaluator.Event) *Study {
	t.Helper()
	started, gate := make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(started); <-gate })
	s := open(t, fakeStudy(t, trials, &fake{
		hook:    func(context.Context, evaluator.Candidate) error { first(); return nil },
		recover: func(open []evaluator.Candidate) []evaluator.Event { return []evaluator.Event{told(open[0])} },
	}))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, RunOptions{patience: 50 * time.Millisecond}) }()
	<-started
	cancel()
	if err := ended(t, done); CodeOf(err) != CodeEvaluator {
		t.Errorf("the run that is left ends with %v, want that its evaluator hangs", err)
	}
	close(gate)
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	return s
}

// What failed while nobody ran, for want of room or memory, is measured again.
func TestFailuresWhileNobodyRan(t *testing.T) {
	t.Parallel()
	for what, again := range map[string]bool{"[Errno 28] No space left on device": true, "no such task": false} {
		s := left(t, 3, func(open evaluator.Candidate) evaluator.Event {
			return evaluator.Event{Key: open.Key, Attempt: open.Attempt, State: evaluator.Failed, Err: errors.New(what)}
		})
		if failed := load(t, s).Activity.Failed; (failed == 0) != again {
			t.Errorf("%q: %d have failed, measured again: %t", what, failed, again)
		}
	}
}

// A trial that ended while nobody ran took, and costs, as long as its evaluator says, and not until somebody looked.
func TestWhatATrialTookThatEndedWhileNobodyRan(t *testing.T) {
	t.Parallel()
	s := left(t, 1, func(open evaluator.Candidate) evaluator.Event {
		return evaluator.Event{Key: open.Key, Attempt: open.Attempt, State: evaluator.Done, Metrics: bowls(open), Elapsed: time.Hour}
	})
	snap := load(t, s)
	if h := snap.Activity.Spent.SlotHours; h < 1 || h > 2 {
		t.Errorf("%g slot hours are spent, expected the one", h)
	}
	tr := snap.Trials[0]
	if took, known := tr.took(); tr.State != evaluator.Done || !known || took < time.Hour || took > 2*time.Hour {
		t.Errorf("trial 1 is %s and took %v, expected the hour that its evaluator says", tr.State, took)
	}
}

// A runner that is told to drain lets what it measures end, and starts nothing.
func TestDrain(t *testing.T) {
	t.Parallel()
	started, gate := make(chan struct{}, 20), make(chan struct{})
	s := open(t, fakeStudy(t, 12, &fake{parallel: 2, hook: func(context.Context, evaluator.Candidate) error {
		started <- struct{}{}
		<-gate
		return nil
	}}))
	done := make(chan error, 1)
	go func() { done <- s.Run(t.Context(), RunOptions{}) }()
	<-started
	<-started
	if err := s.Do(Command{Kind: CommandDrain}); err != nil {
		t.Fatal(err)
	}
	until(t, "the runner says so", func() bool { return strings.HasPrefix(load(t, s).Activity.Note, "nothing new is started") })
	until(t, "the runner has heard it", func() bool { return !s.commanded.Load() })
	close(gate)
	if err := ended(t, done); err != nil {
		t.Fatal(err)
	}
	snap := load(t, s)
	if a := snap.Activity; a.Done != 2 || a.Failed > 0 || a.Running > 0 || a.Runner != Idle || len(started) > 0 {
		t.Errorf("%+v, %d more begun; want the two that ran finished, and no others", a, len(started))
	}
	for _, tr := range snap.Trials {
		if tr.Attempt != 1 {
			t.Errorf("trial %d is in attempt %d, want none interrupted", tr.ID, tr.Attempt)
		}
	}
	if err := s.Run(t.Context(), RunOptions{}); err != nil { // which nobody drains
		t.Fatal(err)
	}
	if a := load(t, s).Activity; a.Done != 12 {
		t.Errorf("after the next run: %+v", a)
	}
}

func TestWhatEvaluatorsStillKnowIsTaken(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	started := make(chan string, 10)
	var measured sync.Map
	hold := true
	f := &fake{parallel: 4, hook: func(ctx context.Context, c evaluator.Candidate) error {
		if hold {
			started <- c.Key
			<-gate
			return errors.New("this process is gone")
		}
		measured.Store(c.Key, c.Attempt)
		return nil
	}}
	f.recover = func(open []evaluator.Candidate) []evaluator.Event {
		var out []evaluator.Event
		for i, c := range open {
			e := evaluator.Event{Key: c.Key, Attempt: c.Attempt, State: evaluator.Done, Metrics: bowls(c)}
			switch i {
			case 1:
				e = evaluator.Event{Key: c.Key, Attempt: c.Attempt, State: evaluator.Failed, Err: errors.New("out of memory")}
			case 2:
				e.Attempt++ // of another life
			case 3:
				e.Metrics["t0"] = evaluator.Metric{Value: 7}
			}
			for range 20 { // it has ended meanwhile, where there is a result
				out = append(out, evaluator.Event{Key: c.Key, Attempt: e.Attempt, State: evaluator.Running, Progress: evaluator.Progress{Done: 1}})
			}
			out = append(out, e, e, evaluator.Event{Key: "unknown", State: evaluator.Done})
		}
		return out
	}
	s := open(t, fakeStudy(t, 4, f))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, RunOptions{patience: time.Millisecond}) }()
	for range 4 {
		<-started
	}
	cancel()
	if err := ended(t, done); CodeOf(err) != CodeEvaluator {
		t.Fatal(err)
	}
	hold = false
	close(gate)
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, tr := range load(t, s).Trials {
		got = append(got, fmt.Sprintln(tr.State, tr.Attempt, tr.Error != ""))
	}
	want := []string{"done 1 false\n", "failed 1 true\n", "done 2 false\n", "failed 1 true\n"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, again := measured.Load(s.name() + "/1"); again {
		t.Error("what was known was measured again")
	}
}

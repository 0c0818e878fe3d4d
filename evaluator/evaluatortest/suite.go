// Package evaluatortest holds every kind of evaluator to the same contract.
//
// A kind's test hands over a Harness: how to make the evaluator, a candidate that it measures, one that
// hangs, and those that fail with the code that is expected. Run plays the runner: it submits, cancels,
// restarts, and checks every event that comes back, every lease, and that nothing is left running.
//
// It knows nothing of how an evaluator works, and what only one kind does (a killed process, a lost
// connection) is tested beside that kind.
package evaluatortest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"parfait/evaluator"
)

// Harness is what the suite needs to know of a kind of evaluator.
type Harness struct {
	// New makes the evaluator as a runner does that starts: with more than one candidate in flight where
	// the kind can, and no timeout. dir is a folder that a runner and the one after it share.
	New func(t testing.TB, dir string) evaluator.Evaluator
	// Good makes a candidate with at least two tasks that is measured without error, on every split that
	// the evaluator offers. The suite fills in Key, Attempt, Split and Log, and wraps Model.
	Good func(t testing.TB) evaluator.Candidate
	// Hang makes a candidate that is not done until its context ends. Nil where the kind cannot hang.
	Hang func(t testing.TB) evaluator.Candidate
	// Failures are candidates that fail, by name.
	Failures map[string]Failure
	// Crash leaves in dir what a runner leaves that is killed while it measures open. Nil where nothing
	// outlives the runner.
	Crash func(t testing.TB, dir string, open []evaluator.Candidate)
}

// Failure is a candidate that fails, and the code of its error.
type Failure struct {
	Candidate func(t testing.TB) evaluator.Candidate
	Code      evaluator.Code
}

// Run runs every check of the contract as a subtest.
func Run(t *testing.T, h Harness) {
	for _, c := range []struct {
		name  string
		check func(*bench)
	}{
		{"limits", limits},
		{"measures a batch", batch},
		{"measures one after another", sequence},
		{"measures the tasks asked for", someTasks},
		{"measures how long it took", timed},
		{"measures every split", splits},
		{"keeps the number in flight", concurrentSubmits},
		{"a failure touches no other", failures},
		{"refuses what it cannot tell apart", badBatches},
		{"refuses bad candidates", badCandidates},
		{"a model that cannot be made", noModel},
		{"cancel", cancel},
		{"cancelled before the start", cancelledBefore},
		{"recover", recovery},
		{"recover, killed again and again", killedRecovery},
		{"keeps what is not on record", keeping},
	} {
		t.Run(c.name, func(t *testing.T) {
			settled := noLeftovers(t)
			c.check(newBench(t, h))
			settled()
		})
	}
}

// bench is one check's place of work.
type bench struct {
	testing.TB
	h   Harness
	dir string
	ev  evaluator.Evaluator
	n   int // candidates made
}

func newBench(t testing.TB, h Harness) *bench {
	dir := t.TempDir()
	return &bench{TB: t, h: h, dir: dir, ev: h.New(t, dir)}
}

// candidate completes what the harness made.
func (b *bench) candidate(c evaluator.Candidate) evaluator.Candidate {
	b.n++
	c.Key, c.ID = fmt.Sprintf("suite/%d", b.n), fmt.Sprintf("suite-%d", b.n)
	c.Attempt = b.n%3 + 1
	c.Log = filepath.Join(b.dir, fmt.Sprintf("%d.log", b.n))
	if c.Split == "" {
		c.Split = evaluator.Validation
	}
	return c
}

func (b *bench) good(n int) []evaluator.Candidate { return b.some(n, b.h.Good) }

func (b *bench) some(n int, candidate func(testing.TB) evaluator.Candidate) []evaluator.Candidate {
	var cs []evaluator.Candidate
	for range n {
		cs = append(cs, b.candidate(candidate(b)))
	}
	return cs
}

// submit measures a batch to its end and returns what was seen.
func (b *bench) submit(ctx context.Context, cs []evaluator.Candidate) *record {
	b.Helper()
	r := b.watch(cs)
	if err := b.ev.Submit(ctx, r.leased(b), r.emit); err != nil {
		b.Fatalf("Submit: %v", err)
	}
	r.check(b)
	return r
}

func limits(b *bench) {
	l := b.ev.Limits()
	if l.InFlight < 1 || l.Batch < 1 {
		b.Errorf("limits of %d in flight and batches of %d: expected at least 1", l.InFlight, l.Batch)
	}
	if !slices.Contains(l.Splits, evaluator.Validation) {
		b.Errorf("splits %v: search needs validation", l.Splits)
	}
	for i, s := range l.Splits {
		if s != evaluator.Validation && s != evaluator.Test || slices.Contains(l.Splits[:i], s) {
			b.Errorf("splits %v: %q is unknown or there twice", l.Splits, s)
		}
	}
}

func batch(b *bench) {
	l := b.ev.Limits()
	r := b.submit(context.Background(), b.good(min(l.Batch, 2*l.InFlight)))
	r.all(b, evaluator.Done)
	r = b.submit(context.Background(), b.good(l.InFlight+3)) // larger than what fits at once
	r.all(b, evaluator.Done)
	if started := r.started(); !slices.Equal(started, evaluator.Keys(r.batch)) {
		b.Errorf("candidates started in the order %v, expected that of the batch, %v", started, evaluator.Keys(r.batch))
	}
	b.submit(context.Background(), nil)
}

// sequence measures the same candidate again: the same metrics, whatever came before.
func sequence(b *bench) {
	c := b.good(1)[0]
	var first evaluator.Metrics
	for attempt := range 3 {
		c.Attempt = attempt + 1
		r := b.submit(context.Background(), []evaluator.Candidate{c})
		r.all(b, evaluator.Done)
		m := r.final(c.Key).Metrics
		if attempt == 0 {
			first = m
		}
		for task, v := range m {
			if v != first[task] {
				b.Errorf("attempt %d: %s is %v, it was %v", attempt+1, task, v, first[task])
			}
		}
	}
}

func someTasks(b *bench) {
	all := b.good(1)[0].Tasks
	if len(all) < 2 {
		b.Fatalf("the harness's good candidate has the tasks %v: expected at least two", all)
	}
	backwards := slices.Clone(all)
	slices.Reverse(backwards)
	one, two := b.good(1)[0], b.good(1)[0]
	one.Tasks, two.Tasks = backwards[:1], backwards
	b.submit(context.Background(), []evaluator.Candidate{one, two}).all(b, evaluator.Done)
}

// timed asks how long the evaluation took, beside its tasks.
func timed(b *bench) {
	c := b.good(1)[0]
	c.Timed = []string{"took"}
	b.submit(context.Background(), []evaluator.Candidate{c}).all(b, evaluator.Done)
}

func splits(b *bench) {
	var cs []evaluator.Candidate
	for _, s := range b.ev.Limits().Splits {
		c := b.good(1)[0]
		c.Split = s
		cs = append(cs, c)
	}
	b.submit(context.Background(), cs).all(b, evaluator.Done)
}

func concurrentSubmits(b *bench) {
	inFlight := b.ev.Limits().InFlight
	var (
		wait sync.WaitGroup
		one  = b.watch(nil)
	)
	for range 3 {
		cs := b.good(inFlight + 1)
		one.batch = append(one.batch, cs...)
		wait.Go(func() {
			mine := one.leasedOf(b, cs)
			if err := b.ev.Submit(context.Background(), mine, one.emit); err != nil {
				b.Errorf("Submit: %v", err)
			}
		})
	}
	wait.Wait()
	one.check(b)
	one.all(b, evaluator.Done)
}

func failures(b *bench) {
	if len(b.h.Failures) == 0 {
		b.Fatal("the harness knows no candidate that fails: every kind has one")
	}
	var cs []evaluator.Candidate
	want := map[string]string{} // by key
	for name, f := range b.h.Failures {
		bad := b.candidate(f.Candidate(b))
		want[bad.Key] = name
		cs = append(cs, b.good(1)[0], bad)
	}
	cs = append(cs, b.good(1)...)
	r := b.submit(context.Background(), cs)
	for _, c := range cs {
		e := r.final(c.Key)
		name, bad := want[c.Key]
		switch {
		case !bad && e.State != evaluator.Done:
			b.Errorf("a good candidate beside failing ones is %s: %v", e.State, e.Err)
		case bad && e.State != evaluator.Failed:
			b.Errorf("%s: the candidate is %s with %v, expected failed", name, e.State, e.Metrics)
		case bad && !errors.Is(e.Err, b.h.Failures[name].Code):
			b.Errorf("%s: the code is %s, expected %s: %v", name, evaluator.CodeOf(e.Err), b.h.Failures[name].Code, e.Err)
		}
	}
}

func badBatches(b *bench) {
	c := b.good(1)[0]
	called := false
	if err := b.ev.Submit(context.Background(), []evaluator.Candidate{c, c}, func(evaluator.Event) error { called = true; return nil }); !errors.Is(err, evaluator.BadCandidate) {
		b.Errorf("a key twice: %v, expected %s", err, evaluator.BadCandidate)
	}
	if err := b.ev.Submit(context.Background(), []evaluator.Candidate{c}, nil); err == nil {
		b.Error("Submit without emit returned no error")
	}
	if called {
		b.Error("an event was sent for a batch that was refused")
	}
}

func badCandidates(b *bench) {
	noTasks, twice, split := b.good(1)[0], b.good(1)[0], b.good(1)[0]
	noTasks.Tasks = nil
	twice.Tasks = append(slices.Clone(twice.Tasks), twice.Tasks[0])
	split.Split = "training"
	r := b.submit(context.Background(), append(b.good(1), noTasks, twice, split))
	for key, code := range map[string]evaluator.Code{noTasks.Key: evaluator.BadCandidate, twice.Key: evaluator.BadCandidate, split.Key: evaluator.UnknownSplit} {
		if e := r.final(key); e.State != evaluator.Failed || !errors.Is(e.Err, code) {
			b.Errorf("%s: %s with %v, expected %s", key, e.State, e.Err, code)
		}
	}
	if e := r.final(r.batch[0].Key); e.State != evaluator.Done {
		b.Errorf("a good candidate beside bad ones is %s: %v", e.State, e.Err)
	}
}

func noModel(b *bench) {
	if !b.ev.Limits().NeedsModel {
		return
	}
	broken := errors.New("the disk is full")
	without, failing := b.good(1)[0], b.good(1)[0]
	without.Model = nil
	failing.Model = func(context.Context, evaluator.Form) (evaluator.Lease, error) { return evaluator.Lease{}, broken }
	r := b.submit(context.Background(), []evaluator.Candidate{without, failing})
	r.all(b, evaluator.Failed)
	for _, c := range r.batch {
		if e := r.final(c.Key); !errors.Is(e.Err, evaluator.NoModel) {
			b.Errorf("%s: %v, expected %s", c.Key, e.Err, evaluator.NoModel)
		}
	}
	if e := r.final(failing.Key); !errors.Is(e.Err, broken) {
		b.Errorf("the error does not say why: %v", e.Err)
	}
}

func cancel(b *bench) {
	if b.h.Hang == nil {
		return
	}
	inFlight := b.ev.Limits().InFlight
	ctx, stop := context.WithCancelCause(context.Background())
	r := b.watch(b.some(inFlight+2, b.h.Hang))
	r.onRunning = func(n int) {
		if n == inFlight {
			stop(errors.New("the person pressed q"))
		}
	}
	if err := b.ev.Submit(ctx, r.leased(b), r.emit); err != nil {
		b.Fatalf("Submit: %v", err)
	}
	r.check(b)
	r.all(b, evaluator.Cancelled)
	if got := r.started(); len(got) != inFlight {
		b.Errorf("%d candidates were started, expected %d: the others had to wait", len(got), inFlight)
	}
	for _, c := range r.batch {
		if e := r.final(c.Key); !errors.Is(e.Err, evaluator.Interrupted) || !strings.Contains(e.Err.Error(), "pressed q") {
			b.Errorf("%s: %v, expected %s and its cause", c.Key, e.Err, evaluator.Interrupted)
		}
	}
	b.submit(context.Background(), b.good(inFlight)).all(b, evaluator.Done) // it goes on after that
}

func cancelledBefore(b *bench) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	r := b.submit(ctx, b.good(2))
	r.all(b, evaluator.Cancelled)
	if got := r.started(); len(got) != 0 {
		b.Errorf("%v were started after the context had ended", got)
	}
}

// crashed returns what a runner leaves open that is killed: two good candidates, one that hangs where the kind
// can (the third), and one that was asked for, but never submitted.
func (b *bench) crashed() []evaluator.Candidate {
	open := b.good(2)
	if b.h.Hang != nil {
		open = append(open, b.some(1, b.h.Hang)...)
	}
	if b.h.Crash != nil {
		b.h.Crash(b, b.dir, open)
		b.ev = b.h.New(b, b.dir)
	}
	return append(open, b.good(1)...)
}

func recovery(b *bench) {
	if unknown, err := b.ev.Recover(context.Background(), nil, func(evaluator.Event) error { return nil }); err != nil || len(unknown) != 0 {
		b.Errorf("Recover of nothing: %v, %v", unknown, err)
	}
	open := b.crashed()
	r := b.watch(open)
	unknown, err := b.ev.Recover(context.Background(), open, r.emit)
	if err != nil {
		b.Fatalf("Recover: %v", err)
	}
	for _, c := range open {
		finals := len(r.finals(c.Key))
		if slices.Contains(unknown, c.Key) {
			finals++
		}
		if finals != 1 {
			b.Errorf("%s: %d final events, unknown: %t: expected exactly one of both", c.Key, len(r.finals(c.Key)), slices.Contains(unknown, c.Key))
		}
	}
	if b.h.Crash == nil && !slices.Equal(unknown, evaluator.Keys(open)) {
		b.Errorf("unknown are %v, expected all that were open, %v", unknown, evaluator.Keys(open))
	}
	for i := range open {
		if b.h.Hang != nil && i == 2 {
			continue
		}
		open[i].Attempt++
		b.submit(context.Background(), open[i:i+1]).all(b, evaluator.Done)
	}
	if err := os.RemoveAll(b.dir); err != nil {
		b.Errorf("something still writes into the folder: %v", err)
	}
}

// recoverSome plays a runner that is killed when it has recorded so many results: it returns the keys of those
// that it recorded, and of all that it was told.
func (b *bench) recoverSome(open []evaluator.Candidate, record int) (recorded, told []string) {
	b.Helper()
	b.ev = b.h.New(b, b.dir)
	var mu sync.Mutex
	unknown, err := b.ev.Recover(context.Background(), open, func(e evaluator.Event) error {
		mu.Lock()
		defer mu.Unlock()
		if !e.State.Final() {
			return nil
		}
		told = append(told, e.Key)
		if len(recorded) == record {
			return errors.New("the runner was killed")
		}
		recorded = append(recorded, e.Key)
		return nil
	})
	if err != nil {
		b.Fatalf("Recover: %v", err)
	}
	if all := slices.Sorted(slices.Values(slices.Concat(told, unknown))); !slices.Equal(all, slices.Sorted(slices.Values(evaluator.Keys(open)))) {
		b.Errorf("told of %v, unknown are %v: expected each of %v in exactly one of both", told, unknown, evaluator.Keys(open))
	}
	return recorded, told
}

// killedRecovery kills one runner after another in its recovery, the first before it has recorded anything, the
// others after one result each: none is lost.
func killedRecovery(b *bench) {
	open := b.crashed()
	_, finished := b.recoverSome(open, 0)
	for len(finished) > 0 {
		recorded, told := b.recoverSome(open, 1)
		if slices.Sort(told); !slices.Equal(told, slices.Sorted(slices.Values(finished))) {
			b.Fatalf("the results of %v were told and not recorded; the next runner is told those of %v", finished, told)
		}
		gone := func(key string) bool { return slices.Contains(recorded, key) }
		finished = slices.DeleteFunc(finished, gone)
		open = slices.DeleteFunc(open, func(c evaluator.Candidate) bool { return gone(c.Key) })
	}
	if _, told := b.recoverSome(open, 0); len(told) > 0 {
		b.Errorf("the results of %v appear when nothing has been measured since", told)
	}
}

// keeping measures to the end without anybody who could record it. Where results outlive the runner, the next
// one is told.
func keeping(b *bench) {
	open := b.good(2)
	if err := b.ev.Submit(context.Background(), b.watch(open).leased(b), func(evaluator.Event) error { return errors.New("the disk is full") }); err != nil {
		b.Fatalf("Submit: %v", err)
	}
	if _, told := b.recoverSome(open, 0); b.h.Crash != nil && len(told) != len(open) {
		b.Errorf("%v ended without being recorded; the next runner is told of %v", evaluator.Keys(open), told)
	}
}

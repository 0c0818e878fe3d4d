package study

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/history"
)

func TestSubscribersSeeTheNewestAndSlowNobody(t *testing.T) {
	t.Parallel()
	s := open(t, makeStudy(t, 9))
	ctx, cancel := context.WithCancel(t.Context())
	slow := s.Subscribe(ctx) // reads once, at the end
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	last := await(t, s, "the end, analysed", func(s *Snapshot) bool {
		return s.Activity.Runner == Finished && s.Analysis != nil && len(s.Analysis.Trials) == 9
	})
	if got := <-slow; got.Revision < last.Revision {
		t.Errorf("a slow reader got revision %d, the newest is %d", got.Revision, last.Revision)
	}
	cancel()
	for range slow { // closes
	}
}

func TestNothingIsLeftBehindAClosedStudy(t *testing.T) {
	s := open(t, makeStudy(t, 9)) // not parallel: it counts
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	for range 20 {
		o, err := Open(s.Dir())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		chans := []<-chan *Snapshot{o.Subscribe(ctx), o.Subscribe(t.Context()), o.Follow(t.Context())}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
		for _, ch := range chans {
			for range ch { // closes
			}
		}
		cancel() // after the study: nothing is closed twice
		if snap, open := <-o.Subscribe(t.Context()); snap == nil || !open {
			t.Error("a closed study has a last snapshot")
		}
	}
	until(t, "all goroutines end", func() bool { return runtime.NumGoroutine() <= before })
}

func TestNobodyIsAnalysedForWhoOnlyFollows(t *testing.T) {
	t.Parallel()
	s := open(t, makeStudy(t, 9))
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	follow := s.Follow(ctx)
	for _, c := range []Command{{Kind: CommandPause}, {Kind: CommandResume}} { // changes that are reloaded
		revision := s.Snapshot().Revision
		do(t, s, c)
		for snap := range follow {
			if snap.Analysis != nil {
				t.Fatal("it was analysed")
			}
			if snap.Revision > revision {
				break
			}
		}
	}
	await(t, s, "an analysis for who wants one", func(s *Snapshot) bool { return s.Analysis != nil })
}

// Progress is seen, and not worth an analysis.
func TestProgressIsRecordedTogetherAndNotAnalysed(t *testing.T) {
	t.Parallel()
	gate, started := make(chan struct{}), make(chan struct{}, 10)
	submit := func(ctx context.Context, batch []evaluator.Candidate, emit func(evaluator.Event) error) error {
		c := batch[0]
		if trialOf(c.Key) > 4 {
			for i := range 1000 {
				_ = emit(evaluator.Event{Key: c.Key, Attempt: c.Attempt, State: evaluator.Running, Progress: evaluator.Progress{Done: i, Total: 1000}})
			}
			started <- struct{}{}
			<-gate
		}
		return emit(evaluator.Event{Key: c.Key, Attempt: c.Attempt, State: evaluator.Done, Metrics: bowls(c)})
	}
	s := open(t, fakeStudy(t, 8, &fake{parallel: 4, submit: submit}))
	done := running(t, s, RunOptions{})
	for range 4 {
		<-started
	}
	first := await(t, s, "an analysis", func(s *Snapshot) bool { return s.Analysis != nil && len(s.Analysis.Trials) == 4 })
	snap := await(t, s, "progress of four", func(s *Snapshot) bool {
		n := 0
		for _, tr := range s.Trials {
			if tr.Progress.Done == 999 {
				n++
			}
		}
		return n == 4
	})
	if snap.Analysis != first.Analysis {
		t.Error("trials that are only further on were analysed again")
	}
	close(gate)
	if err := ended(t, done); err != nil {
		t.Fatal(err)
	}
}

func TestAnAnalysisThatFailsIsSaidOnce(t *testing.T) {
	t.Parallel()
	dir := makeStudy(t, 9)
	s := open(t, dir)
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := s.store.Write("test", func(c *history.Change) error { // what no rate can be
		for id := 1; id <= 9; id++ {
			if err := c.Put(history.Measurements, history.Row{"id": id, "tasks": evaluator.Metrics{"t0": {Value: -1}, "other0": {Value: 0.5}}}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	o := open(t, dir)
	_, err := o.Load(t.Context())
	snap := await(t, o, "why", func(s *Snapshot) bool { return s.Problem != "" })
	if err == nil || !strings.Contains(snap.Problem, "t0") || snap.Activity.Note != "" || snap.Analysis != nil {
		t.Errorf("loading says %v, the snapshot %q", err, snap.Problem)
	}
	do(t, o, Command{Kind: CommandPause})
	again := await(t, o, "a reload", func(s *Snapshot) bool { return s.Revision > snap.Revision })
	if again.Problem != snap.Problem {
		t.Errorf("after a reload the problem is %q", again.Problem)
	}
}

func TestTheEndOfALongLog(t *testing.T) {
	t.Parallel()
	s := open(t, makeStudy(t, 4))
	if log, err := s.Log(1); log != "" || err != nil {
		t.Errorf("no log: %q, %v", log, err)
	}
	if err := os.MkdirAll(filepath.Join(s.Dir(), "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&b, "line %d: ü\n", i)
	}
	write(t, s.logPath(1), b.String())
	log, err := s.Log(1)
	if err != nil || !strings.HasPrefix(log, "line ") || !strings.HasSuffix(log, "line 19999: ü\n") || len(log) > maxLog || len(log) < maxLog-100 {
		t.Errorf("%d bytes from %.20q: %v", len(log), log, err)
	}
}

// Reloading and publishing from many sides never goes back in time.
func TestSnapshotsOnlyGoForward(t *testing.T) {
	t.Parallel()
	s := open(t, fakeStudy(t, 30, &fake{parallel: 3}))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for s.Snapshot().Activity.Done < 30 && ctx.Err() == nil {
				if _, err := s.Load(ctx); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		done, analysed, revision := 0, 0, int64(-1)
		for snap := range s.Subscribe(ctx) {
			n := 0
			if snap.Analysis != nil {
				n = len(snap.Analysis.Trials)
			}
			if snap.Activity.Done < done || n < analysed || snap.Revision <= revision {
				t.Errorf("from %d done, %d analysed, revision %d to %d, %d, %d", done, analysed, revision, snap.Activity.Done, n, snap.Revision)
			}
			if done, analysed, revision = snap.Activity.Done, n, snap.Revision; done == 30 {
				return
			}
		}
	})
	if err := s.Run(ctx, RunOptions{}); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

// A runner that is killed writes nothing: that its process is gone is all there is to see.
func TestAKilledRunnerIsSeen(t *testing.T) {
	t.Parallel()
	s := open(t, makeStudy(t, 9))
	runner := exec.Command("sleep", "60")
	if err := runner.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = runner.Process.Kill() }()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	o := owner{Host: host, PID: runner.Process.Pid, Started: time.Now(), Ready: true}
	if err := os.WriteFile(lockPath(s.Dir()), []byte(mustJSON(o)), 0o644); err != nil {
		t.Fatal(err)
	}
	await(t, s, "the runner", func(s *Snapshot) bool { return s.Activity.Runner == Sampling })
	ctx, cancel := context.WithTimeout(t.Context(), beatStale/2) // before its heart could be missed
	defer cancel()
	news := s.Subscribe(ctx)
	if err := runner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = runner.Wait()
	for snap := range news {
		if snap.Activity.Runner == Idle {
			return
		}
	}
	t.Error("a killed runner still seems to be at work")
}

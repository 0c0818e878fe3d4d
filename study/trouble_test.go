package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/internal/stage"
	"parfait/problem"
)

// met is an error as evaluators bring it home from the system.
func met(op string, e syscall.Errno) error {
	return evaluator.Errorf(evaluator.CannotStart, "it could not be started: %w", &os.PathError{Op: op, Path: "x", Err: e})
}

// spoken are what a run says to people.
type spoken struct {
	mu    sync.Mutex
	lines []string
}

func (s *spoken) options(workers int) RunOptions {
	return RunOptions{Workers: workers, hold: time.Millisecond, Note: func(text string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lines = append(s.lines, text)
	}}
}

func (s *spoken) said(words string) bool { return strings.Contains(s.all(), words) }

func (s *spoken) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

// allDone wants every trial measured in its first attempt.
func allDone(t *testing.T, s *Study, n int, said *spoken) {
	t.Helper()
	snap := load(t, s)
	if len(snap.Trials) != n {
		t.Errorf("%d trials, want %d", len(snap.Trials), n)
	}
	for _, tr := range snap.Trials {
		if tr.State != evaluator.Done || tr.Attempt != 1 {
			t.Errorf("trial %d is %s in attempt %d, want it done in the first: %s", tr.ID, tr.State, tr.Attempt, tr.Error)
		}
	}
	if t.Failed() {
		t.Log(said.all())
	}
}

func TestTroubleThatPassesFailsNoTrial(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		says string
	}{
		{"a full disk", met("open", syscall.ENOSPC), "the disk is full"},
		{"a quota", met("write", syscall.EDQUOT), "quota -s"},
		{"descriptors", met("open", syscall.EMFILE), "ulimit -n"},
		{"descriptors of the machine", met("open", syscall.ENFILE), "file-nr"},
		{"memory", met("fork/exec", syscall.ENOMEM), "memory"},
		{"processes", met("fork/exec", syscall.EAGAIN), "ulimit -u"},
		{"a disk that dies", met("read", syscall.EIO), "dmesg"},
		{"a file server", met("read", syscall.ESTALE), "`df`"},
		{"its own dying disk", errors.New("sh ended with exit status 1; the last of its stderr:\nevaluate.sh: 2: echo: echo: I/O error"), "dmesg"},
		{"its own full disk", errors.New("python3 ended with exit status 1; the last of its stderr:\nOSError: [Errno 28] No space left on device"), "No space left on device"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var calls atomic.Int32
			s := open(t, makeStudy(t, 9, func(context.Context, evaluator.Candidate) error {
				if n := calls.Add(1); n == 3 || n == 5 || n == 6 {
					return c.err
				}
				return nil
			}))
			var said spoken
			if err := s.Run(t.Context(), said.options(2)); err != nil {
				t.Fatal(err)
			}
			allDone(t, s, 9, &said)
			if calls.Load() != 12 {
				t.Errorf("%d evaluations, want 9 and 3 more", calls.Load())
			}
			if !said.said("wait") || !said.said(c.says) {
				t.Errorf("said\n%s\nwant that it waits, and %q", said.all(), c.says)
			}
			if note := s.Snapshot().Activity.Note; note != "" {
				t.Errorf("it is over, and still says %q", note)
			}
		})
	}
}

// What a trial has waited is not counted as its own time.
func TestATrialsTimeIsWithoutWhatItWaited(t *testing.T) {
	var calls atomic.Int32
	var failed, begun time.Time
	s := open(t, makeStudy(t, 1, func(context.Context, evaluator.Candidate) error {
		if calls.Add(1) < 3 {
			failed = time.Now()
			return met("open", syscall.ENOSPC)
		}
		begun = time.Now()
		return nil
	}))
	var said spoken
	o := said.options(1)
	o.hold = 20 * time.Millisecond
	if err := s.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	allDone(t, s, 1, &said)
	tr := load(t, s).Trials[0]
	if at := tr.Started; at.Before(failed.Truncate(time.Millisecond)) || at.After(begun) || calls.Load() != 3 {
		t.Errorf("it was measured from %v in evaluation 3 of %d, and has started at %v; the trouble was last met at %v", begun, calls.Load(), at, failed)
	}
}

// A run that has met trouble is paused for those who look on, says why, and goes on by itself; or at once, when a
// person says so.
func TestTroubleIsSeenByThoseWhoLookOn(t *testing.T) {
	var broken atomic.Bool
	broken.Store(true)
	s := open(t, makeStudy(t, 4, func(context.Context, evaluator.Candidate) error {
		if broken.Load() {
			return met("read", syscall.EIO)
		}
		return nil
	}))
	var said spoken
	o := said.options(1)
	o.hold = time.Hour
	done := running(t, s, o)
	snap := await(t, s, "the run waits", func(s *Snapshot) bool { return s.Activity.Runner == Waits })
	if a := snap.Activity; !strings.Contains(a.Note, "dmesg") || a.Failed > 0 {
		t.Errorf("activity %+v", a)
	}
	broken.Store(false)
	do(t, s, Command{Kind: CommandResume})
	if err := ended(t, done); err != nil {
		t.Fatal(err)
	}
	allDone(t, s, 4, &said)
}

func TestTroubleThatStaysEndsTheRunAndFailsNoTrial(t *testing.T) {
	for name, errno := range map[string]syscall.Errno{"read-only": syscall.EROFS, "file size": syscall.EFBIG} {
		t.Run(name, func(t *testing.T) {
			var broken, atWork atomic.Int32
			broken.Store(1)
			hold := make(chan struct{})
			s := open(t, makeStudy(t, 6, func(_ context.Context, c evaluator.Candidate) error {
				if id := trialOf(c.Key); id == 1 && atWork.Add(1) == 1 {
					<-hold
				} else if broken.Load() > 0 {
					if id == 2 {
						defer close(hold)
					}
					return met("open", errno)
				}
				return nil
			}))
			var said spoken
			err := s.Run(t.Context(), said.options(2))
			if CodeOf(err) != CodeSpace || err.Error() == "" || !strings.Contains(err.Error(), "; ") {
				t.Fatalf("%v: want code %s and what to do", err, CodeSpace)
			}
			snap := load(t, s)
			if snap.Activity.Failed > 0 || snap.Trials[0].State != evaluator.Done {
				t.Errorf("%d failed; what was being measured is %s, want it finished first\n%s", snap.Activity.Failed, snap.Trials[0].State, said.all())
			}
			broken.Store(0)
			if err := s.Run(t.Context(), said.options(2)); err != nil {
				t.Fatal(err)
			}
			if a := load(t, s).Activity; a.Done != 6 || a.Failed > 0 {
				t.Errorf("after it was put right: %+v", a)
			}
		})
	}
}

// Fewer are measured at once where the system refuses more.
func TestWhatTheSystemRefusesIsNotAskedForAgain(t *testing.T) {
	var now, most atomic.Int32
	var refused atomic.Int32
	s := open(t, makeStudy(t, 20, func(ctx context.Context, c evaluator.Candidate) error {
		n := now.Add(1)
		defer now.Add(-1)
		if n > 3 {
			refused.Add(1)
			return met("fork/exec", syscall.EAGAIN)
		}
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		select { // long enough for the others to be there
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
		return nil
	}))
	var said spoken
	if err := s.Run(t.Context(), said.options(8)); err != nil {
		t.Fatal(err)
	}
	allDone(t, s, 20, &said)
	if refused.Load() == 0 || refused.Load() > 10 {
		t.Errorf("%d were refused, want some at first and none later\n%s", refused.Load(), said.all())
	}
	if !said.said("at once are measured") {
		t.Errorf("it is not said that fewer are measured:\n%s", said.all())
	}
}

// An evaluator that fails again and again, and says that a disk is full which is not ours, has failed in the end.
func TestSuspicionsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		tries int32
		most  int // the option
	}{
		"says that a disk is full": {errors.New("it ended with exit status 1; the last of its stderr:\n[Errno 28] No space left on device"), 1 + maxBlamed, 0},
		"killed":                   {&evaluator.Error{Problem: problem.Problem{Code: evaluator.Killed, What: "it was ended by SIGKILL"}, Signal: "SIGKILL"}, 2, 0},
		"killed, of five":          {&evaluator.Error{Problem: problem.Problem{Code: evaluator.Killed, What: "it was ended by SIGKILL"}, Signal: "SIGKILL"}, 5, 5},
		"killed, never again":      {&evaluator.Error{Problem: problem.Problem{Code: evaluator.Killed, What: "it was ended by SIGKILL"}, Signal: "SIGKILL"}, 1, 1},
		"killed otherwise":         {&evaluator.Error{Problem: problem.Problem{Code: evaluator.Killed, What: "it was ended by SIGSEGV"}, Signal: "SIGSEGV"}, 1, 5},
		"simply fails":             {errors.New("it ended with exit status 1"), 1, 5},
	} {
		t.Run(name, func(t *testing.T) {
			var tries atomic.Int32
			s := open(t, fakeStudy(t, 5, &fake{tries: c.most, hook: func(_ context.Context, cand evaluator.Candidate) error {
				if trialOf(cand.Key) == 2 {
					tries.Add(1)
					return c.err
				}
				return nil
			}}))
			var said spoken
			if err := s.Run(t.Context(), said.options(1)); err != nil {
				t.Fatal(err)
			}
			snap := load(t, s)
			if snap.Activity.Failed != 1 || snap.Trials[1].State != evaluator.Failed || snap.Trials[1].Attempt != 1 {
				t.Fatalf("trial 2 is %s in attempt %d, %d failed", snap.Trials[1].State, snap.Trials[1].Attempt, snap.Activity.Failed)
			}
			if tries.Load() != c.tries {
				t.Errorf("it was measured %d times, want %d", tries.Load(), c.tries)
			}
			if again := fmt.Sprintf("measured %d times", c.tries); strings.Contains(snap.Trials[1].Error, again) != (c.tries > 1) {
				t.Errorf("%q: want %q there where it was more than once", snap.Trials[1].Error, again)
			}
		})
	}
}

func TestOneKillIsForgiven(t *testing.T) {
	var tries atomic.Int32
	s := open(t, makeStudy(t, 5, func(_ context.Context, cand evaluator.Candidate) error {
		if trialOf(cand.Key) == 2 && tries.Add(1) == 1 {
			return &evaluator.Error{Problem: problem.Problem{Code: evaluator.Killed, What: "it was ended by SIGKILL"}, Signal: "SIGKILL"}
		}
		return nil
	}))
	var said spoken
	if err := s.Run(t.Context(), said.options(2)); err != nil {
		t.Fatal(err)
	}
	allDone(t, s, 5, &said)
}

// What ends a run while a trial waits leaves it to the next.
func TestWhatWaitsIsLeftToTheNextRun(t *testing.T) {
	var broken atomic.Bool
	broken.Store(true)
	s := open(t, makeStudy(t, 4, func(context.Context, evaluator.Candidate) error {
		if broken.Load() {
			return met("open", syscall.ESTALE)
		}
		return nil
	}))
	var said spoken
	done := running(t, s, said.options(2))
	await(t, s, "the run waits", func(s *Snapshot) bool { return s.Activity.Runner == Waits })
	do(t, s, Command{Kind: CommandStop})
	if err := ended(t, done); err != nil {
		t.Fatal(err)
	}
	if a := load(t, s).Activity; a.Waiting != 4 || a.Failed > 0 {
		t.Errorf("activity %+v, want all four trials waiting", a)
	}
	broken.Store(false)
	if err := s.Run(t.Context(), said.options(2)); err != nil {
		t.Fatal(err)
	}
	if a := load(t, s).Activity; a.Done != 4 || a.Failed > 0 || a.Note != "" {
		t.Errorf("activity %+v, want all four trials done and nothing noted", a)
	}
}

func TestCandidatesDeletedInMidRunAreMadeAgain(t *testing.T) {
	var seen, deleted atomic.Int32
	var s *Study
	s = modelStudy(t, 10, 2, 0, func(path string) error {
		if n := seen.Add(1); n == 3 || n == 6 {
			deleted.Add(1)
			if err := os.RemoveAll(s.candidates()); err != nil {
				return err
			}
		}
		if _, err := os.Stat(filepath.Join(path, "model.safetensors")); err != nil {
			return fmt.Errorf("python3 ended with exit status 1: FileNotFoundError: %s", path)
		}
		return nil
	})
	var said spoken
	if err := s.Run(t.Context(), said.options(2)); err != nil {
		t.Fatal(err)
	}
	allDone(t, s, 10, &said)
	if deleted.Load() != 2 || !said.said("was deleted while it was measured") {
		t.Errorf("deleted %d times; said\n%s", deleted.Load(), said.all())
	}
}

func TestTroubleSaysWhatIsFreeAndWhatIsNeeded(t *testing.T) {
	dir := t.TempDir()
	room, err := stage.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	tr := trouble{what: "the disk is full", fix: "free some space", at: dir, need: 4 * room.Total}
	if text := tr.says(); !strings.Contains(text, "free, "+stage.Bytes(4*room.Total)+" needed in "+dir) || !strings.HasSuffix(text, "free some space") || tr.roomFor() {
		t.Errorf("%q, room %t: want what is free and what is needed, and none", text, tr.roomFor())
	}
	tr.need = 1
	if text := tr.says(); !strings.Contains(text, "quota -s") || !tr.roomFor() {
		t.Errorf("%q, room %t: want that it may be a quota, and room", text, tr.roomFor())
	}
}

// What ends while nothing is started any more is on record at once, not when all has ended: others may take hours, and be
// killed.
func TestWhatEndsWhileNothingIsStartedIsRecorded(t *testing.T) {
	t.Parallel()
	ends, others := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s := open(t, makeStudy(t, 4, func(ctx context.Context, c evaluator.Candidate) error {
		wait := map[int]chan struct{}{2: ends, 3: others, 4: others}[trialOf(c.Key)]
		if wait == nil {
			return met("write", syscall.EROFS) // which no wait mends
		}
		select {
		case <-wait:
		case <-ctx.Done():
		}
		return nil
	}))
	done := make(chan error, 1)
	go func() {
		done <- s.Run(t.Context(), RunOptions{Workers: 4, Note: func(text string) {
			if strings.Contains(text, "the run ends when what is being measured has ended") {
				once.Do(func() { close(ends) })
			}
		}})
	}()
	snap := await(t, open(t, s.Dir()), "trial 2 is on record", func(s *Snapshot) bool { return s.Activity.Done > 0 })
	if snap.Trials[1].State != evaluator.Done || snap.Trials[2].State != evaluator.Running {
		t.Errorf("trial 2 is %s and trial 3 %s, want the one done while the other runs", snap.Trials[1].State, snap.Trials[2].State)
	}
	close(others)
	if err := ended(t, done); CodeOf(err) != CodeSpace {
		t.Errorf("the run came to %v, want code %s", err, CodeSpace)
	}
}

package study

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/history"
)

// notes gathers what a runner says.
type notes struct {
	mu   sync.Mutex
	said []string
	ch   chan string
}

func (n *notes) note(text string) {
	n.mu.Lock()
	n.said = append(n.said, text)
	n.mu.Unlock()
	select {
	case n.ch <- text:
	default:
	}
}

// hold keeps everybody else from writing to a history until the function that it returns is called.
func hold(t *testing.T, path string) (release func() error) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	return db.Close
}

func TestAResultWaitsForWhoHoldsTheHistory(t *testing.T) {
	t.Parallel()
	var s *Study
	var once sync.Once
	var release func() error
	dir := fakeStudy(t, 6, &fake{hook: func(_ context.Context, c evaluator.Candidate) error {
		if trialOf(c.Key) == 3 {
			once.Do(func() { release = hold(t, s.store.Path()) })
		}
		return nil
	}})
	hasty.Store(filepath.Join(dir, history.DatabaseFile), 20*time.Millisecond)
	s = open(t, dir)
	n := &notes{ch: make(chan string, 100)}
	done := running(t, s, RunOptions{Note: n.note})
	for text := range n.ch {
		if strings.Contains(text, "waits to be recorded") && strings.Contains(text, "keeps the history locked") {
			break
		}
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if err := ended(t, done); err != nil {
		t.Fatal(err)
	}
	if a := load(t, s).Activity; a.Done != 6 || a.Failed != 0 {
		t.Errorf("%+v, want six trials done and none failed; it said %q", a, n.said)
	}
	for _, tr := range s.Snapshot().Trials {
		if tr.Attempt != 1 {
			t.Errorf("trial %d was measured %d times, want once", tr.ID, tr.Attempt)
		}
	}
}

func TestAHistoryThatStaysHeldEndsWithTheRun(t *testing.T) {
	t.Parallel()
	var s *Study
	var release func() error
	dir := fakeStudy(t, 6, &fake{hook: func(_ context.Context, c evaluator.Candidate) error {
		if trialOf(c.Key) == 3 {
			release = hold(t, s.store.Path())
		}
		return nil
	}})
	hasty.Store(filepath.Join(dir, history.DatabaseFile), 20*time.Millisecond)
	s = open(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	n := &notes{ch: make(chan string, 100)}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, RunOptions{Note: n.note}) }()
	for text := range n.ch {
		if strings.Contains(text, "keeps the history locked") {
			break
		}
	}
	cancel()
	if err := ended(t, done); err == nil || !strings.Contains(err.Error(), "keeps the history locked") {
		t.Errorf("a run that could not record a result: %v, want why", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if a := load(t, s).Activity; a.Done != 2 || a.Running != 1 {
		t.Errorf("what was recorded: %+v, want two trials done and one running", a)
	}
}

func TestAHistoryThatBreaksEndsTheRunAndSaysWhy(t *testing.T) {
	t.Parallel()
	var s *Study
	s = open(t, fakeStudy(t, 6, &fake{parallel: 3, hook: func(_ context.Context, c evaluator.Candidate) error {
		if trialOf(c.Key) == 3 {
			sqlExec(t, s.store.Path(), "DROP TABLE measurements")
		}
		return nil
	}}))
	if err := ended(t, running(t, s, RunOptions{})); CodeOf(err) != CodeDamaged {
		t.Errorf("a run whose results cannot be recorded: %v, want code %s", err, CodeDamaged)
	}
}

func TestAHistoryThatIsReplacedUnderARunner(t *testing.T) {
	t.Parallel()
	for name, ruin := range map[string]func(path string) error{
		"deleted": os.Remove,
		"replaced": func(path string) error {
			return errors.Join(os.Rename(path, path+".bak"), os.WriteFile(path, nil, 0o644))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			started := make(chan struct{})
			var once sync.Once
			s := open(t, fakeStudy(t, 4, &fake{hook: func(ctx context.Context, _ evaluator.Candidate) error {
				once.Do(func() { close(started) })
				<-ctx.Done()
				return ctx.Err()
			}}))
			done := running(t, s, RunOptions{})
			<-started
			if err := ruin(s.store.Path()); err != nil {
				t.Fatal(err)
			}
			if err := ended(t, done); CodeOf(err) != CodeHistory || !strings.Contains(err.Error(), "deleted or replaced") {
				t.Errorf("the run came to %v, want code %s and why", err, CodeHistory)
			}
			if s := await(t, s, "viewers know", func(s *Snapshot) bool { return s.Problem != "" }); !strings.Contains(s.Problem, "deleted or replaced") {
				t.Errorf("viewers were told %q", s.Problem)
			}
		})
	}
}

func TestManyProcessesWriteAtOnce(t *testing.T) {
	t.Parallel()
	dir := fakeStudy(t, 12, &fake{parallel: 3})
	s := open(t, dir)
	done := running(t, s, RunOptions{})
	var wg sync.WaitGroup
	for p := range 3 {
		other := open(t, dir) // a connection each, as processes have
		wg.Go(func() {
			for i := range 5 {
				// None of which the search asks for: what is on its way already is not asked for twice.
				if err := other.Do(Command{Kind: CommandEvaluate, X: []float64{0.01 + float64(p)/10, 0.03 + float64(i)/10}}); err != nil {
					t.Error(err)
				}
				if _, err := other.SavePick(Pick{Name: "p", X: []float64{0, 0}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := ended(t, done); err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context(), RunOptions{}); err != nil { // what came after the first had ended
		t.Fatal(err)
	}
	if snap := load(t, s); snap.Activity.Done != 27 || len(snap.Picks) != 15 {
		t.Errorf("%d trials, %d picks; want 27 and 15", snap.Activity.Done, len(snap.Picks))
	}
}

func TestFinishedTrialsNeverChange(t *testing.T) {
	t.Parallel()
	s := open(t, makeStudy(t, 4))
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	before := facts(load(t, s))
	for _, to := range []State{evaluator.Running, evaluator.Waiting, evaluator.Failed, evaluator.Done} {
		current := false
		err := s.store.Write("test", func(c *history.Change) (err error) {
			current, err = result{trial: 2, attempt: 1, metrics: evaluator.Metrics{"t0": {Value: 0.123}}, to: to, why: "no"}.record(c)
			return err
		})
		if err != nil || current {
			t.Errorf("recording %s into a finished trial: %v, %v", to, current, err)
		}
	}
	started := map[int]bool{}
	if err := s.store.Write("test", func(c *history.Change) error { return start(c, s.Snapshot().Trials, started) }); err != nil || started[2] {
		t.Errorf("a finished trial was started: %v, %v", started, err)
	}
	if after := facts(load(t, open(t, s.Dir()))); !slices.Equal(before, after) {
		t.Errorf("before:\n%s\nafter:\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
}

// What is loaded step by step is what is loaded at once, whatever happens in between.
func TestLoadingWhatChanged(t *testing.T) {
	t.Parallel()
	var s *Study
	s = open(t, fakeStudy(t, 10, &fake{hook: func(_ context.Context, c evaluator.Candidate) error {
		switch id := trialOf(c.Key); {
		case id == 4:
			return errors.Join(s.Do(Command{Kind: CommandEvaluate, X: []float64{0.1, 0.9}}), errors.New("no"))
		case id == 6 && c.Attempt == 1:
			return s.Do(Command{Kind: CommandRetry, N: 4})
		case id == 7 && c.Attempt == 1:
			return errors.Join(s.Do(Command{Kind: CommandForget, N: 7}), s.Do(Command{Kind: CommandRetry, N: 7}))
		}
		return nil
	}}))
	done := running(t, s, RunOptions{})
	other := open(t, s.Dir())
	var h *record
	for over := false; !over; {
		select {
		case err := <-done:
			if over = true; err != nil {
				t.Fatal(err)
			}
		default:
		}
		next, err := other.store.load(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		h = next
	}
	whole, err := other.store.load(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(h.trials), fmt.Sprint(whole.trials); got != want {
		t.Errorf("step by step:\n%s\nat once:\n%s", got, want)
	}
}

func TestAHistoryOfANewerProgram(t *testing.T) {
	t.Parallel()
	dir := makeStudy(t, 4)
	s := open(t, dir)
	if err := errors.Join(s.Run(t.Context(), RunOptions{}), s.Close()); err != nil {
		t.Fatal(err)
	}
	sqlExec(t, filepath.Join(dir, "study.db"), "PRAGMA user_version = 99")
	if s, err := Open(dir); CodeOf(err) != CodeHistory || !strings.Contains(err.Error(), "newer parfait") {
		t.Errorf("%v, %v; want %s: a newer parfait", s, err, CodeHistory)
	}
}

// Whatever becomes of the database, what was recorded can be looked at, and is not written on.
func TestADamagedDatabaseIsReadFromTheJournal(t *testing.T) {
	t.Parallel()
	for name, ruin := range map[string]func(t *testing.T, path string){
		"missing": remove,
		"empty":   func(t *testing.T, path string) { write(t, path, "") },
		"garbage": func(t *testing.T, path string) {
			write(t, path, "this is not a database, whatever its name says")
		},
		"torn": func(t *testing.T, path string) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			copy(b[len(b)/4:], bytes.Repeat([]byte("torn"), len(b)/8)) // half of it
			write(t, path, string(b))
		},
		"a figure changed": func(t *testing.T, path string) {
			sqlExec(t, path, "UPDATE measurements SET tasks = replace(tasks, 'value', 'valve') WHERE id = 2")
		},
		"a row gone": func(t *testing.T, path string) { sqlExec(t, path, "DELETE FROM trials WHERE id = 2") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := makeStudy(t, 4)
			s := open(t, dir)
			if err := s.Run(t.Context(), RunOptions{}); err != nil {
				t.Fatal(err)
			}
			before := facts(load(t, s))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			ruin(t, filepath.Join(dir, "study.db"))
			s, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			snap := load(t, s)
			if after := facts(snap); !slices.Equal(before, after) {
				t.Errorf("before:\n%s\nafter:\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
			}
			if !strings.Contains(snap.Damage, "parfait repair") || !strings.Contains(snap.Problem, snap.Damage) {
				t.Errorf("it says %q and %q, want what to do", snap.Damage, snap.Problem)
			}
			if err := s.Run(t.Context(), RunOptions{}); CodeOf(err) != CodeDamaged {
				t.Errorf("a run: %v, want code %s", err, CodeDamaged)
			}
			if _, err := history.Repair(t.Context(), dir); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir)
			if after := facts(load(t, s)); !slices.Equal(before, after) || s.Snapshot().Damage != "" {
				t.Errorf("before:\n%s\nrepaired (%s):\n%s", strings.Join(before, "\n"), s.Snapshot().Damage, strings.Join(after, "\n"))
			}
			if err := s.Run(t.Context(), RunOptions{}); err != nil {
				t.Errorf("after the repair: %v", err)
			}
		})
	}
}

func sqlExec(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(text); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// A study whose folder is moved away is not called read-only.
func TestAMovedStudySaysSo(t *testing.T) {
	s := open(t, makeStudy(t, 9))
	do(t, s, Command{Kind: CommandBudget, N: 10})
	if err := os.Rename(s.Dir(), s.Dir()+".moved"); err != nil {
		t.Fatal(err)
	}
	err := s.Do(Command{Kind: CommandBudget, N: 11})
	if CodeOf(err) != CodeHistory || !strings.Contains(err.Error(), "deleted or replaced") {
		t.Errorf("%v, want code %s: deleted or replaced", err, CodeHistory)
	}
}

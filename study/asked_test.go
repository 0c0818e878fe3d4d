package study

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"parfait/evaluator"
)

// watched follows a study from now on; said are all problems that it ever told.
type watched struct {
	t    *testing.T
	news <-chan *Snapshot
	said []string
}

func watchStudy(t *testing.T, s *Study) *watched {
	return &watched{t: t, news: s.Subscribe(t.Context())}
}

// until reads snapshots until one is as it should be.
func (w *watched) until(what string, ok func(*Snapshot) bool) *Snapshot {
	w.t.Helper()
	for snap := range w.news {
		if n := len(w.said); snap.Problem != "" && (n == 0 || w.said[n-1] != snap.Problem) {
			w.said = append(w.said, snap.Problem)
		}
		if ok(snap) {
			return snap
		}
	}
	w.t.Fatalf("%s: not seen; it said %q", what, w.said)
	return nil
}

func (w *watched) problem(words ...string) *Snapshot {
	w.t.Helper()
	return w.until(strings.Join(words, ", "), func(s *Snapshot) bool {
		for _, word := range words {
			if !strings.Contains(s.Problem, word) {
				return false
			}
		}
		return true
	})
}

func (w *watched) fine(what string, ok func(*Snapshot) bool) *Snapshot {
	w.t.Helper()
	return w.until(what, func(s *Snapshot) bool { return s.Problem == "" && ok(s) })
}

// The first hour of a study: the first trials fail, study.yaml is put right while the explorer is open, the
// trials are tried again. Nothing of that is a conflict, and whoever looks on is told none.
func TestWhoLooksOnTakesUpWhatIsEdited(t *testing.T) {
	t.Parallel()
	var works atomic.Bool
	dir := makeStudy(t, 4, func(context.Context, evaluator.Candidate) error {
		if !works.Load() {
			return errors.New("no such dtype")
		}
		return nil
	})
	edit(t, dir, "tasks:", "dtype: bf16\ntasks:")
	viewer, err := Open(dir) // before anything is there
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = viewer.Close() })
	w := watchStudy(t, viewer)
	s := open(t, dir)
	done := running(t, s, RunOptions{})
	w.fine("four have failed", func(s *Snapshot) bool { return s.Activity.Failed == 4 })
	do(t, s, Command{Kind: CommandStop}) // it waits for a look
	if err := errors.Join(ended(t, done), s.Close()); err != nil {
		t.Fatal(err)
	}
	works.Store(true)
	edit(t, dir, "dtype: bf16", "dtype: as-base")
	other := open(t, dir)
	for id := 1; id <= 4; id++ {
		do(t, other, Command{Kind: CommandRetry, N: id})
	}
	if err := other.Run(t.Context(), RunOptions{}); err != nil { // at once, whether or not the viewer has seen the edit
		t.Fatal(err)
	}
	w.fine("all are measured, and the runner has gone", func(s *Snapshot) bool {
		return s.Activity.Done == 4 && s.Activity.Failed == 0 && s.Spec.DType == "as-base" && s.Analysis != nil && s.Activity.Runner == Finished
	})
	if len(w.said) > 0 {
		t.Errorf("it said %q", w.said)
	}
}

func TestConflictsAreOfTheFileAsItIs(t *testing.T) {
	t.Parallel()
	dir := makeStudy(t, 5, func(_ context.Context, c evaluator.Candidate) error {
		if trialOf(c.Key) == 5 {
			return errors.New("no")
		}
		return nil
	})
	edit(t, dir, "tasks:", "dtype: bf16\ntasks:")
	s := open(t, dir)
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	viewer := open(t, dir)
	w := watchStudy(t, viewer)
	w.fine("the front", func(s *Snapshot) bool { return s.Analysis != nil })

	edit(t, dir, "dtype: bf16", "dtype: as-base")
	snap := w.problem("study.yaml: 4 trials were measured with something else than it says now", `dtype: was "bf16", now "as-base"`, "set it back")
	if snap.Spec.DType != "bf16" || snap.Analysis == nil || len(snap.Trials) != 5 {
		t.Errorf("beside a conflict: dtype %s, analysed %v, %d trials; want those of before", snap.Spec.DType, snap.Analysis != nil, len(snap.Trials))
	}
	do(t, s, Command{Kind: CommandBudget, N: 9})
	w.until("what goes on, beside a conflict", func(s *Snapshot) bool { return s.Problem != "" && s.Activity.Budget == 9 })
	if _, err := Open(dir); CodeOf(err) != CodeChanged {
		t.Errorf("who opens it now is told %v", err)
	}

	edit(t, dir, "dtype: as-base", "dtype: f16")
	w.problem(`now "f16"`)
	edit(t, dir, "dtype: f16", "dtype: bf16")
	w.fine("set back", func(s *Snapshot) bool { return s.Activity.Budget == 9 && len(s.Trials) == 5 })
	if len(w.said) != 2 {
		t.Errorf("it said %q, want two conflicts", w.said)
	}
}

func TestABrokenStudyYAMLHeals(t *testing.T) {
	t.Parallel()
	dir := measuredStudy(t)
	path := filepath.Join(dir, SpecFile)
	viewer := open(t, dir)
	w := watchStudy(t, viewer)
	before := w.fine("the front", func(s *Snapshot) bool { return s.Analysis != nil })

	edit(t, dir, "budget: 4", "bugdet: 4")
	snap := w.problem(SpecFile+":", "bugdet", "budget")
	if snap.Analysis != before.Analysis || snap.Activity.Runner != Finished {
		t.Errorf("beside a broken study.yaml the analysis is another, or the runner is %s", snap.Activity.Runner)
	}
	edit(t, dir, "bugdet: 4", "budget: 8")
	snap = w.fine("mended", func(s *Snapshot) bool { return s.Activity.Budget == 8 })
	if snap.Analysis != before.Analysis {
		t.Error("another budget takes the analysis away")
	}

	if err := os.Rename(path, path+"~"); err != nil {
		t.Fatal(err)
	}
	w.problem("study.yaml does not exist")
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
	w.fine("put back", func(*Snapshot) bool { return true })

	edit(t, dir, "{name: other0,", "{name: other0, role: guard,")
	snap = w.fine("analysed as it is asked now", func(s *Snapshot) bool { return s.Tasks[1].Role == Guard })
	if snap.Analysis == nil {
		t.Error("the front is gone while another is worked out")
	}
	w.fine("the front of one objective", func(s *Snapshot) bool { return len(s.Analysis.Objectives) == 1 })
}

// A runner goes on with what it has begun with; who looks on is told.
func TestARunnerStaysWithItsStudyYAML(t *testing.T) {
	t.Parallel()
	held, release := make(chan struct{}), make(chan struct{})
	dir := makeStudy(t, 4, func(_ context.Context, c evaluator.Candidate) error {
		if trialOf(c.Key) == 1 {
			close(held)
			<-release
		}
		return nil
	})
	s := open(t, dir)
	own := watchStudy(t, s) // in the runner's own process
	done := running(t, s, RunOptions{})
	<-held
	other := open(t, dir)
	w := watchStudy(t, other)
	w.fine("a runner", func(s *Snapshot) bool { return s.Activity.Runner == Sampling && s.Activity.Note == "" })
	edit(t, dir, "budget: 4", "budget: 6")
	w.fine("the edit, and the runner that does not know of it", func(s *Snapshot) bool {
		return s.Activity.Budget == 4 && s.Activity.NextBudget == 6 && strings.Contains(s.Activity.Note, "edited since this runner began: the next one takes it up, with a budget of 6 instead of 4")
	})
	do(t, other, Command{Kind: CommandBudget, N: 5}) // of the runner at work
	w.fine("another budget of the runner at work", func(s *Snapshot) bool { return s.Activity.Budget == 5 })
	close(release)
	if err := ended(t, done); err != nil {
		t.Fatal(err)
	}
	own.fine("its own end", func(s *Snapshot) bool { return s.Activity.Done == 5 })
	w.fine("the next runner has something to do", func(s *Snapshot) bool {
		return s.Activity.Done == 5 && s.Activity.Runner == Idle && s.Activity.Budget == 6 && s.Activity.NextBudget == 0 && s.Activity.Note == ""
	})
	own.fine("taken up after the run", func(s *Snapshot) bool { return s.Activity.Budget == 6 })
}

// Long work does not notice an edit half-way.
func TestStill(t *testing.T) {
	t.Parallel()
	dir := makeStudy(t, 4)
	s := open(t, dir)
	still := s.still()
	w := watchStudy(t, s)
	edit(t, dir, "name: bb,", "name: cc,")
	w.fine("the edit", func(s *Snapshot) bool { return s.Space.Coefficients[1].Name == "cc" })
	if got := still.Names(); got[1] != "bb" {
		t.Errorf("the names are %v by now", got)
	}
	if got := s.Names(); got[1] != "cc" {
		t.Errorf("the names are still %v", got)
	}
}

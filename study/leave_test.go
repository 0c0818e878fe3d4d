package study

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"parfait/evaluator"
	"parfait/internal/rescue"
	"parfait/parallel/paralleltest"
)

// An analysis, or a comparison, that nobody waits for any more is left wherever it stands: it looks often, and once
// it was told that its context has ended it looks a few times more, each in a loop that ends at that, and no more.
func TestAnalysesAreLeftWhereverTheyStand(t *testing.T) {
	s, err := Open(fakeStudy(t, 10, &fake{}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	many(t, s, 60)
	snap, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	others := []*Snapshot{snap}
	for _, dir := range []string{"b.study", "c.study"} {
		other := *snap
		other.Dir = filepath.Join(t.TempDir(), dir)
		others = append(others, &other)
	}
	const most = 60
	for name, work := range map[string]func(context.Context) error{
		"analyse": func(ctx context.Context) error { _, err := analyse(ctx, snap, snap.Trials); return err },
		"compare": func(ctx context.Context) error { _, err := Compare(ctx, others); return err },
		"quadratic": func(ctx context.Context) error {
			_, err := snap.Analysis.Quadratic(ctx)
			return err
		},
	} {
		whole := paralleltest.EndAfter(-1)
		if err := work(whole); err != nil {
			t.Fatal(name, err)
		}
		if whole.Looks() < 20 {
			t.Errorf("%s looks %d times: that is not often", name, whole.Looks())
		}
		for k := 0; k < whole.Looks(); k += 1 + whole.Looks()/25 {
			ctx := paralleltest.EndAfter(k)
			if err := work(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: ended at look %d of %d it says %v", name, k, whole.Looks(), err)
			}
			if more := ctx.Looks() - k; more > most {
				t.Errorf("%s: told at look %d of %d that it has ended, it looks %d times more", name, k, whole.Looks(), more)
			}
		}
	}
}

// A panic of the runner's loop is an error that those who look on read too; what it had started is ended, and waits
// for the next run.
func TestAPanicOfTheRunnerEndsWhatItStarted(t *testing.T) {
	const slots = 3
	var started, ended atomic.Int32
	all := make(chan struct{})
	f := &fake{parallel: slots, hook: func(ctx context.Context, c evaluator.Candidate) error {
		switch n := started.Add(1); {
		case n == slots:
			close(all)
		case n > slots:
			return nil
		}
		<-all
		defer ended.Add(1)
		if strings.HasSuffix(c.Key, "/1") {
			return errors.New("it fails, and that is noted")
		}
		<-ctx.Done()
		return ctx.Err()
	}}
	s := open(t, fakeStudy(t, 8, f))
	err := s.Run(t.Context(), RunOptions{Note: func(string) { panic("on purpose") }})
	if p := (*rescue.Panic)(nil); !errors.As(err, &p) || p.Value != "on purpose" {
		t.Fatalf("Run says %v", err)
	}
	if n := ended.Load(); n != slots {
		t.Errorf("%d of %d evaluations have ended", n, slots)
	}
	snap, err := s.Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, trial := range snap.Trials[1:slots] {
		if trial.State != evaluator.Waiting {
			t.Errorf("trial %d is %s, want that it waits", trial.ID, trial.State)
		}
	}
	if note := snap.Activity.Note; !strings.Contains(note, "a fault of the program") {
		t.Errorf("who looks on reads %q", note)
	}
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, trial := range load(t, s).Trials[1:] {
		if trial.State != evaluator.Done {
			t.Errorf("after the next run trial %d is %s", trial.ID, trial.State)
		}
	}
}

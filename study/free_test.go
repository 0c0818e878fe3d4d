package study

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/search"
)

// In free order no slot waits for the slowest of a batch: whatever hangs, the others go on until the budget is spent. What
// was proposed follows from what was seen.
func TestFreeOrderKeepsSlotsBusy(t *testing.T) {
	t.Parallel()
	for _, order := range []Order{OrderFixed, OrderFree} {
		var mu sync.Mutex
		begun := 0
		hang := make(chan struct{})
		dir := fakeStudy(t, 14, &fake{parallel: 3, hook: func(ctx context.Context, c evaluator.Candidate) error {
			mu.Lock()
			begun++
			mu.Unlock()
			if trialOf(c.Key) != 2 {
				return nil
			}
			select { // the second trial hangs until nothing else can go on
			case <-hang:
			case <-ctx.Done():
			}
			return nil
		}})
		edit(t, dir, "strategy: design", "strategy: adaptive, order: "+string(order))
		s := open(t, dir)
		done := running(t, s, RunOptions{})
		others := 7 // batch 2 needs the first to be complete
		if order == OrderFree {
			others = 13
		}
		snap := await(t, s, "all others finish", func(s *Snapshot) bool { return s.Activity.Done >= others })
		if snap.Activity.Done != others {
			t.Errorf("%s: %d trials finished while one hung, want %d", order, snap.Activity.Done, others)
		}
		close(hang)
		if err := ended(t, done); err != nil {
			t.Fatal(err)
		}
		if a := load(t, s).Activity; a.Done != 14 || a.Failed != 0 {
			t.Errorf("%s: in the end %+v, want 14 done", order, a)
		}
		audit(t, s)
	}
}

// slow is a strategy that takes its time.
type slow struct {
	search.Strategy
	thinks func(ask int)
	asks   atomic.Int32
}

func (s *slow) Ask(ctx context.Context, q search.Question) (search.Proposal, error) {
	s.thinks(int(s.asks.Add(1)))
	return s.Strategy.Ask(ctx, q)
}

// While the strategy thinks, slots that become free go on with what was proposed before: it has been asked ahead, for as
// many as finish meanwhile.
func TestASlowStrategyBlocksNoSlot(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Now()
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	begun := make(chan int, 20)
	var ends [20]chan struct{}
	for i := range ends {
		ends[i] = make(chan struct{})
	}
	eval := evaluator.Blocking(evaluator.Limits{InFlight: 4}, func(ctx context.Context, c evaluator.Candidate, _ func(evaluator.Progress)) (evaluator.Metrics, error) {
		begun <- trialOf(c.Key)
		select {
		case <-ends[trialOf(c.Key)]:
		case <-ctx.Done():
		}
		return bowls(c), ctx.Err()
	})
	of, err := search.New("design", nil)
	if err != nil {
		t.Fatal(err)
	}
	thinking, thought := make(chan struct{}), make(chan struct{})
	strategy := &slow{Strategy: of, thinks: func(ask int) {
		pass(5 * time.Second)
		if ask == 3 {
			close(thinking)
			<-thought
		}
	}}
	dir := fakeStudy(t, 12, &fake{})
	edit(t, dir, "strategy: design", "strategy: design, order: free")
	s := open(t, dir)
	done := running(t, s, RunOptions{Simulate: &Simulation{
		Now:        func() time.Time { mu.Lock(); defer mu.Unlock(); return now },
		Evaluators: map[string]evaluator.Evaluator{"e0": eval}, Strategy: strategy,
	}})
	next := func(want int) {
		t.Helper()
		select {
		case got := <-begun:
			if got != want {
				t.Fatalf("trial %d begins, want %d", got, want)
			}
		case err := <-done:
			t.Fatalf("the run ends before trial %d begins: %v", want, err)
		case <-time.After(30 * time.Second):
			t.Fatalf("trial %d does not begin", want)
		}
	}
	first := map[int]bool{<-begun: true, <-begun: true, <-begun: true, <-begun: true}
	if len(first) != 4 || !first[1] || !first[4] {
		t.Fatalf("trials %v begin first, want 1 to 4", first)
	}
	pass(20 * time.Second)
	close(ends[1]) // now it is known that the strategy thinks for a quarter of an evaluation, in which one more finishes
	next(5)
	close(ends[2])
	next(6)
	<-thinking
	close(ends[3])
	next(7) // although the strategy has not answered
	close(thought)
	for i := range ends {
		if i == 0 || i > 3 {
			close(ends[i])
		}
	}
	if err := ended(t, done); err != nil {
		t.Fatal(err)
	}
	if a := load(t, s).Activity; a.Done != 12 || a.Failed != 0 {
		t.Errorf("in the end %+v, want 12 done", a)
	}
}

// A strategy that waits is asked again when something has finished, and not before.
func TestFreeOrderAndStrategiesThatWait(t *testing.T) {
	t.Parallel()
	for _, strategy := range []string{"greedy", "nested", "barrier"} {
		dir := fakeStudy(t, 12, &fake{parallel: 5})
		edit(t, dir, "strategy: design", "strategy: "+strategy+", order: free")
		s := open(t, dir)
		if err := s.Run(t.Context(), RunOptions{}); err != nil {
			t.Errorf("%s: %v", strategy, err)
			continue
		}
		snap := load(t, s)
		waits := 0
		for _, b := range snap.Batches {
			if b.Wait != "" {
				waits++
			}
		}
		if waits > len(snap.Trials)+1 {
			t.Errorf("%s: it waited %d times for %d trials", strategy, waits, len(snap.Trials))
		}
		audit(t, s)
	}
}

// A replay tells where what is recorded does not follow.
func TestAReplayThatDiffers(t *testing.T) {
	t.Parallel()
	dir := makeStudy(t, 9)
	edit(t, dir, "strategy: design", "strategy: adaptive, order: free")
	s := open(t, dir)
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	edit(t, dir, "strategy: adaptive", "strategy: design")
	r, err := Replay(t.Context(), dir)
	if err != nil || len(r.Problems) == 0 || r.Problems[0].Code != CodeChanged || !strings.Contains(r.Problems[0].Error(), "study.yaml") {
		t.Errorf("with another strategy: %+v, %v", r, err)
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	for text, ids := range map[string][]int{"": nil, "1": {1}, "1-2": {1, 2}, "1-3,5,7-9": {1, 2, 3, 5, 7, 8, 9}} {
		got, err := numbers(text)
		if err != nil || !slices.Equal(got, ids) || ranges(ids) != text {
			t.Errorf("%q is read as %v (%v) and %v written as %q", text, got, err, ids, ranges(ids))
		}
	}
	for _, bad := range []string{"x", "3-1", "1-", "1-99999999999"} {
		if got, err := numbers(bad); err == nil {
			t.Errorf("%q is read as %v", bad, got)
		}
	}
}

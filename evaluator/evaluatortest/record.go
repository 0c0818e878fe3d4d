package evaluatortest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parfait/evaluator"
)

// record is every event of a batch and every lease on its models.
type record struct {
	batch     []evaluator.Candidate
	inFlight  int
	onRunning func(n int) // called when the n-th candidate starts

	mu       sync.Mutex
	events   []evaluator.Event
	leases   map[string]int // open leases, by key
	taken    map[string]int // leases ever, by key
	problems []string
}

func (b *bench) watch(cs []evaluator.Candidate) *record {
	return &record{batch: cs, inFlight: b.ev.Limits().InFlight, leases: map[string]int{}, taken: map[string]int{}}
}

func (r *record) bad(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// emit checks what can only be checked in the moment: that a final event finds the leases released, and
// that no more run than may. Everything is recorded.
func (r *record) emit(e evaluator.Event) error {
	started := 0
	r.mu.Lock()
	before := len(r.startedLocked())
	r.events = append(r.events, e)
	if now := len(r.startedLocked()); now > before {
		started = now
	}
	if e.State.Final() && r.leases[e.Key] != 0 {
		r.bad("%s: its final event came before its model was released", e.Key)
	}
	if n := r.runningLocked(); n > r.inFlight {
		r.bad("%d candidates run, the limit is %d", n, r.inFlight)
	}
	r.mu.Unlock()
	if started > 0 && r.onRunning != nil {
		r.onRunning(started)
	}
	return nil
}

func (r *record) leased(t testing.TB) []evaluator.Candidate { return r.leasedOf(t, r.batch) }

// leasedOf returns candidates whose model can only be read while it is leased.
func (r *record) leasedOf(t testing.TB, cs []evaluator.Candidate) []evaluator.Candidate {
	out := slices.Clone(cs)
	for i := range out {
		c := &out[i]
		if c.Model == nil {
			continue
		}
		model, links := c.Model, t.TempDir()
		c.Model = func(ctx context.Context, form evaluator.Form) (evaluator.Lease, error) {
			l, err := model(ctx, form)
			if err != nil {
				return l, err
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			link := filepath.Join(links, fmt.Sprint("model-", r.taken[c.Key]))
			if err := os.Symlink(l.Path, link); err != nil {
				return l, err
			}
			r.leases[c.Key]++
			r.taken[c.Key]++
			release := sync.OnceFunc(func() {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.leases[c.Key]--
				if err := os.Remove(link); err != nil {
					r.bad("%s: the model that was leased is gone: %v", c.Key, err)
				}
				if l.Release != nil {
					l.Release()
				}
			})
			return evaluator.Lease{Path: link, Release: release}, nil
		}
	}
	return out
}

// check holds what was seen after Submit returned against the contract.
func (r *record) check(t testing.TB) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.batch {
		final, running := 0, 0
		for _, e := range r.events {
			if e.Key != c.Key {
				continue
			}
			if e.Attempt != c.Attempt {
				r.bad("%s: an event of attempt %d, expected %d", c.Key, e.Attempt, c.Attempt)
			}
			if final > 0 {
				r.bad("%s: an event (%s) after its final one", c.Key, e.State)
			}
			r.checkEvent(c, e)
			if e.State.Final() {
				final++
			}
			if e.State == evaluator.Running {
				running++
			}
			if e.State == evaluator.Done && running == 0 {
				r.bad("%s: done without ever having been running", c.Key)
			}
		}
		if final != 1 {
			r.bad("%s: %d final events when Submit returned, expected exactly one", c.Key, final)
		}
		if r.leases[c.Key] != 0 {
			r.bad("%s: %d leases were not released", c.Key, r.leases[c.Key])
		}
	}
	for _, e := range r.events {
		if !slices.Contains(evaluator.Keys(r.batch), e.Key) {
			r.bad("an event for %q, which is not in the batch", e.Key)
		}
	}
	for _, p := range r.problems {
		t.Error(p)
	}
	r.problems = nil
}

func (r *record) checkEvent(c evaluator.Candidate, e evaluator.Event) {
	switch e.State {
	case evaluator.Done:
		if err := evaluator.Check(c, e.Metrics); err != nil {
			r.bad("%s: done with bad metrics: %v", c.Key, err)
		}
		for _, task := range c.Timed {
			if !(e.Metrics[task].Value > 0) {
				r.bad("%s: done without how long it took: %v", c.Key, e.Metrics)
			}
		}
		if e.Err != nil {
			r.bad("%s: done with an error: %v", c.Key, e.Err)
		}
	case evaluator.Failed, evaluator.Cancelled:
		switch {
		case e.Err == nil:
			r.bad("%s: %s without an error", c.Key, e.State)
		case e.Err.Error() == "" || strings.Contains(e.Err.Error(), "%!"):
			r.bad("%s: an error that says nothing: %q", c.Key, e.Err)
		}
		if e.Metrics != nil {
			r.bad("%s: %s with metrics", c.Key, e.State)
		}
	case evaluator.Waiting, evaluator.Running:
		if p := e.Progress; p.Done < 0 || p.Total < 0 || p.Total > 0 && p.Done > p.Total {
			r.bad("%s: progress %d of %d", c.Key, p.Done, p.Total)
		}
	default:
		r.bad("%s: unknown state %q", c.Key, e.State)
	}
}

// all demands that every candidate ended in the given state.
func (r *record) all(t testing.TB, want evaluator.State) {
	t.Helper()
	for _, c := range r.batch {
		if e := r.final(c.Key); e.State != want {
			t.Errorf("%s is %q, expected %q: %v", c.Key, e.State, want, e.Err)
		}
	}
}

// final returns a candidate's final event, the zero Event where there is none.
func (r *record) final(key string) evaluator.Event {
	if es := r.finals(key); len(es) > 0 {
		return es[0]
	}
	return evaluator.Event{}
}

func (r *record) finals(key string) []evaluator.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []evaluator.Event
	for _, e := range r.events {
		if e.Key == key && e.State.Final() {
			out = append(out, e)
		}
	}
	return out
}

// started lists the keys in the order in which they began to run.
func (r *record) started() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.startedLocked()
}

func (r *record) startedLocked() []string {
	var keys []string
	for _, e := range r.events {
		if e.State == evaluator.Running && !slices.Contains(keys, e.Key) {
			keys = append(keys, e.Key)
		}
	}
	return keys
}

func (r *record) runningLocked() int {
	n := 0
	for _, key := range r.startedLocked() {
		if !slices.ContainsFunc(r.events, func(e evaluator.Event) bool { return e.Key == key && e.State.Final() }) {
			n++
		}
	}
	return n
}

// noLeftovers returns a function that waits until no more goroutines run than before.
func noLeftovers(t testing.TB) (settled func()) {
	before := runtime.NumGoroutine()
	return func() {
		deadline := time.NewTimer(5 * time.Second)
		defer deadline.Stop()
		again := time.NewTicker(time.Millisecond)
		defer again.Stop()
		for runtime.NumGoroutine() > before {
			select {
			case <-again.C:
			case <-deadline.C:
				stacks := make([]byte, 1<<20)
				t.Errorf("%d goroutines are left, there were %d:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
				return
			}
		}
	}
}

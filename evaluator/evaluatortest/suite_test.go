package evaluatortest

import (
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"parfait/evaluator"
)

// broken are evaluators that break the contract, each in one way, and what the suite has to say of it.
var broken = map[string]struct {
	notice string // regular expression on the suite's output
	breaks func(right evaluator.Evaluator) evaluator.Evaluator
}{
	"deletes, then tells": {"were told and not recorded", func(e evaluator.Evaluator) evaluator.Evaluator {
		return keeper{e.(keeper).Evaluator, e.(keeper).dir, true}
	}},
	"deletes what is not on record": {"ended without being recorded", func(e evaluator.Evaluator) evaluator.Evaluator {
		return recovering{keeper{e.(keeper).Evaluator, e.(keeper).dir, true}, e}
	}},
	"two final events": {"2 final events", func(e evaluator.Evaluator) evaluator.Evaluator {
		return changed{e, func(e evaluator.Event, emit func(evaluator.Event) error) error {
			if e.State.Final() {
				_ = emit(e)
			}
			return emit(e)
		}}
	}},
	"no final event": {"0 final events", func(e evaluator.Evaluator) evaluator.Evaluator {
		return changed{e, func(e evaluator.Event, emit func(evaluator.Event) error) error {
			if e.State.Final() {
				return nil
			}
			return emit(e)
		}}
	}},
	"progress after the end": {"after its final one", func(e evaluator.Evaluator) evaluator.Evaluator {
		return changed{e, func(e evaluator.Event, emit func(evaluator.Event) error) error {
			err := emit(e)
			if e.State.Final() {
				e.State, e.Metrics, e.Err = evaluator.Running, nil, nil
				_ = emit(e)
			}
			return err
		}}
	}},
	"another attempt": {"expected 2", func(e evaluator.Evaluator) evaluator.Evaluator {
		return changed{e, func(e evaluator.Event, emit func(evaluator.Event) error) error { e.Attempt = 1; return emit(e) }}
	}},
	"another key": {"which is not in the batch", func(e evaluator.Evaluator) evaluator.Evaluator {
		return changed{e, func(e evaluator.Event, emit func(evaluator.Event) error) error { e.Key += "x"; return emit(e) }}
	}},
	"unchecked metrics": {"done with bad metrics", func(e evaluator.Evaluator) evaluator.Evaluator {
		return changed{e, func(e evaluator.Event, emit func(evaluator.Event) error) error {
			for task := range e.Metrics {
				e.Metrics[task] = evaluator.Metric{Value: math.Inf(1)}
			}
			return emit(e)
		}}
	}},
	"too many in flight": {"candidates run, the limit is 1", func(evaluator.Evaluator) evaluator.Evaluator {
		wide := evaluator.Blocking(evaluator.Limits{InFlight: 3, NeedsModel: true}, plain)
		return limited{wide, evaluator.Limits{InFlight: 1, Batch: 1, NeedsModel: true, Splits: []evaluator.Split{evaluator.Validation}}}
	}},
	"a goroutine left": {"goroutines are left", func(e evaluator.Evaluator) evaluator.Evaluator {
		go func() { select {} }()
		return e
	}},
	"forgets what was open": {"expected exactly one of both", func(e evaluator.Evaluator) evaluator.Evaluator { return forgetful{e} }},
}

// keeper is an evaluator whose results outlive the runner: each is a file in dir until it is on record.
type keeper struct {
	evaluator.Evaluator
	dir   string
	hasty bool // the fault: until it was told, whatever came of that
}

func (k keeper) file(key string) string { return filepath.Join(k.dir, filepath.Base(key)+".result") }

func (k keeper) settle(e evaluator.Event, emit func(evaluator.Event) error) error {
	err := emit(e)
	if e.State.Final() && (err == nil || k.hasty) {
		_ = os.Remove(k.file(e.Key))
	}
	return err
}

func (k keeper) Submit(ctx context.Context, batch []evaluator.Candidate, emit func(evaluator.Event) error) error {
	if emit == nil {
		return k.Evaluator.Submit(ctx, batch, nil)
	}
	return k.Evaluator.Submit(ctx, batch, func(e evaluator.Event) error {
		if e.State == evaluator.Done {
			if err := os.WriteFile(k.file(e.Key), nil, 0o600); err != nil {
				return err
			}
		}
		return k.settle(e, emit)
	})
}

func (k keeper) Recover(_ context.Context, open []evaluator.Candidate, emit func(evaluator.Event) error) (unknown []string, err error) {
	for _, c := range open {
		if _, err := os.Stat(k.file(c.Key)); err != nil {
			unknown = append(unknown, c.Key)
			continue
		}
		_ = k.settle(evaluator.Event{Key: c.Key, Attempt: c.Attempt, State: evaluator.Done, Metrics: ones(c)}, emit)
	}
	return unknown, nil
}

// recovering is an evaluator with the Recover of another.
type recovering struct {
	evaluator.Evaluator
	by evaluator.Evaluator
}

func (r recovering) Recover(ctx context.Context, open []evaluator.Candidate, emit func(evaluator.Event) error) ([]string, error) {
	return r.by.Recover(ctx, open, emit)
}

type changed struct {
	evaluator.Evaluator
	change func(evaluator.Event, func(evaluator.Event) error) error
}

func (c changed) Submit(ctx context.Context, batch []evaluator.Candidate, emit func(evaluator.Event) error) error {
	if emit == nil {
		return c.Evaluator.Submit(ctx, batch, nil)
	}
	return c.Evaluator.Submit(ctx, batch, func(e evaluator.Event) error { return c.change(e, emit) })
}

type limited struct {
	evaluator.Evaluator
	limits evaluator.Limits
}

func (l limited) Limits() evaluator.Limits { return l.limits }

type forgetful struct{ evaluator.Evaluator }

func (forgetful) Recover(context.Context, []evaluator.Candidate, func(evaluator.Event) error) ([]string, error) {
	return nil, nil
}

func plain(ctx context.Context, c evaluator.Candidate, _ func(evaluator.Progress)) (evaluator.Metrics, error) {
	l, err := c.Model(ctx, evaluator.Folder)
	if err != nil {
		return nil, err
	}
	defer l.Release()
	return ones(c), nil
}

func ones(c evaluator.Candidate) evaluator.Metrics {
	m := evaluator.Metrics{}
	for _, task := range c.Tasks {
		m[task] = evaluator.Metric{Value: 1}
	}
	return m
}

func harness(breaks func(evaluator.Evaluator) evaluator.Evaluator) Harness {
	good := func(t testing.TB) evaluator.Candidate {
		dir := t.TempDir()
		return evaluator.Candidate{Tasks: []string{"a", "b"}, Model: func(context.Context, evaluator.Form) (evaluator.Lease, error) {
			return evaluator.Lease{Path: dir}, nil
		}}
	}
	return Harness{
		New: func(_ testing.TB, dir string) evaluator.Evaluator {
			return breaks(keeper{evaluator.Blocking(evaluator.Limits{InFlight: 2, NeedsModel: true}, plain), dir, false})
		},
		Good: good,
		Crash: func(t testing.TB, dir string, open []evaluator.Candidate) {
			for _, c := range open {
				if err := os.WriteFile(keeper{dir: dir}.file(c.Key), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		},
		Failures: map[string]Failure{"no model": {func(t testing.TB) evaluator.Candidate {
			c := good(t)
			c.Model = nil
			return c
		}, evaluator.NoModel}},
	}
}

const breakage = "PARFAIT_BROKEN_EVALUATOR"

// TestBreakage is the suite on a broken evaluator; TestSuiteNotices runs it in a process of its own.
func TestBreakage(t *testing.T) {
	if name := os.Getenv(breakage); name != "" {
		Run(t, harness(broken[name].breaks))
		return
	}
	Run(t, harness(func(e evaluator.Evaluator) evaluator.Evaluator { return e }))
}

func TestSuiteNotices(t *testing.T) {
	for name, b := range broken {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestBreakage$", "-test.failfast")
			cmd.Env = append(os.Environ(), breakage+"="+name)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatalf("the suite passes an evaluator with the fault %q", name)
			}
			if !regexp.MustCompile(b.notice).Match(out) {
				t.Errorf("the suite fails, but says nothing like %q:\n%s", b.notice, out)
			}
		})
	}
}

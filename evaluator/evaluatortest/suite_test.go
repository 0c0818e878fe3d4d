package evaluatortest

import (
	"context"
	"math"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"parfait/evaluator"
)

// broken are evaluators that break the contract, each in one way, and what the suite has to say of it.
var broken = map[string]struct {
	notice string // regular expression on the suite's output
	breaks func(right evaluator.Evaluator) evaluator.Evaluator
}{
	"two final events": {"2 final events", func(e evaluator.Evaluator) evaluator.Evaluator {
		return changed{e, func(e evaluator.Event, emit func(evaluator.Event)) {
			emit(e)
			if e.State.Final() {
				emit(e)
			}
		}}
	}},
	"no final event": {"0 final events", func(e evaluator.Evaluator) evaluator.Evaluator {
		return changed{e, func(e evaluator.Event, emit func(evaluator.Event)) {
			if !e.State.Final() {
				emit(e)
			}
		}}
	}},
	"progress after the end": {"after its final one", func(e evaluator.Evaluator) evaluator.Evaluator {
		return changed{e, func(e evaluator.Event, emit func(evaluator.Event)) {
			emit(e)
			if e.State.Final() {
				e.State, e.Metrics, e.Err = evaluator.Running, nil, nil
				emit(e)
			}
		}}
	}},
	"another attempt": {"expected 2", func(e evaluator.Evaluator) evaluator.Evaluator {
		return changed{e, func(e evaluator.Event, emit func(evaluator.Event)) { e.Attempt = 1; emit(e) }}
	}},
	"another key": {"which is not in the batch", func(e evaluator.Evaluator) evaluator.Evaluator {
		return changed{e, func(e evaluator.Event, emit func(evaluator.Event)) { e.Key += "x"; emit(e) }}
	}},
	"unchecked metrics": {"done with bad metrics", func(e evaluator.Evaluator) evaluator.Evaluator {
		return changed{e, func(e evaluator.Event, emit func(evaluator.Event)) {
			for task := range e.Metrics {
				e.Metrics[task] = evaluator.Metric{Value: math.Inf(1)}
			}
			emit(e)
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

type changed struct {
	evaluator.Evaluator
	change func(evaluator.Event, func(evaluator.Event))
}

func (c changed) Submit(ctx context.Context, batch []evaluator.Candidate, emit func(evaluator.Event)) error {
	if emit == nil {
		return c.Evaluator.Submit(ctx, batch, nil)
	}
	return c.Evaluator.Submit(ctx, batch, func(e evaluator.Event) { c.change(e, emit) })
}

type limited struct {
	evaluator.Evaluator
	limits evaluator.Limits
}

func (l limited) Limits() evaluator.Limits { return l.limits }

type forgetful struct{ evaluator.Evaluator }

func (forgetful) Recover(context.Context, []evaluator.Candidate, func(evaluator.Event)) ([]string, error) {
	return nil, nil
}

func plain(ctx context.Context, c evaluator.Candidate, _ func(evaluator.Progress)) (evaluator.Metrics, error) {
	l, err := c.Model(ctx, evaluator.Folder)
	if err != nil {
		return nil, err
	}
	defer l.Release()
	m := evaluator.Metrics{}
	for _, task := range c.Tasks {
		m[task] = evaluator.Metric{Value: 1}
	}
	return m, nil
}

func harness(breaks func(evaluator.Evaluator) evaluator.Evaluator) Harness {
	good := func(t testing.TB) evaluator.Candidate {
		dir := t.TempDir()
		return evaluator.Candidate{Tasks: []string{"a", "b"}, Model: func(context.Context, evaluator.Form) (evaluator.Lease, error) {
			return evaluator.Lease{Path: dir}, nil
		}}
	}
	return Harness{
		New: func(testing.TB, string) evaluator.Evaluator {
			return breaks(evaluator.Blocking(evaluator.Limits{InFlight: 2, NeedsModel: true}, plain))
		},
		Good: good,
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

package evaluator_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/evaluatortest"
)

// behaving is a function to be measured by: the first coefficient's name says what it does.
func behaving(ctx context.Context, c evaluator.Candidate, progress func(evaluator.Progress)) (evaluator.Metrics, error) {
	lease, err := c.Model(ctx, evaluator.Folder)
	if err != nil {
		return nil, err
	}
	if _, err := os.ReadDir(lease.Path); err != nil {
		return nil, err
	}
	m := evaluator.Metrics{}
	for i, task := range c.Tasks {
		m[task] = evaluator.Metric{Value: .5, Stderr: .01, N: 10}
		progress(evaluator.Progress{Done: i + 1, Total: len(c.Tasks)})
	}
	switch c.At[0].Name {
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	case "error":
		return nil, errors.New("the judge is asleep")
	case "panic":
		panic("index out of range")
	case "exit":
		runtime.Goexit()
	case "missing":
		delete(m, c.Tasks[0])
	case "undeclared":
		m["poetry"] = evaluator.Metric{}
	case "nan":
		m[c.Tasks[0]] = evaluator.Metric{Value: math.NaN()}
	case "late":
		go progress(evaluator.Progress{Note: "still here"})
	}
	lease.Release()
	return m, nil
}

func candidate(behaviour string) func(testing.TB) evaluator.Candidate {
	return func(t testing.TB) evaluator.Candidate {
		dir := t.TempDir()
		return evaluator.Candidate{
			Tasks: []string{"a", "b"},
			At:    []evaluator.Coefficient{{Name: behaviour, Value: 1}},
			Model: func(context.Context, evaluator.Form) (evaluator.Lease, error) { return evaluator.Lease{Path: dir}, nil },
		}
	}
}

func fails(behaviour string, code evaluator.Code) evaluatortest.Failure {
	return evaluatortest.Failure{Candidate: candidate(behaviour), Code: code}
}

func TestBlockingConforms(t *testing.T) {
	for name, inFlight := range map[string]int{"one": 1, "three": 3} {
		t.Run(name, func(t *testing.T) {
			evaluatortest.Run(t, evaluatortest.Harness{
				New: func(testing.TB, string) evaluator.Evaluator {
					return evaluator.Blocking(evaluator.Limits{
						InFlight: inFlight, Batch: 4, NeedsModel: true,
						Splits: []evaluator.Split{evaluator.Validation, evaluator.Test},
					}, behaving)
				},
				Good: candidate("good"),
				Hang: candidate("hang"),
				Failures: map[string]evaluatortest.Failure{
					"error":      fails("error", evaluator.Internal),
					"panic":      fails("panic", evaluator.Panicked),
					"exit":       fails("exit", evaluator.Panicked),
					"missing":    fails("missing", evaluator.MissingTask),
					"undeclared": fails("undeclared", evaluator.UndeclaredTask),
					"nan":        fails("nan", evaluator.NotFinite),
				},
			})
		})
	}
}

// A progress that comes after the end is not passed on: nothing may follow a final event.
func TestBlockingDropsLateProgress(t *testing.T) {
	for range 50 {
		c := candidate("late")(t)
		c.Key, c.Split = "k", evaluator.Validation
		final := 0
		err := evaluator.Blocking(evaluator.Limits{}, behaving).Submit(t.Context(), []evaluator.Candidate{c}, func(e evaluator.Event) error {
			if final > 0 {
				t.Errorf("%+v after the final event", e)
			}
			if e.State.Final() {
				final++
			}
			return nil
		})
		if err != nil || final != 1 {
			t.Fatalf("%d final events, %v", final, err)
		}
	}
}

func TestBlockingTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			name  string
			parts func() (context.Context, evaluator.Measure)
			state evaluator.State
			code  evaluator.Code
		}{
			{"hangs", func() (context.Context, evaluator.Measure) {
				return t.Context(), func(ctx context.Context, _ evaluator.Candidate, _ func(evaluator.Progress)) (evaluator.Metrics, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				}
			}, evaluator.Failed, evaluator.TimedOut},
			{"is done in spite of it", func() (context.Context, evaluator.Measure) {
				return t.Context(), func(ctx context.Context, _ evaluator.Candidate, _ func(evaluator.Progress)) (evaluator.Metrics, error) {
					<-ctx.Done()
					return evaluator.Metrics{"a": {Value: 1}}, nil
				}
			}, evaluator.Done, ""},
			{"cancelled before the timeout", func() (context.Context, evaluator.Measure) {
				outer, stop := context.WithTimeout(t.Context(), time.Second)
				t.Cleanup(stop)
				return outer, func(ctx context.Context, _ evaluator.Candidate, _ func(evaluator.Progress)) (evaluator.Metrics, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				}
			}, evaluator.Cancelled, evaluator.Interrupted},
		} {
			ctx, f := c.parts()
			var last evaluator.Event
			ev := evaluator.Blocking(evaluator.Limits{Timeout: time.Minute}, f)
			err := ev.Submit(ctx, []evaluator.Candidate{{Key: "k", Tasks: []string{"a"}, Split: evaluator.Validation}}, func(e evaluator.Event) error { last = e; return nil })
			if err != nil {
				t.Fatal(err)
			}
			if last.State != c.state || evaluator.CodeOf(last.Err) != c.code {
				t.Errorf("%s: %s with %v, expected %s with %q", c.name, last.State, last.Err, c.state, c.code)
			}
		}
	})
}

// The time in which the model is made is not the evaluator's.
func TestBlockingTimeoutWithoutModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slowly := func(ctx context.Context, _ evaluator.Form) (evaluator.Lease, error) {
			<-time.After(time.Hour)
			return evaluator.Lease{Path: "m"}, ctx.Err()
		}
		for extra, want := range map[time.Duration]evaluator.State{59 * time.Second: evaluator.Done, 61 * time.Second: evaluator.Failed} {
			ev := evaluator.Blocking(evaluator.Limits{Timeout: time.Minute, NeedsModel: true}, func(ctx context.Context, c evaluator.Candidate, _ func(evaluator.Progress)) (evaluator.Metrics, error) {
				if _, err := c.Model(ctx, evaluator.Folder); err != nil {
					return nil, err
				}
				select {
				case <-time.After(extra):
					return evaluator.Metrics{"a": {Value: 1}}, nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			})
			var last evaluator.Event
			c := evaluator.Candidate{Key: "k", Tasks: []string{"a"}, Split: evaluator.Validation, Model: slowly}
			if err := ev.Submit(t.Context(), []evaluator.Candidate{c}, func(e evaluator.Event) error { last = e; return nil }); err != nil {
				t.Fatal(err)
			}
			if last.State != want {
				t.Errorf("%v after an hour for the model, with a minute's timeout: %s, %v", extra, last.State, last.Err)
			}
		}
	})
}

// The stack of a panic is in the log, not on the screen; what the log said before stays.
func TestBlockingLogsPanics(t *testing.T) {
	c := candidate("panic")(t)
	c.Key, c.Split = "digits/7", evaluator.Validation
	c.Log = filepath.Join(t.TempDir(), "7.log")
	if err := os.WriteFile(c.Log, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var last evaluator.Event
	if err := evaluator.Blocking(evaluator.Limits{}, behaving).Submit(t.Context(), []evaluator.Candidate{c}, func(e evaluator.Event) error { last = e; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"digits/7", "index out of range", c.Log} {
		if !strings.Contains(last.Err.Error(), want) {
			t.Errorf("the error %q does not say %q", last.Err, want)
		}
	}
	b, err := os.ReadFile(c.Log)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"before\n", "panic: index out of range", "blocking_test.go"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the log does not say %q:\n%s", want, b)
		}
	}
}

func TestCheck(t *testing.T) {
	c := evaluator.Candidate{Tasks: []string{"math", "code"}}
	good := evaluator.Metric{Value: .5}
	for _, tc := range []struct {
		name string
		m    evaluator.Metrics
		want []evaluator.Code
	}{
		{"right", evaluator.Metrics{"math": good, "code": {Value: -3, Stderr: 0, N: 0}}, nil},
		{"nothing", nil, []evaluator.Code{evaluator.MissingTask, evaluator.MissingTask}},
		{"one too many", evaluator.Metrics{"math": good, "code": good, "poetry": good}, []evaluator.Code{evaluator.UndeclaredTask}},
		{"another name", evaluator.Metrics{"math": good, "Code": good}, []evaluator.Code{evaluator.MissingTask, evaluator.UndeclaredTask}},
		{"not finite", evaluator.Metrics{"math": {Value: math.Inf(1)}, "code": {Value: 1, Stderr: math.NaN()}}, []evaluator.Code{evaluator.NotFinite, evaluator.NotFinite}},
		{"negative noise", evaluator.Metrics{"math": {Stderr: -.1}, "code": {N: -1}}, []evaluator.Code{evaluator.BadNoise, evaluator.BadNoise}},
	} {
		var got []evaluator.Code
		if err := evaluator.Check(c, tc.m); err != nil {
			for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
				got = append(got, evaluator.CodeOf(e))
			}
		}
		if len(got) != len(tc.want) {
			t.Fatalf("%s: %v, expected %v", tc.name, got, tc.want)
		}
		for i := range got {
			if got[i] != tc.want[i] {
				t.Errorf("%s: %v, expected %v", tc.name, got, tc.want)
			}
		}
	}
}

// A throttle that is raised lets those go on who wait, one that is lowered ends nothing.
func TestBlockingIsThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at, end := 0, make(chan struct{})
		var mu sync.Mutex
		count := func(by int) int {
			mu.Lock()
			defer mu.Unlock()
			at += by
			return at
		}
		e := evaluator.Blocking(evaluator.Limits{InFlight: 1}, func(context.Context, evaluator.Candidate, func(evaluator.Progress)) (evaluator.Metrics, error) {
			count(1)
			defer count(-1)
			<-end
			return evaluator.Metrics{"a": {Value: 1}}, nil
		})
		var batch []evaluator.Candidate
		for _, key := range []string{"1", "2", "3", "4", "5", "6"} {
			batch = append(batch, evaluator.Candidate{Key: key, Tasks: []string{"a"}, Split: evaluator.Validation})
		}
		over := make(chan error)
		go func() { over <- e.Submit(t.Context(), batch, func(evaluator.Event) error { return nil }) }()
		for _, step := range []struct{ throttle, end, want int }{{1, 0, 1}, {3, 0, 3}, {1, 0, 3}, {1, 2, 1}, {1, 1, 1}, {0, 1, 1}, {9, 0, 2}} {
			e.Throttle(step.throttle)
			for range step.end {
				end <- struct{}{}
			}
			synctest.Wait()
			if n := count(0); n != step.want {
				t.Errorf("%+v: %d are at work", step, n)
			}
		}
		if n := e.Limits().InFlight; n != 9 {
			t.Errorf("%d may be in flight, expected 9", n)
		}
		close(end)
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
}

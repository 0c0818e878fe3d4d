package study

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parfait/evaluator"
)

// fake is an evaluator of the tests: metrics are functions of the coefficients, and a hook may hold, fail
// or count.
type fake struct {
	hook     func(ctx context.Context, c evaluator.Candidate) error
	tries    int // evaluator.Limits.Tries
	parallel int
	model    bool                                               // the hook takes the merged model in hand
	merges   bool                                               // it merges itself
	recover  func(open []evaluator.Candidate) []evaluator.Event // what is known after a restart
	submit   func(ctx context.Context, batch []evaluator.Candidate, emit func(evaluator.Event) error) error
}

var fakes sync.Map // name → *fake, so that a study.yaml can name one

func init() {
	kinds["fake"] = kind{
		check: func(map[string]any) []error { return nil },
		build: func(o map[string]any, _ string, workers int) (evaluator.Evaluator, error) {
			f := &fake{}
			if v, ok := fakes.Load(o["name"]); ok {
				f = v.(*fake)
			}
			l := evaluator.Limits{InFlight: max(1, workers, f.parallel), NeedsModel: f.model, Merges: f.merges, Tries: f.tries}
			return faked{evaluator.Blocking(l, f.measure), f}, nil
		},
		throttle: func(o map[string]any) int {
			if f, ok := fakes.Load(o["name"]); ok {
				return max(1, f.(*fake).parallel)
			}
			return 1
		},
	}
}

func (f *fake) measure(ctx context.Context, c evaluator.Candidate, _ func(evaluator.Progress)) (evaluator.Metrics, error) {
	if f.hook != nil {
		if err := f.hook(ctx, c); err != nil {
			return nil, err
		}
	}
	return bowls(c), ctx.Err()
}

// bowls are metrics with a trade-off between the tasks.
func bowls(c evaluator.Candidate) evaluator.Metrics {
	m := evaluator.Metrics{}
	for i, task := range c.Tasks {
		z := 1.0
		for j, x := range c.At {
			centre := 0.2 + 0.6*float64((i+j+len(task))%2)
			z -= (x.Value - centre) * (x.Value - centre)
		}
		m[task] = evaluator.Metric{Value: 1 / (1 + math.Exp(-2*z)), N: 400, Stderr: 0.02}
	}
	return m
}

type faked struct {
	evaluator.Throttled
	fake *fake
}

func (f faked) Submit(ctx context.Context, batch []evaluator.Candidate, emit func(evaluator.Event) error) error {
	if f.fake.submit != nil {
		return f.fake.submit(ctx, batch, emit)
	}
	return f.Throttled.Submit(ctx, batch, emit)
}

func (f faked) Recover(_ context.Context, open []evaluator.Candidate, emit func(evaluator.Event) error) ([]string, error) {
	var errs []error
	if f.fake.recover != nil {
		for _, e := range f.fake.recover(open) {
			errs = append(errs, emit(e))
		}
	}
	return nil, errors.Join(errs...)
}

// makeStudy writes a study of two models that no file stands behind: its evaluators need no model.
func makeStudy(t *testing.T, budget int, hooks ...func(context.Context, evaluator.Candidate) error) string {
	t.Helper()
	list := []*fake{{}}
	for i, hook := range hooks {
		list = append(list[:i], &fake{hook: hook})
	}
	return fakeStudy(t, budget, list...)
}

// fakeStudy is makeStudy with the evaluators e0, e1, …; task ti and otheri are measured by ei.
func fakeStudy(t testing.TB, budget int, list ...*fake) string {
	t.Helper()
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("version: 1\nbase: base\nmodels:\n  - {name: a, path: a}\n  - {name: bb, path: bb}\ntasks:\n")
	for i := range list {
		fmt.Fprintf(&b, "  - {name: t%d, unit: rate, evaluator: e%d}\n  - {name: other%d, unit: rate, evaluator: e%d}\n", i, i, i, i)
	}
	b.WriteString("evaluators:\n")
	for i, f := range list {
		name := fmt.Sprintf("%s-%d", t.Name(), i)
		fakes.Store(name, f)
		fmt.Fprintf(&b, "  e%d: {fake: {name: %q}}\n", i, name)
	}
	fmt.Fprintf(&b, "search: {strategy: design, budget: %d, batch: 4, seed: 3}\n", budget)
	write(t, filepath.Join(dir, SpecFile), b.String())
	return dir
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// edit replaces text in a study.yaml.
func edit(t *testing.T, dir, old, text string) {
	t.Helper()
	path := filepath.Join(dir, SpecFile)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), old) {
		t.Fatalf("no %q in\n%s", old, b)
	}
	write(t, path, strings.Replace(string(b), old, text, 1))
}

func open(t *testing.T, dir string) *Study {
	t.Helper()
	s, err := Open(dir)
	if err == nil {
		err = s.store.Begin()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func load(t *testing.T, s *Study) *Snapshot {
	t.Helper()
	snap, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

func do(t *testing.T, s *Study, c Command) {
	t.Helper()
	if err := s.Do(c); err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
}

// running starts a runner on s and returns what it will come to.
func running(t *testing.T, s *Study, o RunOptions) <-chan error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- s.Run(t.Context(), o) }()
	return done
}

// ended waits for a run.
func ended(t *testing.T, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("the run does not end")
		return nil
	}
}

// await runs until the newest snapshot satisfies ok.
func await(t *testing.T, s *Study, what string, ok func(*Snapshot) bool) *Snapshot {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for snap := range s.Subscribe(ctx) {
		if ok(snap) {
			return snap
		}
	}
	t.Fatalf("%s: not seen within 30 s; %+v", what, s.Snapshot().Activity)
	return nil
}

// until waits for something that another process does.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(30 * time.Second); !ok(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s: not seen within 30 s", what)
		}
	}
}

// firstDifference says where lists of facts part.
func firstDifference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return "there is no " + want[i]
		case i >= len(want):
			return "there is " + got[i] + " too many"
		case got[i] != want[i]:
			return got[i] + "\nwant\n" + want[i]
		}
	}
	return "nowhere"
}

func facts(snap *Snapshot) []string {
	var out []string
	for _, t := range snap.Trials {
		out = append(out, fmt.Sprint(t.ID, t.Batch, t.X, t.State, t.Why, t.Metrics))
	}
	return out
}

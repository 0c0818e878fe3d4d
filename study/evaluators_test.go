package study

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"parfait/evaluator"
	"parfait/evaluator/slurm/slurmtest"
)

// rig is one kind of evaluator as the tests of this package run it.
type rig struct {
	// make makes a study of a few trials whose evaluator is of the kind; four are measured at once where it can.
	make func(t *testing.T) *Study
	// interrupt leaves in the study's folder what a runner leaves that is killed while four trials are measured,
	// which then come to their end. Nil where the kind ends with the runner.
	interrupt func(t *testing.T, dir string)
	// paid is how many measurements came to their end. Nil where a measurement that a dead runner had asked for is
	// lost, and made again.
	paid func(t *testing.T, dir string) int
}

// rigs has one for every kind in kinds.
var rigs = map[string]func(t *testing.T) rig{
	"command": func(*testing.T) rig {
		asked := func(t *testing.T, dir string) int { return lines(t, filepath.Join(dir, "asked")) }
		return rig{
			make: func(t *testing.T) *Study {
				return kindStudy(t, `{command: [sh, -c, 'echo x >>begun; while [ -e gate ]; do sleep 0.02; done; echo x >>asked; echo "{\"t\": 0.5, \"u\": 0.25}"'], parallel: 4}`)
			},
			interrupt: func(t *testing.T, dir string) {
				write(t, filepath.Join(dir, "gate"), "")
				interrupted(t, dir, func() bool { return lines(t, filepath.Join(dir, "begun")) == 4 })
				if err := os.Remove(filepath.Join(dir, "gate")); err != nil {
					t.Fatal(err)
				}
				commandsEnd(t, dir)
				if n := asked(t, dir); n != 4 {
					t.Fatalf("%d commands came to their end without a runner, expected 4", n)
				}
			},
			paid: asked,
		}
	},
	"digits": func(*testing.T) rig {
		return rig{make: func(t *testing.T) *Study {
			dir := filepath.Join(t.TempDir(), "s.study")
			if err := Demo(t.Context(), dir, DemoOptions{Tasks: 2, Budget: 3, Seed: 2}); err != nil {
				t.Fatal(err)
			}
			return open(t, dir)
		}}
	},
	"http": func(t *testing.T) rig {
		j, url := serveJudge(t)
		return rig{
			make: func(t *testing.T) *Study {
				return kindStudy(t, fmt.Sprintf(`{http: {url: %q, model: false, parallel: 4}}`, url))
			},
			interrupt: func(t *testing.T, dir string) {
				let := j.hold()
				interrupted(t, dir, func() bool { return len(j.asked) == 4 })
				let()
				until(t, "four answers", func() bool { return j.made() == 4 })
			},
			paid: func(*testing.T, string) int { return j.made() },
		}
	},
	"lm_eval": func(*testing.T) rig {
		asked := func(t *testing.T, dir string) int { return lines(t, filepath.Join(dir, "asked")) }
		return rig{
			make: lmEvalStudy,
			interrupt: func(t *testing.T, dir string) {
				write(t, filepath.Join(dir, "gate"), "")
				interrupted(t, dir, func() bool { return lines(t, filepath.Join(dir, "begun")) == 4 })
				if err := os.Remove(filepath.Join(dir, "gate")); err != nil {
					t.Fatal(err)
				}
				commandsEnd(t, dir)
				if n := asked(t, dir); n != 4 {
					t.Fatalf("%d runs came to their end without a runner, expected 4", n)
				}
			},
			paid: asked,
		}
	},
	"slurm": func(t *testing.T) rig {
		asked := func(t *testing.T, dir string) int { return lines(t, filepath.Join(dir, "asked")) }
		cluster := slurmtest.New(t)
		return rig{
			make: func(t *testing.T) *Study {
				return kindStudy(t, fmt.Sprintf(`{slurm: {command: [sh, -c, 'cd "$1"; echo x >>begun; while [ -e gate ]; do sleep 0.02; done; echo x >>asked; echo "{\"t\": 0.5, \"u\": 0.25}"', eval, .], throttle: 4, poll: 0.1, lost: 0.3, bin: %s}}`, cluster))
			},
			interrupt: func(t *testing.T, dir string) {
				write(t, filepath.Join(dir, "gate"), "")
				interrupted(t, dir, func() bool { return lines(t, filepath.Join(dir, "begun")) == 4 })
				if err := os.Remove(filepath.Join(dir, "gate")); err != nil {
					t.Fatal(err)
				}
				until(t, "the tasks end", cluster.Idle)
				if n := asked(t, dir); n != 4 {
					t.Fatalf("%d tasks came to their end without a runner, expected 4", n)
				}
			},
			paid: asked,
		}
	},
	"worker": func(*testing.T) rig {
		return rig{
			make: func(t *testing.T) *Study {
				return kindStudy(t, fmt.Sprintf(`{worker: [%q, answer, .], model: false, parallel: 4}`, os.Args[0]))
			},
			paid: func(t *testing.T, dir string) int {
				answers, err := filepath.Glob(filepath.Join(dir, "answer-*"))
				if err != nil {
					t.Fatal(err)
				}
				return len(answers)
			},
		}
	},
}

// lmEvalStudy makes a study whose evaluator is lm-eval, for which a shell stands that writes its results.
func lmEvalStudy(t *testing.T) *Study {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "s.study")
	if err := Demo(t.Context(), dir, DemoOptions{Tasks: 2, Budget: 3, Seed: 2}); err != nil {
		t.Fatal(err)
	}
	const result = `{\"results\": {\"t\": {\"acc,none\": 0.5}, \"u\": {\"acc,none\": 0.25}}}`
	write(t, filepath.Join(dir, SpecFile), `version: 1
base: models/base
models: [{name: a, path: models/rotated}, {name: bb, path: models/mirrored}]
dtype: f32
tasks: [{name: t, unit: rate}, {name: u, unit: rate}]
evaluators:
  main:
    lm_eval: {model: hf, program: [sh, -c, 'echo x >>begun; while [ -e gate ]; do sleep 0.02; done; echo x >>asked; mkdir "$PARFAIT_OUT"; echo "`+result+`" >"$PARFAIT_OUT/results_1.json"'], parallel: 4}
search: {strategy: design, budget: 6, batch: 4, seed: 3}
`)
	return open(t, dir)
}

// everyKind runs a test for every kind of evaluator that study.yaml can name.
func everyKind(t *testing.T, test func(t *testing.T, r rig)) {
	for _, kind := range evaluatorKinds() {
		if kind == "fake" {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			if rigs[kind] == nil {
				t.Fatalf("the kind %q has no rig: say in evaluators_test.go how a study with it is made", kind)
			}
			test(t, rigs[kind](t))
		})
	}
}

func lines(t *testing.T, path string) int {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Count(string(b), "\n")
}

// kindStudy makes a study with one evaluator that needs no model.
func kindStudy(t *testing.T, evaluator string) *Study {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "s.study")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, SpecFile), "version: 1\nbase: base\nmodels:\n  - {name: a, path: a}\n  - {name: bb, path: bb}\n"+
		"tasks:\n  - {name: t, unit: rate}\n  - {name: u, unit: rate}\nevaluators:\n  main: "+evaluator+"\nsearch: {strategy: design, budget: 6, batch: 4, seed: 3}\n")
	return open(t, dir)
}

// judge is a server that honours Idempotency-Key: what it has answered once it answers again.
type judge struct {
	asked chan struct{} // gets one for each request

	mu      sync.Mutex
	gate    chan struct{} // closed: it answers
	answers map[string]string
}

func serveJudge(t *testing.T) (*judge, string) {
	j := &judge{answers: map[string]string{}, asked: make(chan struct{}, 1000)}
	j.hold()()
	s := httptest.NewServer(j)
	t.Cleanup(s.Close)
	return j, s.URL
}

// hold keeps back the answers to what is asked from now on, until let is called.
func (j *judge) hold() (let func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	gate := make(chan struct{})
	j.gate = gate
	return func() { close(gate) }
}

func (j *judge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q struct {
		ID           string             `json:"id"`
		Coefficients map[string]float64 `json:"coefficients"`
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.ID == "" || q.ID != r.Header.Get("Idempotency-Key") {
		http.Error(w, fmt.Sprintf("%v, asked %+v under %q", err, q, r.Header.Get("Idempotency-Key")), http.StatusBadRequest)
		return
	}
	j.asked <- struct{}{}
	j.mu.Lock()
	gate := j.gate
	j.mu.Unlock()
	<-gate
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.answers[q.ID] == "" {
		j.answers[q.ID] = fmt.Sprintf(`{"t": %g, "u": 0.25}`, 1/(1+q.Coefficients["a"]))
	}
	_, _ = io.WriteString(w, j.answers[q.ID])
}

// made is how many different questions it was asked.
func (j *judge) made() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.answers)
}

// answer is a worker that keeps what it has answered in dir.
func answer(dir string) error {
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var q struct{ ID, Key string }
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			return err
		}
		if q.ID == "" {
			return fmt.Errorf("a question without an id: %s", in.Bytes())
		}
		if err := os.WriteFile(filepath.Join(dir, "answer-"+q.ID), nil, 0o644); err != nil {
			return err
		}
		fmt.Printf("{\"key\": %q, \"metrics\": {\"t\": 0.5, \"u\": 0.25}}\n", q.Key)
	}
	return nil
}

// dieAt is the environment variable with the step at which a runner that is a process of its own is killed.
const dieAt = "PARFAIT_DIE_AT"

var steps atomic.Int64

// step is a moment at which a runner may be killed, and is at the one that dieAt says.
func step() {
	if at, err := strconv.ParseInt(os.Getenv(dieAt), 10, 64); err == nil && steps.Add(1) == at {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// mortal are steps around all that an evaluator tells.
type mortal struct{ evaluator.Evaluator }

func (m mortal) Submit(ctx context.Context, batch []evaluator.Candidate, emit func(evaluator.Event) error) error {
	return m.Evaluator.Submit(ctx, batch, mortally(emit))
}

func (m mortal) Recover(ctx context.Context, open []evaluator.Candidate, emit func(evaluator.Event) error) ([]string, error) {
	defer step()
	return m.Evaluator.Recover(ctx, open, mortally(emit))
}

func (m mortal) Sweep(wanted func(string) bool) error {
	if s, ok := m.Evaluator.(evaluator.Sweeper); ok {
		step()
		defer step()
		return s.Sweep(wanted)
	}
	return nil
}

func (m mortal) Close() error {
	return (&executor{eval: m.Evaluator}).close(context.Background(), maxPatience)
}

func mortally(emit func(evaluator.Event) error) func(evaluator.Event) error {
	return func(e evaluator.Event) error {
		if !e.State.Final() {
			return emit(e)
		}
		step()
		defer step()
		return emit(e)
	}
}

// makeMortal puts a step before everything that a runner of this process is told and records.
func makeMortal(s *Study) error {
	for name, k := range maps.Clone(kinds) {
		build := k.build
		k.build = func(options map[string]any, dir string, workers int) (evaluator.Evaluator, error) {
			e, err := build(options, dir, workers)
			return mortal{e}, err
		}
		kinds[name] = k
	}
	mortals.Store(s.store.Path(), true)
	return s.store.Begin()
}

// TestKilledAtEveryStep kills the runner of four trials, and then the next one at each of its steps: before and
// after every result that it is told, and at every commit of the history. The third goes on: nothing that was
// measured is lost or paid twice.
func TestKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	everyKind(t, func(t *testing.T, r rig) {
		s := r.make(t)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if r.interrupt != nil {
			r.interrupt(t, s.Dir())
		}
		kills, every := 0, 1
		if testing.Short() {
			every = 4
		}
		for at := 1; ; at += every {
			dir := filepath.Join(t.TempDir(), filepath.Base(s.Dir()))
			if err := os.CopyFS(dir, os.DirFS(s.Dir())); err != nil {
				t.Fatal(err)
			}
			killed := runUntil(t, dir, at)
			s := open(t, dir)
			before := load(t, s).Trials
			var err error
			until(t, "the lock is free", func() bool { // a process that was being started has it for a moment more
				err = s.Run(t.Context(), RunOptions{})
				return CodeOf(err) != CodeBusy
			})
			if err != nil {
				t.Fatal(err)
			}
			after := load(t, s).Trials
			for i, tr := range after {
				if tr.State != evaluator.Done {
					t.Errorf("killed at step %d: trial %d is %s: %s", at, tr.ID, tr.State, tr.Error)
				}
				if i < len(before) && before[i].State == evaluator.Done && fmt.Sprint(before[i]) != fmt.Sprint(tr) {
					t.Errorf("killed at step %d: the finished trial %v is now %v", at, before[i], tr)
				}
			}
			if r.paid != nil && r.paid(t, dir) != len(after) {
				t.Errorf("killed at step %d: %d measurements were made for %d trials", at, r.paid(t, dir), len(after))
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "logs", "*"+evaluator.RunInfix+"*")); len(left) > 0 {
				t.Errorf("killed at step %d: %v is left", at, left)
			}
			if !killed {
				break
			}
			kills++
		}
		if kills*every < 5 {
			t.Errorf("only %d kills hit", kills)
		}
	})
}

// process starts a runner of the study in a process of its own, to be killed at a step, 0 for none.
func process(t *testing.T, dir string, at int) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "run", dir)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", dieAt, at))
	cmd.Stderr = &strings.Builder{}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// runUntil runs the study until it is killed at a step. It says whether it was, and then waits for what goes on.
func runUntil(t *testing.T, dir string, at int) (killed bool) {
	t.Helper()
	cmd := process(t, dir, at)
	err := cmd.Wait()
	killed = cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled()
	if err != nil && !killed {
		t.Fatalf("the run failed by itself: %v\n%s", err, cmd.Stderr)
	}
	commandsEnd(t, dir)
	return killed
}

// interrupted is the interrupt of a rig: it kills a runner when four are being measured.
func interrupted(t *testing.T, dir string, four func() bool) {
	t.Helper()
	cmd := process(t, dir, 0)
	until(t, "four measurements begin", four)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the runner ended before it was killed")
	}
}

// commandsEnd waits for the commands that a runner has left behind.
func commandsEnd(t *testing.T, dir string) {
	t.Helper()
	runs, err := filepath.Glob(filepath.Join(dir, "logs", "*.run-*"))
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the commands end, and it is written how", func() bool {
		return !slices.ContainsFunc(runs, func(run string) bool {
			var record struct{ PID, Supervisor int }
			b, err := os.ReadFile(filepath.Join(run, "process.json"))
			_, open := os.Stat(filepath.Join(run, "end.json"))
			return err == nil && open != nil && json.Unmarshal(b, &record) == nil &&
				(alive(record.PID) || alive(record.Supervisor)) // it is the supervisor that writes the end, after the command's
		})
	})
}

func alive(pid int) bool { return pid > 0 && syscall.Kill(pid, 0) == nil }

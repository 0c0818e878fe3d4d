//go:build linux

package slurm

import (
	"context"
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
	"parfait/evaluator/command"
	"parfait/evaluator/evaluatortest"
	"parfait/evaluator/slurm/slurmtest"
)

// evaluation does what the first coefficient's name says. $1 is the model, $2 the report.
const evaluation = `
[ -d "$1" ] || { echo "no model"; exit 9; }
: >"$BENCH/started-$PARFAIT_TRIAL"
while [ -e "$BENCH/gate" ]; do sleep 0.02; done
echo "PARFAIT_PROGRESS 1/2 half way"
echo x >>"$BENCH/paid-$PARFAIT_TRIAL"
all='"a": {"value": 0.5, "stderr": 0.01, "n": 100}'
[ "$PARFAIT_TASKS" = a ] || all='"b": 0.25'
case $PARFAIT_TASKS in *,*) all='"a": {"value": 0.5, "stderr": 0.01, "n": 100}, "b": 0.25' ;; esac
case $PARFAIT_COEFFICIENTS in
*hang*) while :; do sleep 1; done ;;
*stubborn*)
	[ -e "$BENCH/again" ] || { : >"$BENCH/again"; trap : TERM; sleep 300; all='"a": 0, "b": 0'; }
	echo "{$all}" >"$2"
	;;
*die*) echo "CUDA error: out of memory" >&2; exit 3 ;;
*shot*) kill -KILL $$ ;;
*full*)
	[ -e "$BENCH/once" ] || { : >"$BENCH/once"; try=${2%/*}; ln -s /dev/full "${try%/*}/.${try##*/}.result"; }
	echo "{$all}" >"$2"
	;;
*garbage*) echo '{"a": 0.5,' >"$2" ;;
*silent*) echo "all done" ;;
*missing*) echo '{"b": 0.5}' >"$2" ;;
*stdout*) echo "{$all}"; echo bye ;;
*) echo "{$all}" >"$2" ;;
esac
`

// bench is a Slurm and what a runner and the one after it share.
type bench struct {
	slurm slurmtest.Slurm
	dir   string
}

func newBench(t testing.TB, dir string) bench { return bench{slurmtest.New(t), dir} }

func (b bench) options() Options {
	return Options{
		Command: command.Options{
			Command: []string{"sh", "-c", evaluation, "evaluation", "{model}", "{out}"}, Dir: b.dir,
			Env: map[string]string{"BENCH": b.dir, "SPLIT": "{split}"},
		},
		Throttle: 3, Poll: 100 * time.Millisecond, Lost: 250 * time.Millisecond, Bin: string(b.slurm), Folder: filepath.Join(b.dir, "slurm"),
	}
}

func (b bench) with(t testing.TB, change func(*Options)) *cluster {
	t.Helper()
	o := b.options()
	if change != nil {
		change(&o)
	}
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return e.(*cluster)
}

func (b bench) file(name string) string { return filepath.Join(b.dir, name) }

// gate holds all evaluations until open is called.
func (b bench) gate(t testing.TB) (open func()) {
	write(t, b.file("gate"), "")
	return func() {
		if err := os.Remove(b.file("gate")); err != nil {
			t.Fatal(err)
		}
	}
}

// paid is how often a trial was measured.
func (b bench) paid(trial string) int {
	text, _ := os.ReadFile(b.file("paid-" + trial)) // never
	return strings.Count(string(text), "\n")
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	end := time.NewTimer(time.Minute)
	defer end.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("after a minute it is not so that %s", what)
		}
	}
}

func behaving(behaviour string) func(testing.TB) evaluator.Candidate {
	return func(t testing.TB) evaluator.Candidate {
		model := t.TempDir()
		write(t, filepath.Join(model, "model.safetensors"), "weights")
		return evaluator.Candidate{
			Tasks: []string{"a", "b"}, At: []evaluator.Coefficient{{Name: behaviour, Value: .5}},
			Model: func(context.Context, evaluator.Form) (evaluator.Lease, error) {
				return evaluator.Lease{Path: model}, nil
			},
		}
	}
}

// candidate is a whole one, of trial id.
func (b bench) candidate(t testing.TB, trial, behaviour string) evaluator.Candidate {
	c := behaving(behaviour)(t)
	c.Key, c.ID, c.Attempt, c.Split = "s/"+trial, "STUDY-"+trial+"-0af3", 1, evaluator.Validation
	c.Log = b.file("trial-" + trial + ".log")
	return c
}

// TestConforms holds the kind to the contract with a Slurm whose tasks start at once.
func TestConforms(t *testing.T) {
	fails := func(behaviour string, code evaluator.Code) evaluatortest.Failure {
		return evaluatortest.Failure{Candidate: behaving(behaviour), Code: code}
	}
	benches := map[string]bench{}
	at := func(t testing.TB, dir string) bench {
		if _, ok := benches[dir]; !ok {
			benches[dir] = newBench(t, dir)
		}
		return benches[dir]
	}
	evaluatortest.Run(t, evaluatortest.Harness{
		New:  func(t testing.TB, dir string) evaluator.Evaluator { return at(t, dir).with(t, nil) },
		Good: behaving("out"),
		Hang: behaving("hang"),
		Failures: map[string]evaluatortest.Failure{
			"exit status": fails("die", evaluator.Exited),
			"a signal":    fails("shot", evaluator.Killed),
			"garbage":     fails("garbage", evaluator.BadMetrics),
			"no metrics":  fails("silent", evaluator.NoMetrics),
			"missing":     fails("missing", evaluator.MissingTask),
		},
		Crash: func(t testing.TB, dir string, open []evaluator.Candidate) { crash(t, at(t, dir), open) },
	})
}

// crash leaves what a runner leaves that is gone while the candidates are measured: those that do not hang end.
func crash(t testing.TB, b bench, open []evaluator.Candidate) {
	let := b.gate(t)
	e := b.with(t, func(o *Options) { o.Throttle = len(open) })
	b.leaveWhen(t, e, open, func() bool {
		return !slices.ContainsFunc(open, func(c evaluator.Candidate) bool { return !exists(b.file("started-" + trialOf(c))) })
	})
	let()
	for _, c := range open {
		if c.At[0].Name != "hang" {
			until(t, c.Key+" has a result", func() bool { _, ok := e.run(idOf(c)).result(); return ok })
		}
	}
}

func trialOf(c evaluator.Candidate) string { return filepath.Base(c.Key) }

// leaveWhen plays a runner that has to leave as soon as something is so.
func (b bench) leaveWhen(t testing.TB, e *cluster, open []evaluator.Candidate, when func() bool) {
	t.Helper()
	ctx, leave := context.WithCancelCause(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() {
		until(t, "the runner may leave", when)
		leave(&evaluator.Leaving{By: time.Now().Add(time.Second), Why: errors.New("SIGTERM")})
	})
	if err := e.Submit(ctx, open, func(evaluator.Event) error { return nil }); err != nil {
		t.Error(err)
	}
	wait.Wait()
	if err := e.Close(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d candidates wait or are measured in the cluster", len(open))) {
		t.Errorf("nobody is told that %d go on: %v", len(open), err)
	}
	e.left = 0
}

// seen is what a runner was told.
type seen struct {
	mu     sync.Mutex
	finals map[string]evaluator.Event
	notes  []string
}

func (s *seen) emit(ev evaluator.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ev.State.Final() {
		s.finals[ev.Key] = ev
	} else {
		s.notes = append(s.notes, ev.Progress.Note)
	}
	return nil
}

func (s *seen) noted(part string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.notes, func(n string) bool { return strings.Contains(n, part) })
}

func (e *cluster) measureAll(t testing.TB, cs ...evaluator.Candidate) *seen {
	t.Helper()
	s := &seen{finals: map[string]evaluator.Event{}}
	if err := e.Submit(context.Background(), cs, s.emit); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	return s
}

func (s *seen) is(t testing.TB, c evaluator.Candidate, state evaluator.State, part string) {
	t.Helper()
	ev := s.finals[c.Key]
	if ev.State != state || state == evaluator.Failed && !strings.Contains(ev.Err.Error(), part) {
		t.Errorf("%s is %s: %v; expected %s, %q", c.Key, ev.State, ev.Err, state, part)
	}
}

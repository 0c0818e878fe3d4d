//go:build linux

package slurm

import (
	"errors"
	"strings"
	"testing"

	"parfait/evaluator"
)

// Where no node has registered yet, as after a controller was started again, candidates wait; where nodes are there and none
// suits, the options are to blame, unless sbatch has taken them before.
func TestNodesThatHaveNotRegistered(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	b.slurm.Set(t, "nodes", "IDLE")
	if _, err := New(b.options()); !errors.Is(err, evaluator.CannotStart) || !strings.Contains(err.Error(), "no node suits the evaluator's tasks: allocation failure") {
		t.Errorf("%v, expected that no node suits", err)
	}
	b.slurm.Set(t, "nodes", "UNKNOWN")
	e := b.with(t, nil)
	let := b.gate(t)
	c := b.candidate(t, "1", "out")
	done, calls := make(chan *seen), b.slurm.Calls("sbatch")
	go func() { done <- e.measureAll(t, c) }()
	until(t, "sbatch has refused it twice", func() bool { return b.slurm.Calls("sbatch") > calls+2 })
	b.slurm.Set(t, "nodes", "")
	until(t, "it runs", func() bool { return exists(b.file("started-1")) })
	b.slurm.Set(t, "nodes", "IDLE") // the first of many that register
	b.with(t, nil)                  // which goes, as the options have been taken
	let()
	s := <-done
	s.is(t, c, evaluator.Done, "")
	if !s.noted("waits until nodes are there for it: allocation failure: Requested node configuration") {
		t.Errorf("nobody is told: %q", s.notes)
	}
	other := b.options()
	other.Sbatch = []string{"--gres=gpu:9"}
	if _, err := New(other); !errors.Is(err, evaluator.CannotStart) {
		t.Errorf("%v: options that were never taken are", err)
	}
}

// The states of nodes that no job gets now are those of the partitions that are wanted.
func TestAbsentNodes(t *testing.T) {
	for state, want := range map[string]bool{"UNKNOWN": true, "DOWN*": true, "IDLE*": true, "IDLE+DRAIN": true, "IDLE": false, "MIXED": false, "IDLE+CLOUD+POWERED_DOWN": false} {
		if got := absent.MatchString(state); got != want {
			t.Errorf("%s: absent is %v", state, got)
		}
	}
	for _, options := range [][]string{{"--partition=a,b"}, {"--time=1", "-p", "a,b"}, {"--partition", "a,b"}} {
		if got := strings.Join(partitionsOf(options), " "); got != "a b" {
			t.Errorf("the partitions of %q are %q", options, got)
		}
	}
}

// Slurm's programs without a cluster blame no option.
func TestNoClusterIsConfigured(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	b.slurm.Set(t, "unset", "x")
	_, err := New(b.options())
	_, lost := b.job().Submit(t.Context())
	for _, err := range []error{err, lost} {
		if !errors.Is(err, evaluator.CannotStart) || !strings.Contains(err.Error(), "no cluster is configured here: run parfait on a login node, where `sinfo` answers, or set SLURM_CONF") || strings.Contains(err.Error(), "evaluator's") {
			t.Errorf("%v, expected that no cluster is configured", err)
		}
	}
	b.slurm.Set(t, "unset", "")
	j := b.job()
	j.Sbatch = []string{"--partition=nowhere"}
	if _, err := j.Submit(t.Context()); err == nil || !strings.Contains(err.Error(), "sbatch does not take the runner's job") || !strings.Contains(err.Error(), "(--sbatch is [") {
		t.Errorf("%v, expected the runner's job to be told", err)
	}
}

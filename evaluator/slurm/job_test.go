//go:build linux

package slurm

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"parfait/evaluator"
)

// job is one whose program stays until it is told to end, or finds its work done.
func (b bench) job() Job {
	return Job{
		Name:    "parfait-run-STUDY",
		Command: []string{"/bin/sh", "-c", `echo begun >>begun; trap 'echo told >>told; exit 130' TERM; while [ ! -e work-done ]; do sleep 0.02; done`},
		Dir:     b.dir, Script: b.file("logs/runner.sh"), Log: b.file("runner.log"), Sbatch: []string{"--partition=cpu", "--time=1:00:00"}, Bin: string(b.slurm),
	}
}

func (b bench) count(name string) int {
	text, _ := os.ReadFile(b.file(name)) // not yet
	return strings.Count(string(text), "\n")
}

// script is the process that runs a job's script.
func (b bench) script(t testing.TB, task string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(string(b.slurm), "jobs", task, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	outer := strings.TrimSpace(string(text))
	children, err := os.ReadFile("/proc/" + outer + "/task/" + outer + "/children")
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.Fields(string(children))[0])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// A job submits itself again when its time is nearly over, also where that fails at first, and not when its work is done.
func TestJobGoesOn(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	j := b.job()
	p, err := j.Submit(t.Context())
	if err != nil || p.Job != "1" || p.Found || !strings.HasPrefix(p.Says, "RUNNING on n1") {
		t.Fatalf("%+v, %v", p, err)
	}
	until(t, "it is at work", func() bool { return b.count("begun") == 1 })
	if p, err = j.Submit(t.Context()); err != nil || !p.Found || p.Job != "1" {
		t.Errorf("a second one is told %+v, %v", p, err)
	}
	if n := len(b.slurm.States()); n != 1 {
		t.Errorf("there are %d jobs", n)
	}
	if err := syscall.Kill(b.script(t, "1_1"), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	until(t, "another is at work, and the first was told to end", func() bool { return b.count("begun") == 2 && b.count("told") == 1 })
	until(t, "the first is over", func() bool { return b.slurm.States()["1_1"] != "RUNNING" })
	if p, err = j.Submit(t.Context()); err != nil || !p.Found || p.Job != "2" {
		t.Errorf("the next is told %+v, %v", p, err)
	}
	write(t, b.file("work-done"), "")
	until(t, "nothing is at work", b.slurm.Idle)
	if n := b.count("begun"); n != 2 {
		t.Errorf("the program was begun %d times, expected 2", n)
	}
	text, err := os.ReadFile(j.Log)
	if err != nil || strings.Count(string(text), "on n1, ") != 2 {
		t.Errorf("the log says %q, %v", text, err)
	}
}

// Whoever cancels a job ends its program, and nothing comes after it.
func TestJobIsCancelled(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	if _, err := b.job().Submit(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, "it is at work", func() bool { return b.count("begun") == 1 })
	b.slurm.Cancel(t, "1_1")
	until(t, "its program was told to end", func() bool { return b.count("told") == 1 })
	if n := b.slurm.Calls("sbatch"); n != 2 || len(b.slurm.States()) != 1 { // the first asks whether the options are taken
		t.Errorf("sbatch was called %d times, expected 2: %v", n, b.slurm.States())
	}
}

// Where it cannot be known whether there is one, none is submitted; one that sbatch has submitted without saying so is
// found.
func TestJobThatMayBeThere(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	j := b.job()
	b.slurm.Set(t, "down", "x")
	if _, err := j.Submit(t.Context()); !errors.Is(err, evaluator.CannotStart) || !strings.Contains(err.Error(), "nothing was submitted") {
		t.Errorf("%v", err)
	}
	b.slurm.Set(t, "down", "")
	b.slurm.Set(t, "swallow", "x")
	if p, err := j.Submit(t.Context()); err != nil || p.Job != "1" || p.Found {
		t.Errorf("%+v, %v", p, err)
	}
	for _, wrong := range []string{"--array=1-2", "--dependency=afterok:1"} {
		j.Sbatch = []string{wrong}
		if _, err := j.Submit(t.Context()); !errors.Is(err, evaluator.BadOptions) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	j.Sbatch = []string{"--partition=nowhere"}
	if _, err := j.Submit(t.Context()); err == nil || !strings.Contains(err.Error(), "invalid partition") {
		t.Errorf("%v", err)
	}
}

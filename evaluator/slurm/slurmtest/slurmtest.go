// Package slurmtest is a Slurm of one machine for tests: sbatch, squeue, scancel and scontrol, whose tasks start at once,
// and which do wrong what a test asks for.
package slurmtest

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

//go:embed slurm.sh
var script []byte

// Slurm is the folder of one.
type Slurm string

// New makes one. Its tasks are ended with the test.
func New(t testing.TB) Slurm {
	t.Helper()
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("the Slurm of this test needs setsid:", err)
	}
	s := Slurm(t.TempDir())
	for _, name := range []string{"sbatch", "squeue", "scancel", "scontrol"} {
		if err := os.WriteFile(filepath.Join(string(s), name), script, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { s.end(t) })
	return s
}

// Set asks it to do something wrong, or to do that no more where text is "".
func (s Slurm) Set(t testing.TB, what, text string) {
	t.Helper()
	path := filepath.Join(string(s), what)
	err := os.WriteFile(path, []byte(text), 0o644)
	if text == "" {
		err = os.Remove(path)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Calls is how often one of its programs was called.
func (s Slurm) Calls(name string) int {
	b, _ := os.ReadFile(filepath.Join(string(s), "calls")) // none yet
	return strings.Count(string(b), name+"\n")
}

// States are those of its tasks.
func (s Slurm) States() map[string]string {
	states := map[string]string{}
	found, _ := filepath.Glob(filepath.Join(string(s), "jobs", "*", "state"))
	for _, path := range found {
		b, _ := os.ReadFile(path) // it may be written just now
		states[filepath.Base(filepath.Dir(path))] = strings.TrimSpace(string(b))
	}
	return states
}

// Cancel ends a task as a person does.
func (s Slurm) Cancel(t testing.TB, task string) {
	t.Helper()
	if out, err := exec.Command(filepath.Join(string(s), "scancel"), task).CombinedOutput(); err != nil {
		t.Fatalf("scancel: %v\n%s", err, out)
	}
}

// Lives says whether anything of a task is still there.
func (s Slurm) Lives(task string) bool {
	b, err := os.ReadFile(filepath.Join(string(s), "jobs", task, "pid"))
	if err != nil {
		return false
	}
	group, err := strconv.Atoi(strings.TrimSpace(string(b)))
	return err == nil && syscall.Kill(-group, 0) == nil
}

// Idle says whether no task runs.
func (s Slurm) Idle() bool {
	for _, state := range s.States() {
		if state == "RUNNING" || state == "" {
			return false
		}
	}
	return true
}

func (s Slurm) end(t testing.TB) {
	_ = os.Remove(filepath.Join(string(s), "down")) // it may be up
	for task, state := range s.States() {
		if _, err := strconv.Atoi(strings.Split(task, "_")[0]); err == nil && state == "RUNNING" {
			s.Cancel(t, task)
		}
	}
}

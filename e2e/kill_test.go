//go:build e2e

package e2e

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestKilledRunsLoseNothing kills headless runs at random moments, in the middle of training, of merging
// and of writing, and goes on with them: no finished trial is lost, changed or measured again, and the end
// is that of a run that nobody disturbed.
func TestKilledRunsLoseNothing(t *testing.T) {
	args := []string{"demo", "--headless", "--tasks", "3", "--budget", "30", "--seed", "5", "--json", "--dir"}
	calm := filepath.Join(t.TempDir(), "calm")
	start := time.Now()
	want := facts(t, good(t, ".", append(args, calm)...))
	whole := time.Since(start)

	hits := 0
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 7))
		dir := filepath.Join(t.TempDir(), "killed")
		finished := map[int]trial{}
		kills := 0
		for ; kills < 40; kills++ {
			cmd := exec.Command(program, append(args, dir)...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			kill := time.AfterFunc(time.Duration(random.Float64()*0.6*float64(whole)), func() {
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			})
			_ = cmd.Wait()
			kill.Stop()
			done := cmd.ProcessState.Success()
			if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !done && (!ok || !status.Signaled()) {
				t.Fatalf("seed %d, after %d kills: %v", seed, kills, cmd.ProcessState)
			}
			if _, err := os.Stat(filepath.Join(dir, "study.yaml")); err != nil {
				continue // killed before there was a study
			}
			now := trials(t, dir)
			for id, before := range finished {
				if !reflect.DeepEqual(now[id], before) {
					t.Fatalf("seed %d, kill %d: trial %d was %+v and is %+v", seed, kills, id, before, now[id])
				}
			}
			for id, tr := range now {
				if tr.State == "done" {
					finished[id] = tr
				}
			}
			if done {
				break
			}
		}
		hits += kills
		same(t, facts(t, good(t, ".", "run", dir, "--headless", "--json")), want, "after the kills")
		if left, _ := filepath.Glob(filepath.Join(dir, "candidates", "*")); len(left) > 0 {
			t.Errorf("seed %d: merged models were left behind: %v", seed, left)
		}
	}
	if hits < 4 {
		t.Errorf("%d kills have hit a run, want 4 at least: there is next to nothing tested", hits)
	}
}

// TestKilledExportsLeaveNothing kills exports: there is the whole checkpoint or none, and the next export
// takes away what was left in staging.
func TestKilledExportsLeaveNothing(t *testing.T) {
	home := t.TempDir()
	dir := filepath.Join(home, "s")
	good(t, ".", "demo", "--headless", "--tasks", "2", "--budget", "8", "--dir", dir)
	start := time.Now()
	good(t, ".", "export", dir, "--knee", "--out", filepath.Join(home, "whole"))
	took := time.Since(start)
	random := rand.New(rand.NewPCG(1, 1))
	hits := 0
	for range 15 {
		out := filepath.Join(home, "out")
		cmd := exec.Command(program, "export", dir, "--knee", "--out", out)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(random.Float64()*1.1*float64(took)), func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		kill.Stop()
		if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			hits++
		}
		if _, err := os.Stat(out); err == nil {
			good(t, ".", "verify", out, "--recompute")
			if err := os.RemoveAll(out); err != nil {
				t.Fatal(err)
			}
		}
	}
	if hits < 4 {
		t.Errorf("%d kills of 15 have hit an export, want 4 at least: there is next to nothing tested", hits)
	}
	good(t, ".", "export", dir, "--knee", "--out", filepath.Join(home, "last"))
	entries, err := os.ReadDir(home)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), "staging") {
			t.Errorf("%s was left behind", e.Name())
		}
	}
}

// TestInterruptIsClean ends a headless run with ctrl-c: exit 130, how to go on, and it goes on.
func TestInterruptIsClean(t *testing.T) {
	dir := slowStudy(t, 12)
	cmd := exec.Command(program, "run", dir, "--headless")
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "a finished trial", func() bool {
		for _, tr := range trials(t, dir) {
			if tr.State == "done" {
				return true
			}
		}
		return false
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit %d, want 130", code)
	}
	if text := errs.String(); !strings.Contains(text, "interrupted: ") || !strings.Contains(text, "parfait run ") {
		t.Errorf("it does not say how to go on:\n%s", text)
	}
	good(t, ".", "run", dir, "--headless")
	for id, tr := range trials(t, dir) {
		if tr.State != "done" {
			t.Errorf("trial %d is %s", id, tr.State)
		}
	}
}

// TestDrain tells a run from elsewhere to let what it measures end.
func TestDrain(t *testing.T) {
	dir := slowStudy(t, 200)
	cmd := exec.Command(program, "run", dir, "--headless")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	until(t, "enough finished trials for a front", func() bool { return trials(t, dir)[12].State == "done" })
	if out := good(t, ".", "run", dir, "--drain"); !strings.Contains(out, "starts nothing new") {
		t.Errorf("it does not say what comes of it:\n%s", out)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the run that was drained ends with %v", err)
	}
	all := trials(t, dir)
	for id, tr := range all {
		if tr.State != "done" && tr.State != "waiting" || tr.Attempt != 1 {
			t.Errorf("trial %d is %s in attempt %d, want none interrupted", id, tr.State, tr.Attempt)
		}
	}
	if len(all) > 150 {
		t.Errorf("%d trials: it was not drained", len(all))
	}
	if r := parfait(t, ".", "run", dir, "--drain"); r.code != 4 || !strings.Contains(r.errors, "no runner is at work") {
		t.Errorf("where nobody runs: exit %d\n%s", r.code, r.errors)
	}
}

// TestSecondRunnerIsRefused starts a second runner on a study that has one.
func TestSecondRunnerIsRefused(t *testing.T) {
	dir := slowStudy(t, 12)
	cmd := exec.Command(program, "run", dir, "--headless")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	until(t, "the runner", func() bool {
		b, err := os.ReadFile(filepath.Join(dir, "run.lock"))
		return err == nil && len(b) > 0
	})
	r := parfait(t, ".", "run", dir, "--headless")
	if r.code != 6 || !strings.Contains(r.errors, "another runner") {
		t.Errorf("exit %d, want 6:\n%s", r.code, r.errors)
	}
	if len(trials(t, dir)) == 0 {
		t.Error("a viewer sees no trials while the runner is at work")
	}
}

// slowStudy makes a study whose trials take a tenth of a second each.
func slowStudy(t *testing.T, budget int) string {
	t.Helper()
	home := t.TempDir()
	dir := filepath.Join(home, "slow.study")
	good(t, ".", "demo", "--headless", "--tasks", "2", "--budget", "3", "--dir", filepath.Join(home, "digits"))
	models := filepath.Join(home, "digits", "models")
	good(t, home, "init", dir, "--base", filepath.Join(models, "base"), "--model", "rot="+filepath.Join(models, "rotated"), "--model", "mir="+filepath.Join(models, "mirrored"),
		"--task", "a:rate", "--task", "b:rate", "--budget", strconv.Itoa(budget),
		"--command", `sh -c 'sleep 0.1; echo "{\"a\": 0.5, \"b\": 0.4}"'`)
	return dir
}

// until waits for something that another process does, thirty seconds at most.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-tick.C {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: not seen within 30 s", what)
}

//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// network has the program take any file system for NFS, so that its database has a rollback journal.
var network = injection{kinds: "statfs,fstatfs", what: "poke_exit=@arg2=6969000000000000"}

// TestSuspendedWriters suspends a runner (ctrl-z, a freezer) in the middle of a commit. Who looks is not held up and sees
// all that was recorded; who would write is told that it is busy, with exit code 6; and when the runner goes on, all goes
// on.
func TestSuspendedWriters(t *testing.T) {
	needStrace(t)
	stages := []string{"fsync:when=9", "fsync:when=6", "pwrite64:when=30", "fdatasync:when=2", "pwrite64:when=21", "pwrite64:when=45", "fsync:when=12", "pwrite64:when=60", "pwrite64:when=61", "pwrite64:when=62"}
	for mode, with := range map[string][]injection{"WAL": nil, "rollback journal": {network}} {
		for _, stage := range stages[:scale(1, len(stages))] {
			t.Run(mode+" "+stage, func(t *testing.T) {
				t.Parallel()
				kinds, when, _ := strings.Cut(stage, ":")
				suspended(t, with, injection{kinds: kinds, what: "signal=SIGSTOP:" + when})
			})
		}
	}
}

func suspended(t *testing.T, with []injection, stop injection) {
	dir := filepath.Join(t.TempDir(), "s.study")
	good(t, ".", "demo", "--headless", "--tasks", "3", "--budget", "6", "--dir", dir)
	before := trials(t, dir)
	// More is asked for, and nothing is recorded before the runner is one.
	b, err := os.ReadFile(filepath.Join(dir, "study.yaml"))
	need(t, err, "study.yaml")
	need(t, os.WriteFile(filepath.Join(dir, "study.yaml"), bytes.ReplaceAll(b, []byte("budget: 6"), []byte("budget: 30")), 0o644), "a file to write")
	stop.paths = historyFiles(dir)
	if with != nil { // calls on no file of the history are to be seen, too
		stop.paths = nil
	}
	runner := traced(filepath.Join(t.TempDir(), "trace"), append(slices.Clone(with), stop), "run", dir, "--headless")
	var errs bytes.Buffer
	runner.Stderr = &errs
	need(t, runner.Start(), "strace")
	t.Cleanup(func() { _ = syscall.Kill(-runner.Process.Pid, syscall.SIGKILL) })
	ended := make(chan error, 1)
	go func() { ended <- runner.Wait() }()
	pid := 0
	until(t, "the runner is suspended", func() bool { pid = stoppedChild(runner.Process.Pid); return pid > 0 || len(ended) > 0 })
	if pid == 0 {
		t.Skipf("the runner makes no such call:\n%s", errs.String())
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "run.lock")); len(b) == 0 {
		t.Skip("it was suspended before it was the runner")
	}
	look := func(args ...string) result {
		start := time.Now()
		r := run1(t, with, args...)
		if took := time.Since(start); took > time.Minute {
			t.Errorf("%s took %v beside a suspended runner", args[0], took)
		}
		return r
	}
	for _, args := range [][]string{{"trials", dir, "--json"}, {"front", dir, "--json"}, {"check", dir}} {
		r := look(args...)
		if r.code != 0 {
			t.Errorf("%s beside a suspended runner ends with %d:\n%s", args[0], r.code, r.errors)
		}
		if args[0] == "trials" {
			var list struct{ Trials []trial }
			decode(t, r.out, &list)
			if len(list.Trials) < len(before) || doneOf(byID(list.Trials)) < 6 {
				t.Errorf("%d trials are seen, want the %d that there were", len(list.Trials), len(before))
			}
		}
	}
	var writers sync.WaitGroup
	var pick, run result
	writers.Go(func() { pick = run1(t, with, "pick", dir, "--best", "rotated", "--name", "beside") })
	writers.Go(func() { run = run1(t, with, "run", dir, "--headless") })
	writers.Wait()
	if run.code != 6 {
		t.Errorf("a second run ends with %d, want 6:\n%s", run.code, run.errors)
	}
	if pick.code != 6 && pick.code != 0 { // 0: it is suspended where it holds nothing
		t.Errorf("a pick ends with %d, want 6:\n%s", pick.code, pick.errors)
	}
	t.Logf("pick %d: %s; run %d: %s", pick.code, lastLine(pick.errors), run.code, lastLine(run.errors))
	until(t, "the runner goes on to its end", func() bool { // strace counts in each thread: it is suspended again
		if pid := stoppedChild(runner.Process.Pid); pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
		return len(ended) > 0
	})
	if err := <-ended; err != nil {
		t.Errorf("the runner that went on ends with %v:\n%s", err, errs.String())
	}
	whole(t, dir, "after the runner went on")
	if n := doneOf(trials(t, dir)); n != 30 {
		t.Errorf("%d trials are done, want 30", n)
	}
	if has := slices.Contains(picks(t, dir), "beside"); has != (pick.code == 0) {
		t.Errorf("the pick ended with %d, and is recorded: %v", pick.code, has)
	}
}

// run1 runs the program, as the runner is run.
func run1(t *testing.T, with []injection, args ...string) result {
	t.Helper()
	if with == nil {
		return parfait(t, ".", args...)
	}
	r, _ := under(t, with, time.Minute, args...)
	return r
}

// stoppedChild is the process that strace has started, where it is suspended, else 0.
func stoppedChild(strace int) int {
	out, _ := exec.Command("ps", "-o", "pid=,stat=", "--ppid", fmt.Sprint(strace)).Output()
	for line := range strings.Lines(string(out)) {
		var pid int
		var stat string
		if n, _ := fmt.Sscan(line, &pid, &stat); n == 2 && strings.HasPrefix(stat, "t") || strings.HasPrefix(stat, "T") {
			return pid
		}
	}
	return 0
}

//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// shellStudy writes a study whose evaluator is a shell script.
func shellStudy(t *testing.T, dir, script string, budget, parallel int) string {
	t.Helper()
	study := filepath.Join(dir, "s")
	need(t, os.MkdirAll(study, 0o755), "a folder")
	file := filepath.Join(study, "evaluate.sh")
	need(t, os.WriteFile(file, []byte(script), 0o600), "a script")
	text := fmt.Sprintf("version: 1\nbase: base\nmodels:\n  - {name: a, path: a}\n  - {name: b, path: b}\ntasks:\n  - {name: acc, unit: rate}\n  - {name: bcc, unit: rate}\n"+
		"evaluators:\n  main: {command: [sh, %s], parallel: %d}\nsearch: {strategy: design, budget: %d, batch: 4, seed: 3}\n", file, parallel, budget)
	need(t, os.WriteFile(filepath.Join(study, "study.yaml"), []byte(text), 0o600), "a study")
	return study
}

const measures = "echo '{\"acc\": 0.5, \"bcc\": 0.6}'\n"

// allMeasured wants every trial done in its first attempt.
func allMeasured(t *testing.T, study string, n int, said string) {
	t.Helper()
	list := trials(t, study)
	done := 0
	for id, tr := range list {
		if tr.State == "done" && tr.Attempt == 1 {
			done++
		} else {
			t.Errorf("trial %d is %s in attempt %d, want it done in the first", id, tr.State, tr.Attempt)
		}
	}
	if done != n || t.Failed() {
		t.Errorf("%d trials are done, want %d; the run said:\n%s", done, n, said)
	}
}

// A disk that is full for a while costs no trial: the evaluator that has filled it removes that again when the run says
// that it waits.
func TestDiskFullForAWhileCostsNoTrial(t *testing.T) {
	if os.Geteuid() != 0 {
		inOwnNamespace(t)
		return
	}
	disk := t.TempDir()
	need(t, syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"), "the right to mount a file system")
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	study := shellStudy(t, disk, "cd "+disk+"\nif mkdir once 2>/dev/null; then cat /dev/zero >ballast; fi\necho x >work.$$ || exit 1\nrm work.$$\n"+measures, 12, 2)
	said := waitsUntil(t, study, func() { need(t, os.Remove(filepath.Join(disk, "ballast")), "a file to delete") })
	allMeasured(t, study, 12, said)
}

// told is a run at work, and what it says.
type told struct {
	*exec.Cmd
	errs io.Reader
}

// toRun starts a run, which has a minute.
func toRun(t *testing.T, study string) told {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, "run", study, "--headless")
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return told{cmd, errs}
}

// end reads what the run says to its end, which has to be a good one, and calls relieve when it says that it waits; it
// has to say that it goes on.
func (r told) end(t *testing.T, relieve func()) (said string) {
	t.Helper()
	buf, waits := make([]byte, 4096), false
	for {
		n, err := r.errs.Read(buf)
		if said += string(buf[:n]); !waits && strings.Contains(said, "the run waits") {
			waits = true
			relieve()
		}
		if err != nil {
			break
		}
	}
	if err := r.Wait(); err != nil || !waits || !strings.Contains(said, "goes on after") {
		t.Errorf("the run: %v; want that it waits and goes on; said:\n%s", err, said)
	}
	return said
}

func waitsUntil(t *testing.T, study string, relieve func()) (said string) {
	t.Helper()
	return toRun(t, study).end(t, relieve)
}

// A disk on which no file more may be made, however many bytes are free, is told as that and costs no trial.
func TestNoInodesForAWhileCostsNoTrial(t *testing.T) {
	if os.Geteuid() != 0 {
		inOwnNamespace(t)
		return
	}
	disk := t.TempDir()
	need(t, syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64m,nr_inodes=200"), "the right to mount a file system")
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	many := filepath.Join(disk, "many")
	study := shellStudy(t, disk, "if mkdir "+disk+"/once 2>/dev/null; then mkdir "+many+"; n=0; while true >"+many+"/$n; do n=$((n+1)); done 2>/dev/null; fi\n"+measures, 8, 2)
	said := waitsUntil(t, study, func() { until(t, "they are deleted", func() bool { return os.RemoveAll(many) == nil }) })
	if !strings.Contains(said, "files more may be made (inodes: `df -i`) in "+disk) {
		t.Errorf("it does not say that inodes are used up:\n%s", said)
	}
	allMeasured(t, study, 8, said)
}

// What the system refuses, injected at the system call from the second trial on until the run waits, is no trial's
// failure; those who look on see that it waits, and why.
func TestWhatTheSystemRefusesCostsNoTrial(t *testing.T) {
	needStrace(t)
	for _, c := range []struct{ errno, kind, file, says string }{
		{"ENOSPC", "openat", "trial-0002.log", "the disk is full"},
		{"EDQUOT", "openat", "trial-0002.log", "quota -s"},
		{"EMFILE", "openat", "trial-0002.log", "ulimit -n"},
		{"EIO", "openat", "trial-0002.log", "dmesg"},
		{"ENOSPC", "mkdirat", "", "the disk is full"}, // the folder of a run
		{"EIO", "mkdirat", "", "dmesg"},
	} {
		t.Run(c.errno+" "+c.kind, func(t *testing.T) {
			dir := t.TempDir()
			study := shellStudy(t, dir, "cd "+dir+"\nif mkdir once 2>/dev/null; then while [ ! -e go ]; do sleep 0.05; done; fi\n"+measures, 6, 1)
			run := toRun(t, study)
			until(t, "an evaluation is at work", func() bool { _, err := os.Stat(filepath.Join(dir, "once")); return err == nil })
			// Calls are counted by the thread: all are refused, until strace lets go.
			words := []string{"-f", "-o", os.DevNull, "-e", "trace=" + c.kind, "-e", "inject=" + c.kind + ":error=" + c.errno}
			if c.file != "" {
				words = append(words, "-P", filepath.Join(study, "logs", c.file))
			}
			letGo := attach(t, run.Process.Pid, words...)
			need(t, os.WriteFile(filepath.Join(dir, "go"), nil, 0o600), "a file")
			said := run.end(t, func() {
				seenToWait(t, study, c.says)
				letGo()
			})
			allMeasured(t, study, 6, said)
		})
	}
}

// attach has strace follow a process, with those that it has started, until the function that it returns is called.
func attach(t *testing.T, pid int, words ...string) (letGo func()) {
	t.Helper()
	started, _ := exec.Command("ps", "-o", "pid=", "--ppid", strconv.Itoa(pid)).Output()
	pids := append(strings.Fields(string(started)), strconv.Itoa(pid))
	for _, p := range pids {
		words = append(words, "-p", p)
	}
	trace := exec.Command("strace", words...)
	errs, err := trace.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	need(t, trace.Start(), "strace")
	letGo = sync.OnceFunc(func() {
		_ = trace.Process.Signal(os.Interrupt) // what it follows goes on
		_ = trace.Wait()                       // it ends with that signal
	})
	t.Cleanup(letGo)
	lines := bufio.NewScanner(errs)
	for attached := 0; lines.Scan(); {
		if strings.Contains(lines.Text(), "attached") {
			attached++
		}
		if attached == len(pids) {
			go func() { _, _ = io.Copy(io.Discard, errs) }()
			return letGo
		}
	}
	need(t, errors.New("it does not attach"), "the right to trace")
	return letGo
}

// seenToWait wants that those who look on see in the end that the run waits, and why.
func seenToWait(t *testing.T, study, why string) {
	t.Helper()
	var list struct{ Runner, Note string }
	until(t, "others see that the run waits", func() bool {
		decode(t, good(t, ".", "trials", study, "--json"), &list)
		return list.Runner == "waits"
	})
	if !strings.Contains(list.Note, why) {
		t.Errorf("others see %+v, want that it waits, and %q", list, why)
	}
}

// Limits that a shell sets end in twenty measured trials, or in what to set before anything is measured.
func TestLimitsOfTheShell(t *testing.T) {
	_, err := exec.LookPath("prlimit")
	need(t, err, "prlimit")
	for limit, c := range map[string]struct {
		fix string // "": it finishes
	}{
		"--nofile=64":   {},
		"--nofile=28":   {"ulimit -n"},
		"--fsize=20000": {"ulimit -f"},
	} {
		t.Run(limit, func(t *testing.T) {
			study := shellStudy(t, t.TempDir(), measures, 20, 8)
			out, err := exec.CommandContext(t.Context(), "prlimit", limit, program, "run", study, "--headless").CombinedOutput()
			if c.fix == "" {
				if err != nil {
					t.Errorf("%v\n%s", err, out)
				}
				allMeasured(t, study, 20, string(out))
				return
			}
			if len(trials(t, study)) > 0 || !strings.Contains(string(out), c.fix) || !strings.HasSuffix(fmt.Sprint(err), "status 8") {
				t.Errorf("%v, want exit 8, %q and nothing begun:\n%s", err, c.fix, out)
			}
		})
	}
}

// One evaluator that the system kills is measured once more.
func TestKilledOnce(t *testing.T) {
	dir := t.TempDir()
	study := shellStudy(t, dir, "if mkdir "+dir+"/once 2>/dev/null; then kill -9 $$; fi\n"+measures, 8, 2)
	r := parfait(t, ".", "run", study, "--headless")
	if r.code != 0 || !strings.Contains(r.errors, "SIGKILL") {
		t.Errorf("exit %d, want 0 and what was killed:\n%s", r.code, r.errors)
	}
	allMeasured(t, study, 8, r.errors)
}

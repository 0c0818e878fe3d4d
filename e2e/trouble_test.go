//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
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
	cmd := exec.CommandContext(t.Context(), program, "run", study, "--headless")
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said, removed := "", false
	buf := make([]byte, 4096)
	for {
		n, err := errs.Read(buf)
		said += string(buf[:n])
		if !removed && strings.Contains(said, "wait") {
			removed = true
			if err := os.Remove(filepath.Join(disk, "ballast")); err != nil {
				t.Error(err)
			}
		}
		if err != nil {
			break
		}
	}
	if err := cmd.Wait(); err != nil || !removed || !strings.Contains(said, "goes on after") {
		t.Errorf("the run: %v; want that it waits and goes on; said:\n%s", err, said)
	}
	allMeasured(t, study, 12, said)
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

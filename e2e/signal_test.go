//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// stubborn makes a study whose evaluators do not end when they are told to; each writes its process's number to the
// file that is returned.
func stubborn(t *testing.T) (dir, numbers string) {
	t.Helper()
	numbers = filepath.Join(t.TempDir(), "numbers")
	dir = shellStudy(t, t.TempDir(), "trap '' TERM INT HUP QUIT\necho $$ >>"+numbers+"\nwhile :; do sleep 1000; done\n", 8, 3)
	return dir, numbers
}

// TestStubbornEvaluatorsHoldNobodyUp ends a run whose evaluators ignore every signal: it ends in order all the same,
// nothing of them is left running, and their trials wait for the next run.
func TestStubbornEvaluatorsHoldNobodyUp(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT} {
		t.Run(signal.String(), func(t *testing.T) {
			dir, numbers := stubborn(t)
			cmd := exec.Command(program, "run", dir, "--headless")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			var said strings.Builder
			cmd.Stderr = &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cmd.Process.Kill() })
			var started []string
			until(t, "three evaluations: "+said.String(), func() bool {
				b, _ := os.ReadFile(numbers)
				started = strings.Fields(string(b))
				return len(started) == 3
			})
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if signal == syscall.SIGINT { // the first lets what is measured end
				until(t, "what the first ctrl-c does", func() bool { return strings.Contains(said.String(), "ctrl-c once more stops at once") })
				if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
			}
			_ = cmd.Wait()
			if code, text := cmd.ProcessState.ExitCode(), said.String(); code != 130 || !strings.Contains(text, "interrupted: ") || !strings.Contains(text, "parfait run ") || strings.Contains(text, "goroutine ") {
				t.Errorf("exit %d:\n%s", code, text)
			}
			if stacks, _ := filepath.Glob(filepath.Join(dir, "logs", "parfait-stacks-*")); (len(stacks) == 1) != (signal == syscall.SIGQUIT) {
				t.Errorf("stacks: %q", stacks)
			}
			for _, number := range started {
				pid, err := strconv.Atoi(number)
				if err != nil {
					t.Fatal(err)
				}
				until(t, "the end of process "+number+" of an evaluation", func() bool { return syscall.Kill(pid, 0) != nil })
			}
			for id, tr := range trials(t, dir) {
				if tr.State != "waiting" {
					t.Errorf("trial %d is %s", id, tr.State)
				}
			}
		})
	}
}

// TestDetachedRunnersSayHowTheyEnd signals a runner that the explorer has started: its log has the sentence.
func TestDetachedRunnersSayHowTheyEnd(t *testing.T) {
	dir, numbers := stubborn(t)
	term := newTerminal(t, 100, 30, t.TempDir())
	term.types("parfait run " + dir + "; echo left with $?")
	term.sees("sampling")
	until(t, "an evaluation", func() bool { b, _ := os.ReadFile(numbers); return len(b) > 0 })
	var owner struct {
		PID int `json:"pid"`
	}
	b, err := os.ReadFile(filepath.Join(dir, "run.lock"))
	if err == nil {
		err = json.Unmarshal(b, &owner)
	}
	if err != nil || owner.PID == 0 {
		t.Fatalf("run.lock: %v: %s", err, b)
	}
	if err := syscall.Kill(owner.PID, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until(t, "its last words", func() bool {
		log, _ := os.ReadFile(filepath.Join(dir, "logs", "runner.log"))
		return strings.Contains(string(log), "interrupted: ") && strings.Contains(string(log), "go on with: parfait run ")
	})
	term.sees("s starts a runner") // the explorer goes on
	term.press("q")
	term.sees("left with 0")
}

// TestSignalsLeaveTheTerminalWhole ends the explorer in its views and dialogs with every signal.
func TestSignalsLeaveTheTerminalWhole(t *testing.T) {
	home := finishedDemo(t)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGINT} {
		for _, keys := range [][]string{{"2"}, {"3", "/"}, {"Enter"}, {"?"}} {
			term := newTerminal(t, 80, 24, home)
			term.types("parfait d.study; echo left with $?")
			term.sees("20/20")
			term.press("Escape")
			term.press(keys...)
			term.settled()
			if err := syscall.Kill(processOf(t, term), signal); err != nil {
				t.Fatal(err)
			}
			s := term.sees("left with 130", "ended by a signal", "come back with")
			if strings.Contains(s, "goroutine ") || (signal == syscall.SIGQUIT) != strings.Contains(s, "what it was doing is in") {
				t.Errorf("%v in %v:\n%s", signal, keys, s)
			}
			term.restored()
		}
	}
}

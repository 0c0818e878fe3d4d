//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"
)

// finishedDemo makes a study in which everything is measured.
func finishedDemo(t *testing.T) (home string) {
	t.Helper()
	home = t.TempDir()
	good(t, home, "demo", "--headless", "--tasks", "3", "--budget", "20", "--dir", "d.study")
	return home
}

// TestExplorerAtEverySize walks, asks what if, and exports, with keys alone, on screens of every size.
func TestExplorerAtEverySize(t *testing.T) {
	home := finishedDemo(t)
	for _, size := range [][2]int{{80, 24}, {120, 36}, {200, 60}, {60, 16}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			term := newTerminal(t, size[0], size[1], home)
			term.types("parfait d.study; echo left with $?")
			term.sees("Trade-off", "20/20")
			term.press("Escape") // no hints
			before := term.settled()
			fits(t, before, size[0], size[1])

			term.press("Left", "Left", "Left")
			term.until("a move along the front", func(s string) bool { return s != before })
			term.press("+", "+")
			fits(t, term.settled(), size[0], size[1])
			for _, view := range []string{"2", "3", "4", "5", "6", "1"} {
				term.press(view)
				fits(t, term.settled(), size[0], size[1])
			}
			term.press("?")
			fits(t, term.settled(), size[0], size[1])
			term.press("Escape")

			term.press("n") // to a point with a name
			term.settled()
			term.press("Enter")
			term.settled()
			name := fmt.Sprintf("by-keys-%d", size[0])
			term.press("C-u")
			term.tmux("send-keys", "-l", name)
			term.settled()
			term.press("Enter")
			out := filepath.Join(home, "d.study", "exports", name)
			until(t, "the export, measured on test", func() bool {
				b, err := os.ReadFile(filepath.Join(out, "receipt.json"))
				var r struct{ Measured map[string]map[string]any }
				return err == nil && json.Unmarshal(b, &r) == nil && len(r.Measured["test"]) == 4
			})
			fits(t, term.settled(), size[0], size[1])
			good(t, ".", "verify", out, "--recompute")
			term.press("Escape")
			term.settled()
			term.press("q")
			term.sees("left with 0")
			term.restored()
		})
	}
}

// fits checks that a screen is as large as the window at most, and shows no escape sequence.
func fits(t *testing.T, screen string, width, height int) {
	t.Helper()
	lines := strings.Split(strings.TrimRight(screen, "\n"), "\n")
	if len(lines) > height {
		t.Errorf("%d lines on a screen of %d", len(lines), height)
	}
	for _, line := range lines {
		if utf8.RuneCountInString(line) > width {
			t.Errorf("%q is wider than %d", line, width)
		}
		if strings.ContainsAny(line, "\x1b\x07") || strings.Contains(line, "[?") {
			t.Errorf("%q has an escape sequence in it", line)
		}
	}
}

// TestDemoInATerminal is a stranger's first minute.
func TestDemoInATerminal(t *testing.T) {
	home := t.TempDir()
	term := newTerminal(t, 120, 36, home)
	term.types("parfait demo --budget 24; echo left with $?")
	term.sees("sampling", "/24")
	term.sees("24/24", "knee")
	term.press("Escape", "q")
	term.sees("left with 0")
	term.types("clear; parfait")
	term.sees("digits.study", "finished", "24 of 24")
	term.types("clear; cd digits.study && parfait")
	term.sees("24/24", "knee")
	term.press("Escape", "q")
	term.restored()
}

// TestResizingKeepsEverything turns a window into others and back.
func TestResizingKeepsEverything(t *testing.T) {
	home := finishedDemo(t)
	term := newTerminal(t, 120, 36, home)
	term.types("parfait d.study")
	term.sees("knee", "20/20")
	term.press("Escape", "Right", "Right")
	before := term.settled()
	for _, size := range [][2]int{{60, 16}, {40, 10}, {200, 60}, {80, 24}, {120, 36}} {
		term.tmux("resize-window", "-x", strconv.Itoa(size[0]), "-y", strconv.Itoa(size[1]))
		screen := term.settled()
		fits(t, screen, size[0], size[1])
		if size[0] == 40 && !strings.Contains(screen, "60") {
			t.Errorf("a window that is too small does not say which size is needed:\n%s", screen)
		}
	}
	if after := term.settled(); after != before {
		t.Errorf("after the resizes the screen is\n%s\nit was\n%s", after, before)
	}
}

var colours = regexp.MustCompile(`\x1b\[[0-9;:]*(3[0-8]|4[0-8]|9[0-7]|10[0-7])[;:m]`)

// TestTerminalsOfEveryKind draws without colours, without Unicode, and refuses where nothing can be drawn.
func TestTerminalsOfEveryKind(t *testing.T) {
	home := finishedDemo(t)
	t.Run("NO_COLOR", func(t *testing.T) {
		term := newTerminal(t, 100, 30, home, "NO_COLOR=1")
		term.types("parfait d.study")
		term.sees("knee", "20/20")
		if s := term.tmux("capture-pane", "-p", "-e"); colours.MatchString(s) {
			t.Errorf("there are colours: %q", colours.FindString(s))
		}
	})
	t.Run("ASCII", func(t *testing.T) {
		term := newTerminal(t, 100, 30, home, "LANG=C", "LC_ALL=C")
		term.types("parfait d.study")
		for _, r := range term.sees("knee", "20/20") {
			if r > 126 {
				t.Fatalf("%q is on the screen of a terminal without Unicode:\n%s", r, term.screen())
			}
		}
	})
	for _, kind := range []string{"xterm", "screen", "linux", "vt100", "xterm-256color"} {
		t.Run(kind, func(t *testing.T) {
			term := newTerminal(t, 100, 30, home, "TERM="+kind)
			term.types("parfait d.study; echo left with $?")
			fits(t, term.sees("knee", "20/20"), 100, 30)
			term.press("Escape", "q")
			term.sees("left with 0")
		})
	}
	t.Run("dumb", func(t *testing.T) {
		term := newTerminal(t, 100, 30, home, "TERM=dumb")
		term.types("parfait d.study; echo left with $?")
		term.sees("left with 2", "--headless")
	})
}

// TestRunnersOutliveTheExplorer kills the explorer while its runner is at work.
func TestRunnersOutliveTheExplorer(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		t.Run(signal.String(), func(t *testing.T) {
			dir := slowStudy(t, 16)
			term := newTerminal(t, 100, 30, t.TempDir())
			term.types("parfait run " + dir + "; echo left with $?")
			term.sees("sampling")
			until(t, "a finished trial", func() bool { return trials(t, dir)[1].State == "done" })
			explorer := processOf(t, term)
			if err := syscall.Kill(explorer, signal); err != nil {
				t.Fatal(err)
			}
			until(t, "the end of the explorer", func() bool { return syscall.Kill(explorer, 0) != nil })
			if signal != syscall.SIGKILL {
				term.restored()
			}
			until(t, "every trial, measured by the runner that nobody looks at", func() bool {
				all := trials(t, dir)
				for _, tr := range all {
					if tr.State != "done" {
						return false
					}
				}
				return len(all) == 16
			})
		})
	}
}

// processOf is the process that the terminal's shell waits for.
func processOf(t *testing.T, term *terminal) int {
	t.Helper()
	shell := strings.TrimSpace(term.tmux("display-message", "-p", "#{pane_pid}"))
	out, err := exec.Command("ps", "-o", "pid=,comm=", "--ppid", shell).Output()
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.Fields(string(out))[0])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

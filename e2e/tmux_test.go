//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// terminal is a person's terminal: a shell in tmux, in a window of a size.
type terminal struct {
	t      *testing.T
	socket string
}

// newTerminal opens a terminal with the given variables set beside those of the test.
func newTerminal(t *testing.T, width, height int, dir string, environ ...string) *terminal {
	t.Helper()
	_, err := exec.LookPath("tmux")
	need(t, err, "tmux")
	term := &terminal{t, filepath.Join(t.TempDir(), "tmux")}
	home := t.TempDir()
	environ = append([]string{"HOME=" + home, "XDG_STATE_HOME=" + filepath.Join(home, "state"), "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "PS1=ready> ", "PATH=" + filepath.Dir(program) + ":" + os.Getenv("PATH")}, environ...)
	shell := "exec env " + quoteAll(environ) + " sh"
	term.tmux("-f", os.DevNull, "new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), "-c", dir, shell)
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", term.socket, "kill-server").Run() })
	term.sees("ready>")
	return term
}

func quoteAll(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	return strings.Join(out, " ")
}

func (term *terminal) tmux(args ...string) string {
	term.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", term.socket}, args...)...).CombinedOutput()
	if err != nil {
		term.t.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// types a line at the shell.
func (term *terminal) types(line string) {
	term.t.Helper()
	term.tmux("send-keys", "-l", line)
	term.tmux("send-keys", "Enter")
}

// press sends keys by tmux's names. After an escape it waits: a key right behind would be one with alt.
func (term *terminal) press(keys ...string) {
	term.t.Helper()
	for _, key := range keys {
		term.tmux("send-keys", key)
		if key == "Escape" {
			term.settled()
		}
	}
}

// screen is what is seen now.
func (term *terminal) screen() string {
	term.t.Helper()
	return term.tmux("capture-pane", "-p")
}

// sees waits until all the texts are on the screen at once, and returns it.
func (term *terminal) sees(texts ...string) string {
	term.t.Helper()
	return term.until(fmt.Sprintf("%q", texts), func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

// until waits for the screen to satisfy ok, thirty seconds at most.
func (term *terminal) until(what string, ok func(screen string) bool) string {
	term.t.Helper()
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	screen := ""
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-tick.C {
		if screen = term.screen(); ok(screen) {
			return screen
		}
	}
	term.t.Fatalf("%s: not seen within 30 s; the screen is\n%s", what, screen)
	return ""
}

// settled waits until the screen stays the same for a while, and returns it.
func (term *terminal) settled() string {
	term.t.Helper()
	last, same := "", 0
	return term.until("a screen that stays", func(screen string) bool {
		if screen == last {
			same++
		} else {
			last, same = screen, 0
		}
		return same >= 12
	})
}

// restored says whether the terminal is a shell's again: no other screen, a cursor, echo.
func (term *terminal) restored() {
	term.t.Helper()
	term.until("the terminal given back", func(string) bool {
		return strings.TrimSpace(term.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}")) == "0 1 0"
	})
	term.types("clear; stty -a | tr ' ;' '\\n\\n' | grep -c -x -e echo -e icanon -e isig")
	term.until("echo, lines and signals as a shell has them", func(screen string) bool {
		return strings.Contains("\n"+screen, "\n3\n")
	})
}

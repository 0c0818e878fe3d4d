//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// silent is a terminal that shows what it is sent and never answers a query.
type silent struct {
	mu   sync.Mutex
	seen bytes.Buffer
	end  chan struct{}
	cmd  *exec.Cmd
	file *os.File
}

func startSilent(t *testing.T, dir string, args ...string) *silent {
	t.Helper()
	s := &silent{end: make(chan struct{}), cmd: exec.Command(program, args...)}
	s.cmd.Dir = dir
	home := t.TempDir()
	s.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "HOME="+home, "XDG_STATE_HOME="+home)
	var err error
	s.file, err = pty.StartWithSize(s.cmd, &pty.Winsize{Rows: 36, Cols: 120})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); _ = s.file.Close() })
	go func() {
		defer close(s.end)
		b := make([]byte, 64<<10)
		for {
			n, err := s.file.Read(b)
			s.mu.Lock()
			s.seen.Write(b[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return s
}

func (s *silent) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.String()
}

// TestTerminalsThatNeverAnswer starts the explorer, and fails a command, on a terminal that answers no
// query: both are there at once, and an error asks nothing.
func TestTerminalsThatNeverAnswer(t *testing.T) {
	home := finishedDemo(t)
	start := time.Now()
	explorer := startSilent(t, home, "d.study")
	until(t, "the first screen", func() bool { return strings.Contains(explorer.text(), "Trade-off") })
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("the first screen took %v", took)
	}
	until(t, "the front", func() bool { return strings.Contains(explorer.text(), "knee") })
	if _, err := explorer.file.WriteString("q"); err != nil {
		t.Fatal(err)
	}
	<-explorer.end
	if err := explorer.cmd.Wait(); err != nil {
		t.Errorf("left with q: %v", err)
	}
	if text := explorer.text(); !strings.Contains(text[strings.LastIndex(text, "\x1b[?1049"):], "\x1b[?1049l") {
		t.Error("the screen of before was not brought back")
	}

	wrong := startSilent(t, home, "frnt")
	<-wrong.end
	if text := wrong.text(); strings.Contains(text, "\x1b]1") || !strings.Contains(text, `"front"`) {
		t.Errorf("an error asks the terminal something, or does not help: %q", text)
	}
}

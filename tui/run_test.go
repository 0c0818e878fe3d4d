//go:build unix

package tui

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"

	"parfait/explore/exploretest"
	"parfait/tui/chart"
)

// childEnv makes the test binary show the explorer instead of testing.
const childEnv = "PARFAIT_TUI_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
	src := newSource(exploretest.Snapshot(exploretest.Options{Trials: 34, Running: 2}))
	var err error
	tidied := ""
	switch fault := os.Getenv(childEnv); fault {
	case "none":
		err = Run(ctx, src, Options{Who: "child"})
	case "saving":
		src.views = nil // a map without room: saving the view panics
		err = Run(ctx, src, Options{Who: "child"})
	case "exporting":
		src.writing = func(ctx context.Context) error {
			<-ctx.Done()
			tidied = ", and it was tidied up"
			return ctx.Err()
		}
		err = Run(ctx, src, Options{Who: "child"})
	default:
		err = show(ctx, faulty(newExplorer(ctx, src, Options{Who: "child"}), fault))
	}
	stop()
	fmt.Printf("ended: %v%s\n", err, tidied)
	if err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// faulty puts a dialog above an explorer that panics where a key is pressed: in the message, in the next frame, or in
// the background.
func faulty(e *explorer, where string) *explorer {
	e.above = &faultyDialog{where: where}
	return e
}

type faultyDialog struct {
	where   string
	pressed bool
}

func (*faultyDialog) place() place      { return place{scopeQuestion, "A fault"} }
func (*faultyDialog) actions() []action { return nil }

func (f *faultyDialog) draw(_ *explorer, c *chart.Canvas) {
	if f.pressed && f.where == "frame" {
		panic("a fault in a frame")
	}
	c.Text(0, 0, "a dialog that waits", plain)
}

func (f *faultyDialog) press(*explorer, tea.KeyPressMsg) tea.Cmd {
	switch f.pressed = true; f.where {
	case "message":
		panic("a fault in a message")
	case "background":
		return tea.Sequence(tea.Batch(func() tea.Msg { return nil }, func() tea.Msg { panic("a fault in background") }), func() tea.Msg { return nil })
	}
	return nil
}

// terminal is a child that shows the explorer in a terminal of its own.
type terminal struct {
	t    *testing.T
	tty  *os.File
	cmd  *exec.Cmd
	news chan struct{}

	mu     sync.Mutex
	screen *vt.Emulator
	raw    bytes.Buffer
}

// open starts a child. A terminal that answers says what it can do when it is asked.
func open(t *testing.T, answers bool, env ...string) *terminal {
	t.Helper()
	const w, h = 80, 24
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	x := &terminal{t: t, cmd: exec.Command(self), news: make(chan struct{}, 1), screen: vt.NewEmulator(w, h)}
	x.cmd.Env = append([]string{childEnv + "=none", "TERM=xterm-256color", "LANG=C.UTF-8", "HOME=" + t.TempDir()}, env...)
	if x.tty, err = pty.StartWithSize(x.cmd, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = x.cmd.Process.Kill()
		_ = x.tty.Close()
	})
	go func() { // what the terminal answers
		to := io.Writer(io.Discard)
		if answers {
			to = x.tty
		}
		_, _ = io.Copy(to, x.screen)
	}()
	go x.read()
	return x
}

func (x *terminal) read() {
	b := make([]byte, 32<<10)
	for {
		n, err := x.tty.Read(b)
		x.mu.Lock()
		x.raw.Write(b[:n])
		_, _ = x.screen.Write(b[:n])
		x.mu.Unlock()
		select {
		case x.news <- struct{}{}:
		default:
		}
		if err != nil {
			close(x.news)
			return
		}
	}
}

// wait reads until the screen, or all that was ever written, shows text.
func (x *terminal) wait(text string) {
	x.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		x.mu.Lock()
		screen, raw := x.screen.String(), x.raw.String()
		x.mu.Unlock()
		if strings.Contains(screen, text) {
			return
		}
		select {
		case _, open := <-x.news:
			if !open && !strings.Contains(raw, text) {
				x.t.Fatalf("ended without showing %q:\n%s", text, screen)
			} else if !open {
				return
			}
		case <-deadline:
			x.t.Fatalf("does not show %q:\n%s", text, screen)
		}
	}
}

func (x *terminal) keys(s string) {
	x.t.Helper()
	if _, err := x.tty.WriteString(s); err != nil {
		x.t.Fatal(err)
	}
}

// restored fails unless the child has ended and left the terminal as it was.
func (x *terminal) restored() {
	x.t.Helper()
	_ = x.cmd.Wait()
	for range x.news { // to the end of what it wrote
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	raw := x.raw.String()
	for what, pair := range map[string][2]string{
		"the alternate screen": {"\x1b[?1049h", "\x1b[?1049l"},
		"the hidden cursor":    {"\x1b[?25l", "\x1b[?25h"},
		"bracketed paste":      {"\x1b[?2004h", "\x1b[?2004l"},
	} {
		if strings.LastIndex(raw, pair[0]) >= 0 && strings.LastIndex(raw, pair[1]) < strings.LastIndex(raw, pair[0]) {
			x.t.Errorf("%s was left behind", what)
		}
	}
	if strings.Contains(raw, "\x1b[?2026h") && strings.LastIndex(raw, "\x1b[?2026l") < strings.LastIndex(raw, "\x1b[?2026h") {
		x.t.Error("a frame was left open")
	}
}

func TestRunInATerminal(t *testing.T) {
	for _, answers := range []bool{true, false} {
		x := open(t, answers)
		x.wait("Trade-off ─ knee")
		x.keys("\x1b[C")
		x.wait("Trade-off ─ front ")
		if err := pty.Setsize(x.tty, &pty.Winsize{Cols: 60, Rows: 16}); err != nil {
			t.Fatal(err)
		}
		x.mu.Lock()
		x.screen.Resize(60, 16)
		x.mu.Unlock()
		x.keys("3")
		x.wait("34 of 34")
		x.keys("q")
		x.wait("the runner stays at work on digits: 32 of 60 trials")
		x.restored()
	}
}

func TestSynchronisedOutputIsAskedForOverSSH(t *testing.T) {
	x := open(t, true, "SSH_TTY=/dev/pts/1")
	x.wait("knee")
	x.keys("\x1b[C")
	x.wait("Trade-off ─ front ")
	x.mu.Lock()
	defer x.mu.Unlock()
	if !strings.Contains(x.raw.String(), "\x1b[?2026$p") {
		t.Error("never asked")
	}
}

// Signals that end the context leave the terminal as it was, in every view and inside dialogs.
func TestSignalsRestoreTheTerminal(t *testing.T) {
	for sig, keys := range map[syscall.Signal][]string{
		syscall.SIGTERM: {"1", "2", "3", "4", "5", "6", "?", ":", "/", "b"}, syscall.SIGHUP: {"\x1b[C"}, syscall.SIGINT: {"\r"},
	} {
		for _, key := range keys {
			x := open(t, true)
			x.wait("knee")
			x.keys(key)
			if err := x.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			x.wait("ended: context canceled")
			x.restored()
		}
	}
}

// An export that is being written when a signal comes is cancelled and waited for, and that is told.
func TestSignalsLeaveNothingOfAnExport(t *testing.T) {
	x := open(t, true, childEnv+"=exporting")
	x.wait("knee")
	x.keys("\r")
	x.wait("98 kB")
	x.keys("\r")
	x.wait("measure validation")
	if err := x.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	x.wait("pick-1 was cancelled, and nothing of it is left, and it was tidied up")
	x.restored()
}

// Who leaves while an export is written waits until it is tidied up.
func TestLeavingWaitsForAnExport(t *testing.T) {
	x := open(t, true, childEnv+"=exporting")
	x.wait("knee")
	x.keys("\r")
	x.wait("98 kB")
	x.keys("\r")
	x.wait("measure validation")
	x.keys("qq")
	x.wait("Leave?")
	x.keys("y")
	x.wait("ended: <nil>, and it was tidied up")
	x.restored()
}

// The child's source panics when the view is saved, which is background work that somebody answers for.
func TestAPanicIsShownAndTheTerminalRestored(t *testing.T) {
	x := open(t, true, childEnv+"=saving")
	x.wait("knee")
	x.keys("\x1b[C")
	x.wait("could not keep the view")
	x.keys("q")
	x.wait("ended:")
	x.restored()
}

// A panic that nobody answers for ends the explorer as a fault of the program, with the terminal as it was.
func TestAFaultEndsTheExplorerAndRestoresTheTerminal(t *testing.T) {
	for _, where := range []string{"message", "frame", "background"} {
		x := open(t, true, childEnv+"="+where)
		x.wait("a dialog that waits")
		x.keys("z")
		x.wait("ended: a fault in ")
		x.restored()
		if raw := x.raw.String(); !strings.Contains(raw, where+" (this is a fault of the program)") || strings.Contains(raw, "goroutine ") {
			t.Errorf("a fault in a %s is told as %q", where, raw[strings.LastIndex(raw, "ended:"):])
		}
	}
}

func TestDumbTerminalsAreRefused(t *testing.T) {
	x := open(t, false, "TERM=dumb")
	x.wait("parfait front")
	x.restored()
	self, _ := os.Executable()
	cmd := exec.Command(self)
	cmd.Env = []string{childEnv + "=none", "TERM=xterm"}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "parfait front") || strings.Contains(string(out), "\x1b") {
		t.Errorf("without a terminal: %v %q", err, out)
	}
}

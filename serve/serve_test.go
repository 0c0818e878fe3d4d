package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// screen is an interface for the tests: it shows who looks, the window and a counter that keys raise.
type screen struct {
	who  Person
	size tea.WindowSizeMsg
	keys int

	fault *error // f is a fault of it
}

// Fault says why it ended of itself.
func (s screen) Fault() error { return *s.fault }

var shared atomic.Int64 // raised by every session, seen by all

func (screen) Init() tea.Cmd { return beat() }

type beatMsg struct{}

func beat() tea.Cmd {
	return tea.Tick(20*time.Millisecond, func(time.Time) tea.Msg { return beatMsg{} })
}

func (s screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch m := msg.(type) {
	case tea.WindowSizeMsg:
		s.size = m
	case tea.KeyPressMsg:
		s.keys++
		shared.Add(1)
		switch m.String() {
		case "f":
			*s.fault = errors.New("it cannot go on")
			return s, tea.Quit
		case "q":
			return s, tea.Quit
		}
	case beatMsg:
		return s, beat()
	}
	return s, nil
}

func (s screen) View() tea.View {
	v := tea.NewView(fmt.Sprintf("%s is a %s at %dx%d, shared<%d>", s.who.Name, s.who.Role, s.size.Width, s.size.Height, shared.Load()))
	v.AltScreen = true
	return v
}

// house is a server with a real OpenSSH client in front of it.
type house struct {
	t     *testing.T
	dir   string
	port  string
	audit *lockedBuffer
	srv   *Server
	stop  context.CancelFunc
	done  chan error
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing", tool)
			}
			t.Skipf("%s is not installed: apt install openssh-client", tool)
		}
	}
}

func build(t *testing.T, limits Limits) *house {
	t.Helper()
	need(t, "ssh", "ssh-keygen")
	h := &house{t: t, dir: t.TempDir(), audit: &lockedBuffer{}, done: make(chan error, 1)}
	var keys strings.Builder
	for name, comment := range map[string]string{"ann": "ann role=operator", "bob": "bob", "eve": "eve"} {
		file := filepath.Join(h.dir, name)
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if name != "eve" { // whom nobody authorised
			b, err := os.ReadFile(file + ".pub")
			if err != nil {
				t.Fatal(err)
			}
			keys.Write(b)
		}
	}
	authorised := filepath.Join(h.dir, "authorized_keys")
	if err := os.WriteFile(authorised, []byte(keys.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	srv, err := Listen(Options{
		Addr: "127.0.0.1:0", Keys: authorised, HostKey: filepath.Join(h.dir, "host"), Limits: limits, Audit: slog.New(slog.NewTextHandler(h.audit, nil)),
		Open: func(_ context.Context, who Person, _ string, _ []string) (tea.Model, []tea.ProgramOption) {
			return screen{who: who, fault: new(error)}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.srv = srv
	_, h.port, _ = net.SplitHostPort(srv.Addr().String())
	var ctx context.Context
	ctx, h.stop = context.WithCancel(context.Background())
	go func() { h.done <- srv.Serve(ctx) }()
	t.Cleanup(func() {
		h.stop()
		if err := <-h.done; err != nil {
			t.Error(err)
		}
	})
	return h
}

// ssh is the command of a client with someone's key.
func (h *house) ssh(who string, args ...string) *exec.Cmd {
	base := []string{
		"-F", "none", "-p", h.port, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=" + filepath.Join(h.dir, "known"),
		"-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
	}
	if who != "" {
		base = append(base, "-i", filepath.Join(h.dir, who))
	} else {
		base = append(base, "-o", "PubkeyAuthentication=no")
	}
	return exec.Command("ssh", append(append(base, args...), "127.0.0.1")...)
}

// emulator is a terminal's screen that one goroutine writes and another reads.
type emulator struct {
	mu sync.Mutex
	e  *vt.Emulator
}

func (e *emulator) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.e.Write(p)
}

func (e *emulator) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.e.String()
}

// terminal is a client on a pseudo-terminal.
type terminal struct {
	t   *testing.T
	cmd *exec.Cmd
	pty *os.File
	out lockedBuffer
	vt  *emulator
	end chan error
}

func (h *house) terminal(who string, w, rows uint16, options ...string) *terminal {
	h.t.Helper()
	cmd := h.ssh(who, append([]string{"-tt"}, options...)...)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color")
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: w, Rows: rows})
	if err != nil {
		h.t.Fatal(err)
	}
	c := &terminal{t: h.t, cmd: cmd, pty: f, vt: &emulator{e: vt.NewEmulator(max(80, min(int(w), 500)), max(24, min(int(rows), 200)))}, end: make(chan error, 1)}
	go func() { _, _ = io.Copy(io.MultiWriter(&c.out, c.vt), f) }()
	go func() { _, _ = io.Copy(io.Discard, c.vt.e) }() // answers to queries go nowhere
	go func() { c.end <- cmd.Wait() }()
	h.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = f.Close() })
	return c
}

// sees waits until the client's terminal has shown text.
func (c *terminal) sees(text string) {
	c.t.Helper()
	until(c.t, "the screen shows "+text, func() bool { return strings.Contains(c.vt.String(), text) || strings.Contains(c.out.String(), text) }, c.out.String)
}

func (c *terminal) types(keys string) {
	c.t.Helper()
	if _, err := c.pty.WriteString(keys); err != nil {
		c.t.Fatal(err)
	}
}

func (c *terminal) ends() error {
	c.t.Helper()
	select {
	case err := <-c.end:
		return err
	case <-time.After(15 * time.Second):
		c.t.Fatal("the client did not end")
		return nil
	}
}

func until(t *testing.T, what string, ok func() bool, state func() string) {
	t.Helper()
	deadline := time.NewTimer(15 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("%s: not within 15 s; %q", what, state())
		}
	}
}

func TestPeopleSeeTheSameAndKeepTheirRoles(t *testing.T) {
	h := build(t, Limits{})
	ann, bob := h.terminal("ann", 100, 30), h.terminal("bob", 90, 25)
	ann.sees("ann is a operator at 100x30")
	bob.sees("bob is a viewer at 90x25")
	before := shared.Load()
	ann.types("x")
	bob.sees(fmt.Sprintf("<%d>", before+1))
	if err := pty.Setsize(bob.pty, &pty.Winsize{Cols: 70, Rows: 20}); err != nil {
		t.Fatal(err)
	}
	bob.sees("70x20")
	ann.types("q")
	if err := ann.ends(); err != nil {
		t.Errorf("leaving by q: %v", err)
	}
	until(t, "the audit log knows that ann left", func() bool { return strings.Contains(h.audit.String(), "msg=left who=ann") }, h.audit.String)
}

func TestStrangersAreRefused(t *testing.T) {
	h := build(t, Limits{})
	for name, cmd := range map[string]*exec.Cmd{
		"unknown key": h.ssh("eve", "-tt"),
		"no key":      h.ssh("", "-tt"),
		"password":    h.ssh("", "-tt", "-o", "PreferredAuthentications=password,keyboard-interactive"),
	} {
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "Permission denied") {
			t.Errorf("%s: %v, %s", name, err, out)
		}
	}
}

func TestOnlyTheExplorerIsServed(t *testing.T) {
	h := build(t, Limits{})
	run := func(args ...string) (string, error) {
		cmd := h.ssh("ann", args...)
		// The host stands last in h.ssh; a command goes behind it.
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	exitOne := func(name, out string, err error, want string) {
		t.Helper()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || !strings.Contains(out, want) {
			t.Errorf("%s: %v, %q, want a refusal with %q", name, err, out, want)
		}
	}
	cmd := h.ssh("ann")
	cmd.Args = append(cmd.Args, "cat /etc/passwd")
	out, err := cmd.CombinedOutput()
	exitOne("exec", string(out), err, "there are no commands here")
	if strings.Contains(string(out), "root:") {
		t.Error("a command was executed")
	}
	text, err := run("-T")
	exitOne("no terminal", text, err, "ssh -t")
	cmd = h.ssh("ann", "-tt")
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "TERM=") }), "TERM=dumb")
	out, err = cmd.CombinedOutput()
	exitOne("dumb terminal", string(out), err, "TERM=dumb can show no screen")
	if strings.Contains(string(out), "\x1b[?1049h") {
		t.Error("a dumb terminal got a screen")
	}
	cmd = h.ssh("ann", "-s")
	cmd.Args = append(cmd.Args, "sftp")
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("sftp was served: %s", out)
	}
	cmd = h.ssh("ann", "-N", "-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:1")
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("a remote forwarding was accepted: %s", out)
	}
	cmd = h.ssh("ann", "-W", "127.0.0.1:"+h.port)
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("a local forwarding was accepted: %s", out)
	}
}

func TestWindowsOfAnySize(t *testing.T) {
	h := build(t, Limits{})
	h.terminal("ann", 0, 0).sees("at 80x24")
	h.terminal("bob", 10000, 10000).sees(fmt.Sprintf("at %dx%d", maxColumns, maxRows))
}

func TestSessionsAKeyAreBounded(t *testing.T) {
	h := build(t, Limits{SessionsPerKey: 2})
	h.terminal("bob", 80, 24).sees("bob")
	second := h.terminal("bob", 80, 24)
	second.sees("bob")
	third := h.terminal("bob", 80, 24)
	third.sees("is the most; close one")
	if third.ends() == nil {
		t.Error("the third session ended well")
	}
	second.types("q")
	if err := second.ends(); err != nil {
		t.Error(err)
	}
	h.terminal("bob", 80, 24).sees("bob is a viewer")
}

func TestOneConnectionTooManyIsTold(t *testing.T) {
	h := build(t, Limits{Connections: 1})
	ann := h.terminal("ann", 80, 24)
	ann.sees("ann")
	for range 3 {
		bob := h.terminal("bob", 80, 24)
		bob.sees("all 1 connections are taken; try again later")
		if bob.ends() == nil {
			t.Error("the second connection ended well")
		}
	}
	ann.types("q")
	if err := ann.ends(); err != nil {
		t.Error(err)
	}
	until(t, "there is room", func() bool {
		h.srv.conns.mu.Lock()
		defer h.srv.conns.mu.Unlock()
		return h.srv.conns.open[""] == 0
	}, h.audit.String)
	h.terminal("bob", 80, 24).sees("bob is a viewer")
}

func TestTwoHundredConnectionsLeaveTheOthersAlone(t *testing.T) {
	h := build(t, Limits{Connections: 20})
	ann := h.terminal("ann", 80, 24)
	ann.sees("ann")
	var open []net.Conn
	for range 200 {
		c, err := net.Dial("tcp", "127.0.0.1:"+h.port)
		if err == nil {
			open = append(open, c)
		}
	}
	until(t, "some are refused", func() bool { return strings.Contains(h.audit.String(), "too many connections") }, h.audit.String)
	before := shared.Load()
	ann.types("x")
	ann.sees(fmt.Sprintf("<%d>", before+1))
	for _, c := range open {
		_ = c.Close()
	}
	until(t, "a newcomer gets in again", func() bool {
		h.srv.conns.mu.Lock()
		defer h.srv.conns.mu.Unlock()
		return h.srv.conns.open[""] < 5
	}, h.audit.String)
	h.terminal("bob", 80, 24).sees("bob")
}

func TestAStrangerWhoSaysNothingIsShownOut(t *testing.T) {
	h := build(t, Limits{Handshake: 200 * time.Millisecond})
	c, err := net.Dial("tcp", "127.0.0.1:"+h.port)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
	until(t, "the log says why", func() bool { return strings.Contains(h.audit.String(), "no session in time") }, h.audit.String)
}

func TestASilentConnectionEnds(t *testing.T) {
	h := build(t, Limits{Idle: 300 * time.Millisecond})
	c, err := net.Dial("tcp", "127.0.0.1:"+h.port)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
	until(t, "it no longer counts", func() bool {
		h.srv.conns.mu.Lock()
		defer h.srv.conns.mu.Unlock()
		return h.srv.conns.open[""] == 0
	}, h.audit.String)
}

func TestAClientThatDoesNotReadSlowsNobody(t *testing.T) {
	h := build(t, Limits{})
	deaf := h.ssh("bob", "-tt")
	deaf.Env = append(os.Environ(), "TERM=xterm-256color")
	f, err := pty.StartWithSize(deaf, &pty.Winsize{Cols: 200, Rows: 50}) // nobody reads f
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = deaf.Process.Kill(); _ = f.Close(); _ = deaf.Wait() }()
	ann := h.terminal("ann", 80, 24)
	ann.sees("ann")
	for range 20 {
		before := shared.Load()
		ann.types("x")
		ann.sees(fmt.Sprintf("<%d>", before+1))
	}
}

func TestAFloodOfKeysIsHeldBack(t *testing.T) {
	h := build(t, Limits{InputRate: 1000})
	ann, bob := h.terminal("ann", 80, 24), h.terminal("bob", 80, 24)
	ann.sees("ann")
	bob.sees("bob")
	before := shared.Load()
	go func() { _, _ = ann.pty.Write(bytes.Repeat([]byte("x"), 10<<20)) }()
	until(t, "keys arrive", func() bool { return shared.Load() > before+500 }, func() string { return fmt.Sprint(shared.Load()) })
	if n := shared.Load() - before; n > 6000 {
		t.Errorf("%d keys came through at once", n)
	}
	bob.types("q")
	if err := bob.ends(); err != nil {
		t.Errorf("the neighbour could not leave: %v", err)
	}
}

func TestStoppingRestoresEveryTerminal(t *testing.T) {
	h := build(t, Limits{})
	ann := h.terminal("ann", 80, 24)
	ann.sees("ann")
	h.stop()
	_ = ann.ends()
	until(t, "the alternate screen is left", func() bool {
		out := ann.out.String()
		on, off := strings.LastIndex(out, "\x1b[?1049h"), strings.LastIndex(out, "\x1b[?1049l")
		return on >= 0 && off > on
	}, ann.out.String)
	if out := ann.out.String(); !strings.Contains(out, "parfait: the server was ended; a run that is under way goes on") {
		t.Errorf("who looked is not told why it ended: %q", out[max(0, len(out)-300):])
	}
}

// A fault of one session ends that one alone, in words, and the server's log says what it was.
func TestAFaultEndsOneSessionAlone(t *testing.T) {
	h := build(t, Limits{})
	ann, bob := h.terminal("ann", 80, 24), h.terminal("bob", 80, 24)
	ann.sees("ann")
	bob.sees("bob")
	ann.types("f")
	_ = ann.ends()
	ann.sees("parfait: the explorer ended by a fault of the program; what is recorded is safe")
	until(t, "the log says why", func() bool { return strings.Contains(h.audit.String(), "it cannot go on") }, h.audit.String)
	before := shared.Load()
	bob.types("x")
	bob.sees(fmt.Sprintf("<%d>", before+1))
}

func TestKeys(t *testing.T) {
	const k1 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS"
	for _, c := range []struct{ name, text, want string }{
		{"operator by option", `role="operator" ` + k1 + " ann", "ann operator"},
		{"operator by comment", k1 + " ann role=operator", "ann operator"},
		{"viewer", "restrict " + k1 + " bob from accounts", "bob from accounts viewer"},
		{"comments and blanks", "# a\n\n" + k1 + " x\n", "x viewer"},
		{"escape in a name", k1 + " a\x1b[31mb", "a[31mb viewer"},
		{"unknown role", k1 + " ann role=root", "!neither viewer nor operator"},
		{"option that would be ignored", `from="10.0.0.1" ` + k1 + " ann", "!is not kept by this server"},
		{"garbage", "hello", "!not a public key"},
		{"a private key", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "!usually in f.pub"},
		{"empty", "\n", "!holds no key"},
		{"two roles", k1 + " a\n" + k1 + " a role=operator", "!stands above"},
	} {
		keys, err := parseKeys("f", []byte(c.text))
		if want, bad := strings.CutPrefix(c.want, "!"); bad {
			var ke *KeysError
			if !errors.As(err, &ke) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", c.name, err, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, p := range keys.people {
			if got := p.Name + " " + string(p.Role); got != c.want {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		}
	}
	if _, err := ReadKeys(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a server would start without keys")
	}
}

func FuzzKeys(f *testing.F) {
	f.Add([]byte(`role="operator" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS ann`))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = parseKeys("f", b) })
}

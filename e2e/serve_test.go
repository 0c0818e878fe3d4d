//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// house is a study that `parfait serve` shows, and the keys of people who may look.
type house struct {
	t    *testing.T
	keys string
	port string
	cmd  *exec.Cmd
	dir  string
	end  chan error
}

// serve starts the server of a study. The first of the people is an operator.
func serve(t *testing.T, dir string, people ...string) *house {
	t.Helper()
	for _, tool := range []string{"ssh", "ssh-keygen"} {
		_, err := exec.LookPath(tool)
		need(t, err, tool)
	}
	h := &house{t: t, keys: t.TempDir(), dir: dir, end: make(chan error, 1)}
	var authorised bytes.Buffer
	for i, name := range people {
		comment := name
		if i == 0 {
			comment += " role=operator"
		}
		file := filepath.Join(h.keys, name)
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		b, err := os.ReadFile(file + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		authorised.Write(b)
	}
	list := filepath.Join(h.keys, "authorized_keys")
	if err := os.WriteFile(list, authorised.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	h.cmd = exec.Command(program, "serve", dir, "--addr", "127.0.0.1:0", "--authorized-keys", list, "--host-key", filepath.Join(h.keys, "host"))
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	h.cmd.Stderr = os.Stderr
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.cmd.Process.Kill() })
	line := make([]byte, 4096)
	n, err := out.Read(line)
	m := regexp.MustCompile(`127\.0\.0\.1:(\d+)`).FindSubmatch(line[:n])
	if err != nil || m == nil {
		t.Fatalf("the server said %q (%v)", line[:n], err)
	}
	h.port = string(m[1])
	go func() { _, _ = io.Copy(io.Discard, out); h.end <- h.cmd.Wait() }()
	return h
}

// guest is a person at an OpenSSH client on a pseudo-terminal.
type guest struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	pty  *os.File
	mu   sync.Mutex
	vt   *vt.Emulator
	raw  bytes.Buffer
	news chan struct{} // something was drawn
	end  chan error
}

// Write shows bytes on the guest's screen.
func (g *guest) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.raw.Write(p)
	n, err := g.vt.Write(p)
	select {
	case g.news <- struct{}{}:
	default:
	}
	return n, err
}

func (g *guest) screen() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.vt.String()
}

func (h *house) guest(name string, options ...string) *guest {
	h.t.Helper()
	args := []string{
		"-F", "none", "-p", h.port, "-i", filepath.Join(h.keys, name), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=" + filepath.Join(h.keys, "known"),
		"-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes", "-o", "SendEnv=LANG LC_ALL", "-tt",
	}
	cmd := exec.Command("ssh", append(append(args, options...), "127.0.0.1")...)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=C.UTF-8")
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 100, Rows: 30})
	if err != nil {
		h.t.Fatal(err)
	}
	g := &guest{t: h.t, name: name, cmd: cmd, pty: f, vt: vt.NewEmulator(100, 30), news: make(chan struct{}, 1), end: make(chan error, 1)}
	shown := make(chan struct{})
	go func() { _, _ = io.Copy(g, f); close(shown) }()
	go func() { _, _ = io.Copy(io.Discard, g.vt) }() // answers to queries go nowhere
	go func() { err := cmd.Wait(); <-shown; g.end <- err }()
	h.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = f.Close() })
	return g
}

func (g *guest) types(keys string) {
	g.t.Helper()
	if _, err := g.pty.WriteString(keys); err != nil {
		g.t.Fatal(err)
	}
}

// sees waits for a text and says when it was there.
func (g *guest) sees(text string) time.Time {
	g.t.Helper()
	late := time.NewTimer(30 * time.Second)
	defer late.Stop()
	for {
		if strings.Contains(g.screen(), text) {
			return time.Now()
		}
		select {
		case <-g.news:
		case <-late.C:
			g.t.Fatalf("%s does not see %q:\n%s", g.name, text, g.screen())
		}
	}
}

// TestWhatAnOperatorDoesIsSeenByAll has ten viewers and an operator on one study that is being sampled.
// The aim is 200 ms from the key to the last screen; a loaded machine gets five times as much.
func TestWhatAnOperatorDoesIsSeenByAll(t *testing.T) {
	dir := slowStudy(t, 40)
	people := []string{"operator"}
	for i := range 10 {
		people = append(people, fmt.Sprintf("viewer%d", i))
	}
	h := serve(t, dir, people...)
	all := make([]*guest, len(people))
	for i, name := range people {
		all[i] = h.guest(name)
	}
	for _, g := range all {
		g.sees("0/40")
	}
	all[0].types("s") // progress is drawn meanwhile, and must hold nothing up
	for _, g := range all {
		g.sees("sampling")
	}
	var took []time.Duration
	for n := 41; n < 49; n++ {
		want := fmt.Sprintf("/%d", n)
		all[0].types("b")
		all[0].sees("are finished,")
		begin := time.Now()
		all[0].types(fmt.Sprintf("\x15%d\r", n))
		seen := make([]time.Time, len(all))
		var wg sync.WaitGroup
		for i, g := range all {
			wg.Go(func() { seen[i] = g.sees(want) })
		}
		wg.Wait()
		took = append(took, slices.MaxFunc(seen, time.Time.Compare).Sub(begin))
	}
	slices.Sort(took)
	t.Logf("until the last of %d screens shows it: median %v, worst %v", len(all), took[len(took)/2], took[len(took)-1])
	if median := took[len(took)/2]; median > time.Second {
		t.Errorf("what the operator does is seen after %v, want 200 ms", median)
	}
	until(t, "the end of the run", func() bool { return doneOf(trials(t, dir)) == 48 })
	// Viewers change nothing.
	all[1].sees("finished 48/48")
	all[1].types("b")
	all[1].sees("you are a viewer here")
	log, err := os.ReadFile(filepath.Join(dir, "logs", "serve.log"))
	if err != nil || !strings.Contains(string(log), "msg=did who=operator") || strings.Contains(string(log), "msg=did who=viewer") {
		t.Errorf("the audit log is not what happened (%v):\n%s", err, log)
	}
}

// TestHangingUpStopsNoExport kills the client while its export is being written and measured.
func TestHangingUpStopsNoExport(t *testing.T) {
	dir := slowStudy(t, 8)
	good(t, ".", "run", dir, "--headless")
	h := serve(t, dir, "operator")
	halfway := 0
	for round := range 3 {
		g := h.guest("operator")
		g.sees("knee")
		g.types("\r")
		g.sees("folder")
		name := fmt.Sprintf("hung-up-%d", round)
		g.types("\x15" + name + "\r")
		g.sees("Exporting")
		out := filepath.Join(dir, "exports", name)
		if _, err := os.Stat(filepath.Join(out, "receipt.json")); err != nil {
			halfway++
		}
		_ = g.cmd.Process.Kill()
		_ = g.pty.Close()
		until(t, "the export of a client that is gone, measured", func() bool {
			b, err := os.ReadFile(filepath.Join(out, "receipt.json"))
			var r struct{ Measured map[string]map[string]any }
			return err == nil && json.Unmarshal(b, &r) == nil && len(r.Measured["validation"]) == 2
		})
		good(t, ".", "verify", out, "--recompute")
	}
	if halfway == 0 {
		t.Error("no client hung up in the middle of its export")
	}
	next := h.guest("operator")
	next.sees("knee")
	next.types("6")
	next.sees("hung-up-2")
}

// TestServersEndCleanly stops a server with sessions open: terminals are restored, runners go on.
func TestServersEndCleanly(t *testing.T) {
	dir := slowStudy(t, 30)
	h := serve(t, dir, "operator", "viewer")
	ann, bob := h.guest("operator"), h.guest("viewer")
	ann.sees("0/30")
	bob.sees("0/30")
	ann.types("s")
	bob.sees("sampling")
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for _, g := range []*guest{ann, bob} {
		t.Logf("the %s's client ended: %v", g.name, <-g.end)
		until(t, "the "+g.name+"'s own screen again", func() bool {
			g.mu.Lock()
			defer g.mu.Unlock()
			raw := g.raw.String()
			on, off := strings.LastIndex(raw, "\x1b[?1049h"), strings.LastIndex(raw, "\x1b[?1049l")
			return on >= 0 && off > on
		})
	}
	if err := <-h.end; err != nil && !strings.Contains(err.Error(), "exit status") {
		t.Error(err)
	}
	before := doneOf(trials(t, dir))
	until(t, "the runner at work without its server", func() bool { return doneOf(trials(t, dir)) > before || before == 30 })
	until(t, "its end", func() bool { return doneOf(trials(t, dir)) == 30 })
}

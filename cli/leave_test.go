package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/charmbracelet/x/term"
	"github.com/creack/pty"
	"github.com/spf13/cobra"

	"parfait/internal/rescue"
)

// badlyBehaved are commands that only the test's binary has; each says that it is ready on stdout.
func badlyBehaved(a *app) []*cobra.Command {
	ready := func() { _, _ = a.files[0].WriteString("ready\n") }
	command := func(name string, work func(ctx context.Context) error) *cobra.Command {
		return &cobra.Command{Use: name, RunE: func(cmd *cobra.Command, _ []string) error { return work(cmd.Context()) }}
	}
	return []*cobra.Command{
		command("obedient", func(ctx context.Context) error { ready(); <-ctx.Done(); return ctx.Err() }),
		command("deaf", func(context.Context) error { ready(); select {} }),
		command("deaf-screen", func(context.Context) error {
			a.leaver.onScreen()
			if _, err := term.MakeRaw(a.in.Fd()); err != nil {
				return err
			}
			_, _ = a.files[0].WriteString("\x1b[?1049h\x1b[?25l\x1b[?2004hready\n")
			select {}
		}),
		command("faulty", func(context.Context) error { panicOnPurpose(); return nil }),
		command("faulty-behind", func(ctx context.Context) error {
			rescue.Go(panicOnPurpose)
			<-ctx.Done()
			return ctx.Err()
		}),
		command("faulty-behind-deaf", func(context.Context) error { rescue.Go(panicOnPurpose); select {} }),
	}
}

func panicOnPurpose() { panic("on purpose") }

// childEnv makes the test's binary the program, with the badly behaved commands.
const childEnv = "PARFAIT_CLI_CHILD"

// child is a command of the test's binary that is about to be started.
func child(t *testing.T, args ...string) (*exec.Cmd, *strings.Builder) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// Tests that nohup has started start others that do not hear SIGHUP; while it is listened for, they do.
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(heard) })
	cmd := exec.Command(self, args...)
	var said strings.Builder
	cmd.Stderr = &said
	cmd.Env = append(os.Environ(), childEnv+"=1", "TMPDIR="+t.TempDir(), "TERM=dumb")
	return cmd, &said
}

// ready starts a child and waits until it says that it is ready.
func ready(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("it says %q, %v", line, err)
	}
}

func hit(t *testing.T, cmd *exec.Cmd, signals ...syscall.Signal) {
	t.Helper()
	for _, s := range signals {
		if err := cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
	}
}

var namedFile = regexp.MustCompile(`/\S+/parfait-(panic|stacks)-\S+\.txt`)

// holds fails unless the file that is named in text holds what is wanted, and text nothing like a stack itself.
func holds(t *testing.T, text string, want ...string) {
	t.Helper()
	if strings.Contains(text, "goroutine ") || strings.Contains(text, ".go:") {
		t.Errorf("a stack is shown to the person:\n%s", text)
	}
	b, err := os.ReadFile(namedFile.FindString(text))
	if err != nil {
		t.Fatalf("no file that can be read is named: %v\n%s", err, text)
	}
	for _, w := range want {
		if !strings.Contains(string(b), w) {
			t.Errorf("the file does not hold %q:\n%s", w, b)
		}
	}
}

// Every signal ends a command in order: exit code 130, a sentence, and after SIGQUIT a file of what it was doing.
func TestSignalsEndACommandInOrder(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		cmd, said := child(t, "obedient")
		ready(t, cmd)
		hit(t, cmd, s)
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != int(ExitInterrupted) {
			t.Errorf("%v: exit %d, want %d", s, code, ExitInterrupted)
		}
		if text := said.String(); !strings.Contains(text, "interrupted: what is recorded is kept") || !strings.Contains(text, "→ the same command again") {
			t.Errorf("%v is told as %q", s, text)
		}
		if s == syscall.SIGQUIT {
			holds(t, said.String(), "goroutine ", "badlyBehaved")
		}
	}
}

// A program that nohup has started does not hear that the line is gone.
func TestNohupHoldsBackSIGHUP(t *testing.T) {
	cmd, said := child(t, "obedient")
	cmd.Args = append([]string{"sh", "-c", `trap "" HUP; exec "$@"`, "sh"}, cmd.Args...)
	cmd.Path = "/bin/sh"
	ready(t, cmd)
	hit(t, cmd, syscall.SIGHUP)
	hit(t, cmd, syscall.SIGQUIT) // heard after it, and told; had the first one counted, this would be the second
	_ = cmd.Wait()
	if text := said.String(); !strings.Contains(text, "nothing half-written is left; what it was doing is in") {
		t.Errorf("told as %q", text)
	}
}

// What never looks is left as it stands: after one signal soon, after a second one at once.
func TestWhatDoesNotLookIsLeftAsItStands(t *testing.T) {
	for _, signals := range [][]syscall.Signal{{syscall.SIGTERM}, {syscall.SIGINT, syscall.SIGTERM}, {syscall.SIGTERM, syscall.SIGQUIT}} {
		cmd, said := child(t, "deaf", "--json")
		ready(t, cmd)
		hit(t, cmd, signals...)
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != int(ExitInterrupted) {
			t.Errorf("%v: exit %d, want %d", signals, code, ExitInterrupted)
		}
		var e struct{ Error errorJSON }
		if err := json.Unmarshal([]byte(said.String()), &e); err != nil {
			t.Fatalf("%v is told as %q: %v", signals, said, err)
		}
		if !strings.Contains(e.Error.What, "left as it stood") || e.Error.Fix == "" {
			t.Errorf("%v is told as %+v", signals, e)
		}
		if slices.Contains(signals, syscall.SIGQUIT) {
			holds(t, e.Error.What, "goroutine ", "badlyBehaved")
		}
	}
}

// What never looks while it has the screen leaves the terminal as it was.
func TestWhatDoesNotLookLeavesTheTerminalWhole(t *testing.T) {
	cmd, _ := child(t, "deaf-screen")
	cmd.Stderr = nil
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tty.Close() }()
	r := bufio.NewReader(tty)
	if line, err := r.ReadString('\n'); !strings.Contains(line, "ready") {
		t.Fatalf("it says %q, %v", line, err)
	}
	hit(t, cmd, syscall.SIGTERM, syscall.SIGTERM)
	rest, _ := io.ReadAll(r) // ends with the child
	_ = cmd.Wait()
	for _, want := range []string{"\x1b[?1049l", "\x1b[?25h", "\x1b[?2004l", "left as it stood"} {
		if !strings.Contains(string(rest), want) {
			t.Errorf("%q is not written:\n%q", want, rest)
		}
	}
	if !strings.HasSuffix(string(rest), "\r\n") { // a raw terminal makes no \r
		t.Errorf("the terminal was raw to the end:\n%q", rest)
	}
}

// A panic, wherever it is, ends with exit code 1, a sentence and a file that holds its stack.
func TestPanicsAreToldAndTheirStackIsKept(t *testing.T) {
	for _, name := range []string{"faulty", "faulty-behind", "faulty-behind-deaf"} {
		cmd, said := child(t, name)
		_ = cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != int(ExitFailed) {
			t.Errorf("%s: exit %d, want %d", name, code, ExitFailed)
		}
		text := said.String()
		if !strings.Contains(text, "on purpose (this is a fault of the program; its stack is in ") || !strings.Contains(text, "what is recorded is safe") || !strings.Contains(text, "→ the same command again") {
			t.Errorf("%s is told as %q", name, text)
		}
		holds(t, text, "panic: on purpose", "cli.panicOnPurpose")
	}
}

// The stacks of a study's commands are kept with its logs, where there are any.
func TestStacksAreKeptWithTheLogs(t *testing.T) {
	before := stackFolder.Load()
	defer func() { stackFolder.Store(before) }()
	study := t.TempDir()
	t.Setenv("TMPDIR", t.TempDir())
	keepStacksOf(study)
	f, err := stackFile("panic")
	if err != nil {
		t.Fatal(err)
	}
	if dir := filepath.Dir(f.Name()); dir != os.TempDir() {
		t.Errorf("without logs it is in %s, want %s", dir, os.TempDir())
	}
	_ = f.Close()
	if err := os.Mkdir(filepath.Join(study, "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if f, err = stackFile("panic"); err != nil {
		t.Fatal(err)
	}
	if dir := filepath.Dir(f.Name()); dir != filepath.Join(study, "logs") {
		t.Errorf("with logs it is in %s", dir)
	}
	_ = f.Close()
}

package cli

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/crypto/ssh"
)

// asked runs a command line on a terminal and calls answer with the terminal when a passphrase is asked for; it
// returns what the screen shows.
func asked(ctx context.Context, t *testing.T, answer func(screen *os.File), args ...string) (screen string, code int) {
	t.Helper()
	outer, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = outer.Close() }()
	text := make(chan string, 1)
	go func() {
		var shown bytes.Buffer
		answered := false
		b := make([]byte, 4096)
		for {
			n, err := outer.Read(b)
			shown.Write(b[:n])
			if !answered && strings.Contains(shown.String(), "passphrase of ") && strings.HasSuffix(shown.String(), ": ") {
				answered = true
				answer(outer)
			}
			if err != nil {
				text <- shown.String()
				return
			}
		}
	}()
	code = Run(ctx, args, tty, tty, tty)
	_, _ = outer.WriteString("\n") // for who still waits for an answer
	_ = tty.Close()
	return <-text, code
}

// A passphrase is asked for on a terminal, and not shown; ctrl-c while it is asked for signs nothing.
func TestAPassphraseIsAskedFor(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("SSH_AUTH_SOCK", "")
	t.Chdir(t.TempDir())
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("key", pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	out := mergedExport(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, code := asked(ctx, t, func(*os.File) { cancel() }, "sign", out, "--key", "key")
	if exists(filepath.Join(out, "receipt.json.sig")) || code != int(ExitInterrupted) {
		t.Errorf("interrupted while it was asked for: exit code %d, want %d, and no signature", code, ExitInterrupted)
	}
	screen, code := asked(t.Context(), t, func(screen *os.File) { _, _ = screen.WriteString("open sesame\n") }, "sign", out, "--key", "key")
	if code != 0 || !exists(filepath.Join(out, "receipt.json.sig")) {
		t.Errorf("with the passphrase: exit code %d, want 0 and a signature:\n%s", code, screen)
	}
	if strings.Contains(screen, "sesame") || !strings.Contains(screen, "signed with SHA256:") {
		t.Errorf("the passphrase is shown, or nothing is said:\n%s", screen)
	}
}

// mergedExport is a small export.
func mergedExport(t *testing.T) string {
	t.Helper()
	for _, args := range [][]string{
		{"demo", "--headless", "--dir", "d", "--tasks", "2", "--budget", "6"},
		{"export", "d", "--at", "rotated=0.5,mirrored=0.5", "--out", "out"},
	} {
		if text := inPipe(t, args); !exists("d") {
			t.Fatalf("%q makes no study: %s", args, text)
		}
	}
	if !exists("out/receipt.json") {
		t.Fatal("there is no export")
	}
	return "out"
}

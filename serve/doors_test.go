package serve

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// The name before the @ means nothing: people are their keys.
func TestNamesDoNotMatter(t *testing.T) {
	h := build(t, Limits{})
	for _, name := range []string{"root", "ann", "nobody", strings.Repeat("x", 300), "名前"} {
		c := h.terminal("bob", 80, 24, "-o", "User="+name)
		c.sees("bob is a viewer")
		c.types("q")
		if err := c.ends(); err != nil {
			t.Errorf("as %q: %v", name, err)
		}
	}
	if out, err := h.ssh("eve", "-tt", "-o", "User=ann").CombinedOutput(); err == nil || !strings.Contains(string(out), "Permission denied") {
		t.Errorf("eve came in as ann: %v, %s", err, out)
	}
}

// A forwarded agent would let the server use its visitors' keys: it is never asked for anything.
func TestAgentsAreLeftAlone(t *testing.T) {
	h := build(t, Limits{})
	socket := filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	var asked atomic.Int32
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			_ = c.Close()
		}
	}()
	c := h.terminal("ann", 80, 24, "-A", "-X", "-o", "IdentityAgent="+socket)
	c.sees("ann is a operator")
	before := asked.Load() // the client itself looks for keys there
	c.types("xq")
	if err := c.ends(); err != nil {
		t.Errorf("with a forwarded agent: %v", err)
	}
	if n := asked.Load() - before; n > 0 {
		t.Errorf("the server used a visitor's agent %d times", n)
	}
}

// Neither the old nor the new way of copying files finds anybody.
func TestNoFilesAreCopied(t *testing.T) {
	need(t, "scp", "sftp")
	h := build(t, Limits{})
	secret := filepath.Join(h.dir, "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	options := []string{
		"-F", "none", "-P", h.port, "-i", filepath.Join(h.dir, "ann"), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=" + filepath.Join(h.dir, "known"),
		"-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR",
	}
	copied := filepath.Join(h.dir, "copied")
	for name, args := range map[string][]string{
		"scp from":     {"scp", "127.0.0.1:" + secret, copied},
		"scp to":       {"scp", secret, "127.0.0.1:" + copied},
		"old scp from": {"scp", "-O", "127.0.0.1:" + secret, copied},
		"old scp to":   {"scp", "-O", secret, "127.0.0.1:" + copied},
		"sftp":         {"sftp", "127.0.0.1:" + secret, copied},
	} {
		where := len(args) - 2
		line := append(append(append([]string{}, args[1:where]...), options...), args[where:]...)
		if out, err := exec.Command(args[0], line...).CombinedOutput(); err == nil {
			t.Errorf("%s went through: %s", name, out)
		}
		if _, err := os.Stat(copied); err == nil {
			t.Errorf("%s copied a file", name)
		}
	}
}

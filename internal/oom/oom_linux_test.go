package oom

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOOMKillsAreRead(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "a/b"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "cgroup"), "1:name=systemd:/x\n0::/a/b\n")
	if n, ok := killsIn(filepath.Join(root, "cgroup"), root); ok {
		t.Errorf("%d, though nothing tells", n)
	}
	write(t, filepath.Join(root, "a/b/memory.events"), "low 0\nhigh 0\nmax 3\noom 2\noom_kill 7\noom_group_kill 0\n")
	if n, ok := killsIn(filepath.Join(root, "cgroup"), root); n != 7 || !ok {
		t.Errorf("%d %t, want 7", n, ok)
	}
	write(t, filepath.Join(root, "cgroup"), "5:cpu,cpuacct:/x\n4:memory:/job\n0::/a\n") // of version 1, beside an empty 2
	if err := os.MkdirAll(filepath.Join(root, "memory/job"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "memory/job/memory.oom_control"), "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n")
	if n, ok := killsIn(filepath.Join(root, "cgroup"), root); n != 3 || !ok {
		t.Errorf("%d %t, want 3", n, ok)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

package study

import (
	"os"
	"path/filepath"
	"testing"
)

// What is available is what the machine and every control group leave; pages of files may be taken away again.
func TestAvailableMemory(t *testing.T) {
	root := t.TempDir()
	at := func(name string) string { return filepath.Join(root, name) }
	write(t, at("meminfo"), "MemTotal:  1000 kB\nMemAvailable:    800 kB\n")
	for _, dir := range []string{"a/b", "memory/job"} {
		if err := os.MkdirAll(at(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	want := func(n int64, why string) {
		t.Helper()
		if got, err := availableIn(at("meminfo"), at("cgroup"), root); err != nil || got != n {
			t.Errorf("%s: %d available (%v), want %d", why, got, err, n)
		}
	}
	want(800<<10, "without control groups")
	write(t, at("cgroup"), "0::/a/b\n")
	write(t, at("a/b/memory.max"), "max\n")
	write(t, at("a/b/memory.current"), "5\n")
	want(800<<10, "without limits")
	write(t, at("a/memory.max"), "600000\n")
	write(t, at("a/memory.current"), "500000\n")
	write(t, at("a/memory.stat"), "anon 1\nfile 90000\nshmem 40000\n")
	want(150000, "of the group above")
	write(t, at("cgroup"), "4:memory:/job\n0::/a\n")
	write(t, at("memory/job/memory.limit_in_bytes"), "100000\n")
	write(t, at("memory/job/memory.usage_in_bytes"), "70000\n")
	write(t, at("memory/job/memory.stat"), "cache 1\ntotal_cache 20000\ntotal_shmem 20000\n")
	want(30000, "of version 1")
	write(t, at("meminfo"), "MemTotal: 1000 kB\n")
	if _, err := availableIn(at("meminfo"), at("cgroup"), root); err == nil {
		t.Error("without MemAvailable something is available")
	}
}

//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFullDisk runs on a real file system of one megabyte that fills up: exports and runs end with exit 8,
// say so, leave nothing half-written, lose nothing that was measured, and go on when there is room again.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		inOwnNamespace(t)
		return
	}
	disk := t.TempDir()
	need(t, syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=1200k"), "the right to mount a file system")
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	dir := filepath.Join(disk, "s")
	good(t, ".", "demo", "--headless", "--tasks", "2", "--budget", "8", "--dir", dir)
	before := trials(t, dir)

	t.Log("an export onto the full disk")
	ballast := fill(t, disk, 8<<10)
	r := parfait(t, ".", "export", dir, "--knee", "--out", filepath.Join(disk, "out"))
	if r.code != 8 {
		t.Errorf("export: exit %d, want 8:\n%s", r.code, r.errors)
	}
	entries, err := os.ReadDir(disk)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "s" && e.Name() != filepath.Base(ballast) {
			t.Errorf("the failed export left %s", e.Name())
		}
	}

	t.Log("a run with its models on the full disk")
	r = parfait(t, ".", "run", dir, "--headless", "--budget", "12")
	if r.code != 8 {
		t.Errorf("run: exit %d, want 8:\n%s", r.code, r.errors)
	}
	if text := strings.ToLower(r.errors); !strings.Contains(text, "free") && !strings.Contains(text, "full") {
		t.Errorf("it does not say that there is no room:\n%s", r.errors)
	}

	t.Log("with room again")
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	text, err := os.ReadFile(filepath.Join(dir, "study.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, []byte("candidates: {path: "+elsewhere+"}\n")...)
	if err := os.WriteFile(filepath.Join(dir, "study.yaml"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	good(t, ".", "run", dir, "--headless", "--budget", "12")
	after := trials(t, dir)
	if len(after) != 12 {
		t.Errorf("%d trials after there was room again, want 12", len(after))
	}
	for id, was := range before {
		if now := after[id]; now.State != was.State || now.Attempt != was.Attempt {
			t.Errorf("trial %d was %+v and is %+v", id, was, now)
		}
	}
	good(t, ".", "export", dir, "--knee", "--out", filepath.Join(disk, "out"))
	good(t, ".", "verify", filepath.Join(disk, "out"), "--recompute")
}

// fill writes a file that leaves spare bytes free.
func fill(t *testing.T, dir string, spare uint64) string {
	t.Helper()
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "ballast")
	if err := os.WriteFile(path, make([]byte, st.Bavail*uint64(st.Bsize)-spare), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// inOwnNamespace runs this test again as the root of a user namespace, where a file system may be mounted.
func inOwnNamespace(t *testing.T) {
	t.Helper()
	need(t, exec.Command("unshare", "--user", "--map-root-user", "--mount", "true").Run(), "root, or the right to make a user namespace")
	cmd := exec.Command("unshare", "--user", "--map-root-user", "--mount", os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), programVariable+"="+program)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

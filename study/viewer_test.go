package study

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// look does as a viewer who may only read, and says what went wrong.
func look(s *Study) error {
	snap := s.Snapshot()
	if len(snap.Trials) != 8 {
		return fmt.Errorf("%d trials", len(snap.Trials))
	}
	for name, do := range map[string]func() error{
		"a command": func() error { return s.Do(Command{Kind: CommandPause}) },
		"a pick":    func() error { _, err := s.SavePick(Pick{X: snap.Trials[0].X}); return err },
		"a view":    func() error { return s.SaveView("me", []byte("x")) },
		"a runner":  s.StartRunner,
	} {
		if err := do(); CodeOf(err) != CodeReadOnly {
			return fmt.Errorf("%s: %w, expected code %s", name, err, CodeReadOnly)
		}
	}
	return nil
}

func TestAFolderThatMayOnlyBeRead(t *testing.T) {
	t.Parallel()
	s := demo(t, DemoOptions{Tasks: 2, Budget: 8, Seed: 1}, RunOptions{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	viewer := exec.Command(filepath.Join(home, "viewer"), "look", s.Dir())
	if err := os.Link(os.Args[0], viewer.Path); err != nil {
		b, err := os.ReadFile(os.Args[0])
		if err == nil {
			err = os.WriteFile(viewer.Path, b, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if os.Getuid() == 0 { // who may write everywhere: somebody else looks
		viewer.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	for dir := s.Dir(); dir != filepath.Clean(os.TempDir()); dir = filepath.Dir(dir) {
		chmod(t, dir, 0o555)
	}
	for dir := home; dir != filepath.Clean(os.TempDir()); dir = filepath.Dir(dir) {
		chmod(t, dir, 0o755)
	}
	chmod(t, filepath.Join(s.Dir(), "study.db"), 0o444)
	chmod(t, filepath.Join(s.Dir(), "logs"), 0o555)
	chmod(t, lockPath(s.Dir()), 0o444)
	t.Cleanup(func() { chmod(t, s.Dir(), 0o755); chmod(t, filepath.Dir(s.Dir()), 0o755) })
	if out, err := viewer.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, strings.TrimSpace(string(out)))
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

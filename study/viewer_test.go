package study

import (
	"context"
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
		"a runner":  s.StartRunner,
	} {
		if err := do(); CodeOf(err) != CodeReadOnly {
			return fmt.Errorf("%s: %w, expected code %s", name, err, string(CodeReadOnly))
		}
	}
	return s.SaveView("me", []byte("x")) // is not kept
}

func TestAFolderThatMayOnlyBeRead(t *testing.T) {
	t.Parallel()
	s := demo(t, DemoOptions{Tasks: 2, Budget: 8, Seed: 1}, RunOptions{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for dir := s.Dir(); dir != filepath.Clean(os.TempDir()); dir = filepath.Dir(dir) {
		chmod(t, dir, 0o555)
	}
	chmod(t, filepath.Join(s.Dir(), "study.db"), 0o444)
	chmod(t, filepath.Join(s.Dir(), "logs"), 0o555)
	chmod(t, lockPath(s.Dir()), 0o444)
	t.Cleanup(func() { chmod(t, s.Dir(), 0o755); chmod(t, filepath.Dir(s.Dir()), 0o755) })
	if err := somebodyElse(t, "look", s.Dir()); err != nil {
		t.Error(err)
	}
}

// somebodyElse has another person play a role on dir, one who is not root.
func somebodyElse(t *testing.T, role, dir string) error {
	t.Helper()
	home := t.TempDir()
	viewer := exec.Command(filepath.Join(home, "viewer"), role, dir)
	if err := os.Link(os.Args[0], viewer.Path); err != nil {
		b, err := os.ReadFile(os.Args[0])
		if err == nil {
			err = os.WriteFile(viewer.Path, b, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if os.Getuid() == 0 { // who may write everywhere
		viewer.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	for dir := home; dir != filepath.Clean(os.TempDir()); dir = filepath.Dir(dir) {
		chmod(t, dir, 0o755)
	}
	out, err := viewer.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// lockBehind takes the lock of a study where somebody else's runner has left its file, and says what went wrong.
func lockBehind(dir string) error {
	for _, step := range []func() error{
		func() error { // as the message says
			_, err := takeLock(context.Background(), dir, nothing, func(error) {})
			if CodeOf(err) != CodeReadOnly || !strings.Contains(err.Error(), "delete it") {
				return fmt.Errorf("a lock file that may only be read: %w, expected code %s and what to do", err, string(CodeReadOnly))
			}
			return os.Remove(lockPath(dir))
		},
		func() error {
			l, err := takeLock(context.Background(), dir, nothing, func(error) {})
			if err == nil {
				l.release()
			}
			return err
		},
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func TestALockFileThatMayOnlyBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	chmod(t, dir, 0o777)
	chmod(t, filepath.Dir(dir), 0o755)
	write(t, lockPath(dir), "")
	chmod(t, lockPath(dir), 0o444)
	if err := somebodyElse(t, "lock", dir); err != nil {
		t.Error(err)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

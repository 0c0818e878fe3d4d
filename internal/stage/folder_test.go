package stage

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// ours is the token of these tests.
var ours = Token("a test")

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLivingStagingStays(t *testing.T) {
	root := t.TempDir()
	s, err := New(OS{}, filepath.Join(root, "out"), ours)
	must(t, err)
	for name, want := range map[string]struct{ lock, stays bool }{
		".x" + mark + "elsewhere-123-abc-" + ours:           {true, true}, // another machine's, fresh
		".x" + mark + hostname() + "-999999999-abc-" + ours: {true, false},
		".x" + mark + hostname() + "-999999999-abd-" + ours: {false, true}, // maybe another container's, where there are no locks
		"x" + mark + hostname() + "-999999999-abc-" + ours:  {true, true},  // not hidden: somebody's own

		".x" + mark + "odd": {true, true},
	} {
		path := filepath.Join(root, name)
		must(t, os.MkdirAll(filepath.Join(path, "sub"), 0o755))
		if want.lock {
			must(t, os.WriteFile(path+lockSuffix, nil, 0o644))
		}
		_, _, err := Clean(root, ours)
		must(t, err)
		_, lost := os.Lstat(path)
		if (lost == nil) != want.stays {
			t.Errorf("%s: stays %v, want %v", name, lost == nil, want.stays)
		}
		if _, err := os.Lstat(path + lockSuffix); want.lock && (err == nil) != want.stays {
			t.Errorf("%s: its lock stays %v, want %v", name, err == nil, want.stays)
		}
	}
	if _, err := os.Stat(s.dir); err != nil {
		t.Errorf("one's own staging folder was taken away: %v", err)
	}
	must(t, s.Discard())
}

// Two containers may have one host name and each a process of one number; what tells them apart is the
// lock, and on NFSv4 it can be had only through a handle that may be written.
func TestStagingOfAnotherContainerStays(t *testing.T) {
	root := t.TempDir()
	s, err := New(OS{}, filepath.Join(root, "out"), ours)
	must(t, err)
	theirs := filepath.Join(root, ".out"+mark+hostname()+"-999999999-abc-"+ours)
	must(t, os.Rename(s.dir, theirs))
	must(t, os.Rename(s.dir+lockSuffix, theirs+lockSuffix))
	flags, err := unix.FcntlInt(s.lock.Fd(), unix.F_GETFL, 0)
	must(t, err)
	if flags&unix.O_ACCMODE != unix.O_RDWR {
		t.Errorf("the lock is on a handle with the flags %#x, which may not be written", flags)
	}
	removed, _, err := Clean(root, ours)
	must(t, err)
	if len(removed) > 0 {
		t.Errorf("a folder was taken away that its owner still writes: %v", removed)
	}
	must(t, s.lock.Close())
	if removed, _, err = Clean(root, ours); err != nil || len(removed) != 1 {
		t.Errorf("removed %v (%v) when the owner is gone, want the folder", removed, err)
	}
}

func TestStagingLinksAreNotFollowed(t *testing.T) {
	root, other := t.TempDir(), t.TempDir()
	must(t, os.WriteFile(filepath.Join(other, "precious"), nil, 0o644))
	name := filepath.Join(root, ".x"+mark+hostname()+"-999999999-abc-"+ours)
	must(t, os.Symlink(other, name))
	must(t, os.WriteFile(name+lockSuffix, nil, 0o644))
	orphan := filepath.Join(root, ".y"+mark+hostname()+"-999999999-abc-"+ours+lockSuffix)
	must(t, os.WriteFile(orphan, nil, 0o644))
	removed, _, err := Clean(root, ours)
	must(t, err)
	if _, err := os.Stat(filepath.Join(other, "precious")); err != nil || len(removed) > 0 {
		t.Errorf("removed %v through a link: %v", removed, err)
	}
	if _, err := os.Lstat(orphan); err == nil {
		t.Error("a lock without a folder stays for ever")
	}
}

// What another has left stays, however dead its process is: only whoever left it may take it away.
func TestStagingOfAnotherOwnerStays(t *testing.T) {
	root := t.TempDir()
	dead := ".out" + mark + hostname() + "-999999999-0123abcd"
	for name, want := range map[string]bool{ // whether it stays
		dead + "-" + ours:           false,
		dead + "-" + Token("other"): true,
		dead:                        true, // an older parfait's, which nobody can tell whose
	} {
		path := filepath.Join(root, name)
		must(t, os.MkdirAll(path, 0o755))
		must(t, os.WriteFile(path+lockSuffix, nil, 0o644))
		removed, others, err := Clean(root, ours)
		must(t, err)
		_, lost := os.Lstat(path)
		if (lost == nil) != want || want != slices.Contains(others, path) || want == slices.Contains(removed, path) {
			t.Errorf("%s: there %t, removed %q, told of %q; want that it stays: %t", name, lost == nil, removed, others, want)
		}
		_, lock := os.Lstat(path + lockSuffix)
		if (lock == nil) != want {
			t.Errorf("%s: its lock is there %t, want %t", name, lock == nil, want)
		}
	}
}

package stage

import (
	"errors"
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

// A folder to go on with has one writer at a time, stays when it is closed, and is nobody's to sweep.
func TestResume(t *testing.T) {
	t.Parallel()
	target := filepath.Join(t.TempDir(), "out")
	first, begun, err := Resume(target)
	if err != nil || begun {
		t.Fatalf("a first writer: %v, begun %v; want a new folder", err, begun)
	}
	if err := os.WriteFile(first.Path("half"), []byte("1"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Resume(target); !errors.Is(err, ErrTaken) {
		t.Errorf("a second writer: %v, want that the folder is taken", err)
	}
	first.Close()
	if removed, others, err := Clean(filepath.Dir(target), Token("target", target)); err != nil || removed != nil || others != nil {
		t.Errorf("a sweep: %v %v %v, want that nothing is swept or named", removed, others, err)
	}
	second, begun, err := Resume(target)
	if err != nil || !begun {
		t.Fatalf("after the first: %v, begun %v; want its folder", err, begun)
	}
	if data, err := os.ReadFile(second.Path("half")); err != nil || string(data) != "1" {
		t.Errorf("what the first one wrote is %q (%v), want 1", data, err)
	}
	f, err := OS{}.Open(second.Path("half"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("2"), 1); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := second.Commit(true); err != nil {
		t.Fatal(err)
	}
	second.Close()
	if data, err := os.ReadFile(filepath.Join(target, "half")); err != nil || string(data) != "12" {
		t.Errorf("under the target's name there is %q (%v), want 12", data, err)
	}
	entries, err := os.ReadDir(filepath.Dir(target))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the target there is %v (%v), want nothing", entries, err)
	}
	if _, _, err := Resume(filepath.Join(target, "none", "out")); err == nil {
		t.Error("a folder was made where there is no parent")
	}
}

package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"parfait/internal/stage"
	"parfait/problem"
)

// lockless are the folders that tests take for some on a file system without locks.
var lockless sync.Map

func init() {
	try := tryLock
	tryLock = func(f *os.File) error {
		if _, there := lockless.Load(filepath.Dir(f.Name())); there {
			return syscall.ENOLCK
		}
		return try(f)
	}
}

func TestWithoutLocksWritersHoldAFolder(t *testing.T) {
	t.Parallel()
	dir := rested(t)
	onNetwork(t, dir)
	lockless.Store(dir, true)
	before, looker := opened(t, dir), opened(t, dir) // as others do who are there already
	if err := before.Write("test", set("key", "1")); problem.CodeOf(err) != CodeNoLocks || !strings.Contains(err.Error(), "NFS without its lock daemon") {
		t.Errorf("who writes without locks: %v, want code %s", err, CodeNoLocks)
	}
	if text, err := meta(looker); err != nil || text != "key=0 " {
		t.Errorf("who looks finds %q, %v", text, err)
	}
	if err := opened(t, dir).Heartbeat(true); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 3 {
		s := opened(t, dir)
		if i == 0 {
			s = before
		}
		wg.Go(func() {
			for j := range 10 {
				if err := s.Write("test", set(fmt.Sprintf("k%d-%d", i, j), "1")); err != nil {
					t.Errorf("a write beside others: %v, want it to wait for them", err)
				}
				if _, err := meta(looker); err != nil {
					t.Errorf("a look beside others: %v, want what was recorded so far", err)
				}
			}
		})
	}
	wg.Wait()
	if mode := journalMode(t, before); mode != "delete" {
		t.Errorf("it is in mode %s, want a rollback journal", mode)
	}
	text, err := meta(looker)
	if n := strings.Count(text, "k"); err != nil || n != 31 { // and key
		t.Errorf("%d keys, want 31: %q, %v", n, text, err)
	}
	// A folder that somebody has left who died is no lock.
	impatient(t, dir)
	lock := filepath.Join(dir, DatabaseFile+dotlock)
	if err := os.Mkdir(lock, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := before.Write("test", set("key", "2")); err != nil {
		t.Errorf("with a lock that was left: %v", err)
	}
	if _, err := os.Lstat(lock); err == nil {
		t.Error("a lock is left")
	}
	// And back.
	lockless.Delete(dir)
	networks.Delete(dir)
	if err := before.Heartbeat(false); err != nil {
		t.Fatal(err)
	}
	if err := before.Write("test", set("key", "3")); err != nil {
		t.Fatal(err)
	}
	if mode := journalMode(t, before); mode != "wal" {
		t.Errorf("with locks again it is in mode %s, want wal", mode)
	}
	if state, err := Check(t.Context(), dir); err != nil || len(state.Problems) > 0 {
		t.Errorf("a check says %v, %v", state.Problems, err)
	}
}

func TestWhatTheFileSystemLacksIsSaid(t *testing.T) {
	was := fileSystemOf
	defer func() { fileSystemOf = was }()
	for name, want := range map[string]string{"Lustre": "-o flock", "NFS": "lock daemon", "9p": "this is 9p", "": "the file system carries no locks"} {
		fileSystemOf = func(string) (stage.FileSystem, error) { return stage.FileSystem{Name: name}, nil }
		err := ExplainNoLocks("x", syscall.ENOLCK)
		if problem.CodeOf(err) != CodeNoLocks || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--lock=heartbeat") || !errors.Is(err, syscall.ENOLCK) {
			t.Errorf("%s: %v, want code %s, %q and the way on", name, err, CodeNoLocks, want)
		}
	}
}

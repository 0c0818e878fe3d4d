package history

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"parfait/problem"
)

// Some file systems carry no locks between processes: Lustre without -o flock, NFS without its lock daemon. Where it
// is asked for, who writes holds a folder there instead, study.db.lock, which SQLite makes and removes (its VFS
// unix-dotfile), and who looks reads the journal. That is said in the study's folder by a file, since all processes
// on all machines have to hold each other off in one way.

// Files beside the database where there are no locks.
const (
	dotlock     = ".lock"      // held by who writes
	dotlockMark = "-heartbeat" // says that it is to be so
)

// staleAfter is how long a folder stands that is no lock but what is left of one. Somebody holds it for
// milliseconds.
const staleAfter = 20 * time.Second

// markText is in the file that says so.
const markText = "The file system carries no locks: study.db is locked by the folder study.db.lock, as `parfait run --lock=heartbeat` asked.\n"

// noLocks are the errors of file systems without locks.
var noLocks = []error{syscall.ENOSYS, syscall.ENOLCK, syscall.ENOTSUP, syscall.EOPNOTSUPP}

// NoLocks says whether err is of a file system that carries no locks.
func NoLocks(err error) bool {
	for _, e := range noLocks {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// ExplainNoLocks says what the file system of the study in dir lacks, and what to do about it.
func ExplainNoLocks(dir string, err error) error {
	what, mount := "the file system carries no locks between processes", "its administrator may mount it with locks"
	on, _ := fileSystemOf(dir)
	switch on.Name {
	case "":
	case "Lustre":
		what, mount = "this is Lustre, mounted without -o flock, and carries no locks between processes", "its administrator may mount it with -o flock"
	case "NFS":
		what, mount = "this is NFS without its lock daemon, and carries no locks between processes", "its administrator may start it (rpc.statd), or mount NFS 4"
	default:
		what = "this is " + on.Name + ", and carries no locks between processes"
	}
	return &problem.Problem{
		Code: CodeNoLocks, Where: dir, What: what, Err: err,
		Fix: fmt.Sprintf("`parfait run %s --lock=heartbeat` goes by a heartbeat in run.lock alone: see that one runner is started, on one machine; otherwise %s, or copy the folder to a local disk", dir, mount),
	}
}

// locks is the error of the file system where it carries no locks; anything else tells SQLite. Who writes may try one on
// a file of his own where there is no journal.
func (o *opener) locks(writes bool) error {
	dir := filepath.Dir(o.path)
	f, err := os.OpenFile(filepath.Join(dir, JournalFile), os.O_RDONLY|openFlags, 0)
	if err != nil && writes {
		if f, err = os.CreateTemp(dir, ".parfait-locks-"); err == nil {
			defer func() { _ = os.Remove(f.Name()) }()
		}
	}
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }() // which SQLite has no lock on
	if err := tryLock(f); NoLocks(err) {
		return err
	}
	return nil
}

// tryLock has a lock of the kind that SQLite uses for a moment, but for tests.
var tryLock = func(f *os.File) error {
	return unix.FcntlFlock(f.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_RDLCK})
}

// marked says whether writers hold study.db.lock.
func (o *opener) marked() bool { return o.beside(dotlockMark) }

// Heartbeat has everybody who writes from now on hold a folder as a lock, where the file system carries no locks; or,
// with false, no longer, where it does. The caller says that there is one runner.
func (s *Store) Heartbeat(on bool) error {
	o := &opener{path: s.path}
	switch marked, without := o.marked(), o.locks(true) != nil; {
	case on && !marked && without: // who has locks may have it open with them
		return writeSynced(s.path+dotlockMark, []byte(markText))
	case !on && marked && !without:
		return os.Remove(s.path + dotlockMark)
	}
	return nil
}

// Heartbeats says whether it is so in the study in dir.
func Heartbeats(dir string) bool {
	return (&opener{path: filepath.Join(dir, DatabaseFile)}).marked()
}

// follow has db opened anew where it is to be locked in another way than when it was opened.
func (o *opener) follow(db *sql.DB) {
	o.mu.Lock()
	changed, access := o.dotfile != o.marked(), o.access
	o.mu.Unlock()
	if changed {
		o.become(access, db)
	}
}

// clear removes study.db.lock where somebody who died has left it: it stays as it is for long, though the file system
// answers all that time.
func (o *opener) clear() {
	if !o.marked() {
		return
	}
	first, err := os.Lstat(o.path + dotlock)
	if err != nil {
		return
	}
	for waited := time.Duration(0); waited < patience(o.path, staleAfter); {
		begin := time.Now()
		time.Sleep(staleAfter / 200)
		now, err := os.Lstat(o.path + dotlock)
		if err != nil || !os.SameFile(first, now) || !first.ModTime().Equal(now.ModTime()) {
			return
		}
		if took := time.Since(begin); took < staleAfter/20 {
			waited += took
		} else {
			waited = 0 // it was away, for the others too
		}
	}
	_ = os.Remove(o.path + dotlock)
}

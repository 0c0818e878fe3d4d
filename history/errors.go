package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite" // registers the driver
	sqlite3 "modernc.org/sqlite/lib"

	"parfait/internal/stage"
	"parfait/problem"
)

// Codes of problems.
const (
	CodeHistory  problem.Code = "history"   // the history cannot be read or written
	CodeBusy     problem.Code = "busy"      // another process has it
	CodeNoLocks  problem.Code = "no-locks"  // its file system carries no locks
	CodeDamaged  problem.Code = "damaged"   // it is not as it was written
	CodeForeign  problem.Code = "foreign"   // something that is not parfait's stands in the place of one of its files
	CodeSpace    problem.Code = "space"     // no room on the disk
	CodeReadOnly problem.Code = "read-only" // the folder may be looked at and not written
)

var (
	errDamaged = errors.New("the history is damaged")
	errBehind  = errors.New("the database is behind the journal")
	errNewer   = errors.New("written by a newer parfait")
)

// Damaged says whether err is about a history that is not as it was written. What we ask of SQLite is right: where it
// finds no table, or no JSON, these are damaged.
func Damaged(err error) bool {
	return errors.Is(err, errDamaged) || problem.CodeOf(err) == CodeDamaged ||
		slices.Contains([]int{sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_FORMAT}, sqliteCode(err))
}

// sqliteCode is the primary result code of an error of SQLite's, or 0.
func sqliteCode(err error) int {
	var se *sqlite.Error
	if errors.As(err, &se) {
		return se.Code() & 0xff
	}
	return 0
}

// passes are errors of the system after which a write may succeed later.
var passes = []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.ESTALE, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EINTR, syscall.EAGAIN, syscall.ETIMEDOUT}

// Passing says whether a write that failed with err may succeed later: a disk that is full, a file that
// somebody else holds, a network file system that is away.
func Passing(err error) bool {
	switch sqliteCode(err) {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL:
		return true
	}
	return slices.ContainsFunc(passes, func(e error) bool { return errors.Is(err, e) })
}

// held says whether somebody else holds the database.
func held(err error) bool {
	return slices.Contains([]int{sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}, sqliteCode(err))
}

// lockErrors are SQLite's codes for locks that the system refuses.
var lockErrors = []int{sqlite3.SQLITE_IOERR_LOCK, sqlite3.SQLITE_IOERR_UNLOCK, sqlite3.SQLITE_IOERR_RDLOCK, sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK}

// Explain says what keeps the history from being read or written, and what to do about it.
func (s *Store) Explain(err error) error {
	if err == nil || problem.CodeOf(err) != "" || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	e := &problem.Problem{Code: CodeHistory, Where: s.path, What: "the history cannot be used", Err: err}
	var se *sqlite.Error
	if errors.As(err, &se) && se.Code() == sqlite3.SQLITE_READONLY_DBMOVED {
		e.What, e.Fix = "was deleted or moved while it was in use", "put it back, or open the study where it is now"
		return e
	}
	switch {
	case Damaged(err):
		e.Code, e.What, e.Err, e.Fix = CodeDamaged, err.Error(), nil, s.repairs()
		if sqliteCode(err) != 0 {
			e.What, e.Err = errDamaged.Error(), err
		}
		return e
	case errors.Is(err, errElsewhere):
		e.What, e.Err, e.Fix = errElsewhere.Error(), nil, "history.jsonl has all that was recorded; to look into study.db itself, copy the folder, without "+DatabaseFile+dotlockMark+", to a local disk"
		return e
	case errors.Is(err, errNewer):
		e.What, e.Err, e.Fix = errNewer.Error(), nil, "update parfait"
		return e
	}
	switch code := sqliteCode(err); {
	case code == sqlite3.SQLITE_FULL, errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		e.Code, e.What, e.Fix = CodeSpace, "the disk is full, nothing more can be recorded", "free some space and run again: what is finished is safe"
	case code == sqlite3.SQLITE_READONLY, code == sqlite3.SQLITE_PERM, errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		e.Code, e.What, e.Fix = CodeReadOnly, "the study may be looked at here and not changed", stage.Unlock(s.Dir())
	case code == sqlite3.SQLITE_CANTOPEN:
		e.Fix = "is the folder there, and may you read study.db in it?"
		if unix.Access(filepath.Dir(s.path), unix.X_OK) == nil && stage.Writable(filepath.Dir(s.path)) != nil {
			e.Code, e.What, e.Fix = CodeReadOnly, "nothing can be recorded here", stage.Unlock(s.Dir())
		}
	case held(err):
		e.Code, e.What = CodeBusy, "another process keeps the history locked"
		e.Fix = "a parfait that was suspended (ctrl-z) may hold it: let it go on with `fg`, or end it, nothing that is recorded is lost; if there is none, the file system has no locks (NFS without its lock daemon): move the study to one that has"
	case se != nil && slices.Contains(lockErrors, se.Code()):
		return ExplainNoLocks(s.Dir(), err)
	case code == sqlite3.SQLITE_IOERR, errors.Is(err, syscall.EIO):
		e.What, e.Fix = "the disk cannot be read or written", "what is finished is safe; look into the system's log (dmesg) for what is wrong with the disk, or whether `ulimit -f` allows a file of that size, then go on"
	}
	return e
}

// repairs is what to do about damage.
func (s *Store) repairs() string {
	return fmt.Sprintf("`parfait check %s` says what is damaged, `parfait repair %s` puts it right and keeps the old files", s.Dir(), s.Dir())
}

// NotOurs says that something else stands in the place of a file or folder that parfait keeps for itself.
func NotOurs(path string, fi fs.FileInfo, fix string) error {
	e := &problem.Problem{Code: CodeForeign, Where: path, Fix: fix}
	switch {
	case fi.Mode()&fs.ModeSymlink != 0:
		target, _ := os.Readlink(path)
		e.What = "is a link to " + target + ", which may be somebody else's: parfait follows no link here"
	case fi.IsDir():
		e.What = "is a folder, where a file belongs"
	case fi.Mode().IsRegular():
		e.What = "is a file, where a folder belongs"
	default:
		e.What = "is neither a file nor a folder"
	}
	return e
}

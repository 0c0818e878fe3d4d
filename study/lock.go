package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"

	"parfait/history"
	"parfait/internal/rescue"
	"parfait/internal/stage"
)

// The run lock makes sure that one process evaluates. On one machine flock decides; across machines,
// where a network file system may not carry flock, the heartbeat does: the file's time of change.
const (
	beatEvery = 2 * time.Second
	beatStale = 20 * time.Second
	// maxSkew is how far two machines' clocks may be apart: a heartbeat older than that is one of the dead.
	maxSkew = time.Hour
)

// LockMode is how a runner makes sure that it is the only one.
type LockMode string

// Ways to lock.
const (
	LockAuto      LockMode = ""          // flock and the heartbeat; refused where the file system carries no locks
	LockHeartbeat LockMode = "heartbeat" // the heartbeat alone
)

// owner is what the lock file says of the runner that holds it.
type owner struct {
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	Ready   bool      `json:"ready"` // everything that can be checked is, and the first trial may start
	Lock    LockMode  `json:"lock,omitempty"`
	beat    time.Time
}

func (o owner) same(p owner) bool {
	return o.Host == p.Host && o.PID == p.PID && o.Started.Equal(p.Started)
}

// alive says whether the runner is at work, as far as can be seen at once: a heartbeat lately, by this
// machine's clock, and on this machine the process.
func (o owner) alive() bool {
	if o.PID == 0 || time.Since(o.beat).Abs() > beatStale {
		return false
	}
	if host, err := os.Hostname(); err == nil && host == o.Host {
		return !errors.Is(syscall.Kill(o.PID, 0), syscall.ESRCH)
	}
	return true
}

// beating says whether the owner's heart beats within the given time, whatever the clocks say.
func (o owner) beating(ctx context.Context, dir string, within time.Duration) bool {
	tick := time.NewTicker(within / 20)
	defer tick.Stop()
	for end := time.After(within); ; {
		select {
		case <-ctx.Done():
			return false
		case <-end:
			return false
		case <-tick.C:
			if now := readOwner(dir); now.PID != 0 && !now.beat.Equal(o.beat) {
				return true
			}
		}
	}
}

func (o owner) busy(dir string) error {
	what := "another runner is at work here"
	if o.PID != 0 {
		what += fmt.Sprintf(" (process %d on %s since %s)", o.PID, o.Host, o.Started.Local().Format("15:04:05"))
	}
	return &Error{Code: CodeBusy, Where: dir, What: what, Fix: "look on with `parfait " + dir + "`, or stop that one first"}
}

func lockPath(dir string) string { return filepath.Join(dir, lockFile) }

// lockFile is the name of the file that says who runs a study.
const lockFile = "run.lock"

// lockFlags open it: for reading and writing, since NFSv4 gives an exclusive lock to nobody who could not
// write (EBADF); never what a link points to, which is somebody else's file; without waiting for the other
// end of a pipe.
const (
	lockFlags = os.O_RDWR | os.O_CREATE | lockReads
	lockReads = unix.O_NOFOLLOW | unix.O_NONBLOCK
)

// readOwner says who runs the study, as far as the lock file tells: nobody where it cannot be read.
func readOwner(dir string) owner {
	o, _ := ownerOf(dir)
	return o
}

// ownerOf is what the lock file says. A file that says nothing of use is no error, and nobody's.
func ownerOf(dir string) (owner, error) {
	f, err := os.OpenFile(lockPath(dir), os.O_RDONLY|lockReads, 0)
	if err != nil {
		return owner{}, err
	}
	defer func() { _ = f.Close() }()
	fi, err := f.Stat()
	if err != nil {
		return owner{}, err
	}
	b, err := io.ReadAll(io.LimitReader(f, lockSize))
	var o owner
	if json.Unmarshal(b, &o) != nil || o.PID < 0 {
		o = owner{}
	}
	o.beat = fi.ModTime()
	return o, err
}

// lockSize is how much the lock file holds: one write of always the same length, so that nobody reads half.
const lockSize = 512

// runLock is held by the runner.
type runLock struct {
	dir  string
	mine owner
	stop chan struct{}
	over rescue.Group

	mu   sync.Mutex // the lock file is written by the heartbeat and by ready
	lock *flock.Flock
}

// GoByHeartbeat has everybody write without the locks of the file system, where it carries none: see LockHeartbeat.
func (s *Study) GoByHeartbeat() error { return s.store.Explain(s.store.Heartbeat(true)) }

// takeLock is takeLockBy in the way of the last runner.
func takeLock(ctx context.Context, dir string, check func() error, lost func(error)) (*runLock, error) {
	mode := LockAuto
	if history.Heartbeats(dir) {
		mode = LockHeartbeat
	}
	return takeLockBy(ctx, dir, mode, check, lost)
}

// takeLockBy takes the run lock and beats until release, or says who holds it. Should it be lost meanwhile
// (another machine's runner at work), or check fail, which is called with every beat, lost is called with
// the reason, once.
func takeLockBy(ctx context.Context, dir string, mode LockMode, check func() error, lost func(error)) (*runLock, error) {
	host, _ := os.Hostname()
	before := readOwner(dir)
	lock, err := tryLock(dir, mode)
	if err != nil {
		return nil, err
	}
	if before.PID != 0 && (before.Host != host || lock == nil || before.Lock == LockHeartbeat) { // what flock does not see
		young := time.Since(before.beat).Abs() < maxSkew
		if before.alive() || (before.Host != host && young && before.beating(ctx, dir, beatStale)) {
			unlock(lock)
			return nil, before.busy(dir)
		}
	}
	r := &runLock{dir: dir, lock: lock, mine: owner{Host: host, PID: os.Getpid(), Started: time.Now().UTC(), Lock: mode}, stop: make(chan struct{})}
	if err := r.write(); err != nil {
		unlock(lock)
		return nil, err
	}
	if err := r.alone(ctx); err != nil {
		return nil, err
	}
	r.over.Go(func() { r.beat(check, lost) })
	return r, nil
}

// alone makes sure, where the heartbeat decides alone, that nobody took the lock in the same moment: who wrote last has
// it.
func (r *runLock) alone(ctx context.Context) error {
	if r.lock != nil {
		return nil
	}
	select {
	case <-ctx.Done():
	case <-time.After(beatEvery):
	}
	if o := readOwner(r.dir); o.PID != 0 && !o.same(r.mine) {
		return o.busy(r.dir)
	}
	return nil
}

// tryLock returns the lock, or an error that says who holds it. Nil where the heartbeat is to decide alone.
func tryLock(dir string, mode LockMode) (*flock.Flock, error) {
	if fi, err := os.Lstat(lockPath(dir)); err == nil && !fi.Mode().IsRegular() {
		return nil, history.NotOurs(lockPath(dir), fi, "delete it: a runner makes its own")
	}
	if mode == LockHeartbeat {
		return nil, nil //nolint:nilnil // as documented
	}
	l := flock.New(lockPath(dir), flock.SetFlag(lockFlags), flock.SetPermissions(0o666)) // others look at it too
	ok, err := l.TryLock()
	if errors.Is(err, syscall.EBADF) || errors.Is(err, syscall.EIO) || errors.Is(err, syscall.ESTALE) {
		ok, err = l.TryLock() // on a new handle: NFS may have lost what it knew of the first
	}
	switch {
	case history.NoLocks(err), errors.Is(err, syscall.EBADF):
		return nil, history.ExplainNoLocks(dir, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return nil, mayNotLock(dir, err)
	case err != nil:
		return nil, &Error{Code: CodeBusy, Where: lockPath(dir), What: "cannot be locked", Err: err, Fix: "try again; if it stays so, run the study on another file system"}
	case !ok:
		return nil, readOwner(dir).busy(dir)
	}
	return l, nil
}

// mayNotLock says why this person's runner cannot have the lock: one of somebody else's is at work, its file
// is in the way, or nothing may be written here at all.
func mayNotLock(dir string, err error) error {
	if o := readOwner(dir); o.alive() {
		return o.busy(dir)
	}
	if _, there := os.Lstat(lockPath(dir)); there == nil && stage.Writable(dir) == nil {
		return &Error{
			Code: CodeReadOnly, Where: lockPath(dir), What: "may not be written: it is left from a runner of somebody else's", Err: err,
			Fix: "no runner is at work: delete it; where several people run the study, have them share a group and a umask of 002",
		}
	}
	return &Error{Code: CodeReadOnly, Where: dir, What: "a runner must be able to write here", Err: err, Fix: stage.Unlock(dir)}
}

func unlock(l *flock.Flock) {
	if l != nil {
		_ = l.Unlock()
	}
}

// write says in the lock file who we are.
func (r *runLock) write() error {
	f, err := os.OpenFile(lockPath(r.dir), lockFlags, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(fmt.Appendf(nil, "%-*s\n", lockSize-1, mustJSON(r.mine)), 0)
	if err = errors.Join(err, f.Close()); err != nil {
		code := CodeReadOnly
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			code = CodeSpace
		}
		return &Error{Code: code, Where: lockPath(r.dir), What: "cannot be written", Err: err}
	}
	return nil
}

// ready tells whoever started this runner that it has passed its checks.
func (r *runLock) ready() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mine.Ready = true
	return r.write()
}

func (r *runLock) beat(check func() error, lost func(error)) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-tick.C:
			if err := errors.Join(r.renew(), check()); err != nil {
				lost(err)
				return
			}
		}
	}
}

// renew beats once. A lock file that is gone is made again, unless somebody else was faster.
func (r *runLock) renew() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, err := ownerOf(r.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && o.PID == 0 && !r.holds():
		if _, err := os.Stat(r.dir); errors.Is(err, fs.ErrNotExist) {
			return notAStudy(r.dir, err)
		}
		unlock(r.lock) // of a file that nobody else can find
		if r.lock, err = tryLock(r.dir, r.mine.Lock); err != nil {
			return err
		}
		return r.write()
	case err != nil:
		return nil // a file system that is away comes back
	case o.PID == 0:
		return r.write()
	case !o.same(r.mine):
		return o.busy(r.dir)
	}
	touch(lockPath(r.dir))
	return nil
}

// touch sets the file's times to this machine's clock, not the file server's. A link stays as it is.
func touch(path string) {
	if ts, err := unix.TimeToTimespec(time.Now()); err == nil {
		_ = unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
	}
}

// holds says whether the file that is locked is the one that everybody sees.
func (r *runLock) holds() bool {
	if r.lock == nil {
		return true
	}
	ours, err := r.lock.Stat()
	if err != nil {
		return false
	}
	seen, err := os.Lstat(lockPath(r.dir))
	return err == nil && os.SameFile(ours, seen)
}

// release ends the heartbeat and leaves the lock to the next.
func (r *runLock) release() {
	close(r.stop)
	r.over.Wait()
	if readOwner(r.dir).same(r.mine) {
		if f, err := os.OpenFile(lockPath(r.dir), os.O_WRONLY|os.O_TRUNC|lockReads, 0); err == nil {
			_ = f.Close()
		}
	}
	unlock(r.lock)
}

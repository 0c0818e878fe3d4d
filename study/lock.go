package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// The run lock makes sure that one process evaluates. On one machine flock decides; across machines,
// where a network file system may not carry flock, the heartbeat does: the file's time of change.
const (
	beatEvery = 2 * time.Second
	beatStale = 20 * time.Second
)

// owner is what the lock file says of the runner that holds it.
type owner struct {
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	beat    time.Time
}

func (o owner) alive() bool {
	if o.PID == 0 || time.Since(o.beat) > beatStale {
		return false
	}
	if host, err := os.Hostname(); err == nil && host == o.Host {
		return !errors.Is(syscall.Kill(o.PID, 0), syscall.ESRCH)
	}
	return true
}

func lockPath(dir string) string { return filepath.Join(dir, "run.lock") }

// readOwner says who runs the study, as far as the lock file tells.
func readOwner(dir string) owner {
	var o owner
	b, err := os.ReadFile(lockPath(dir))
	if err != nil || json.Unmarshal(b, &o) != nil {
		return owner{}
	}
	if fi, err := os.Stat(lockPath(dir)); err == nil {
		o.beat = fi.ModTime()
	}
	return o
}

// runLock is held by the runner.
type runLock struct {
	dir  string
	lock *flock.Flock
}

// takeLock takes the run lock and beats until ctx ends, or says who holds it.
func takeLock(ctx context.Context, dir string) (*runLock, error) {
	path := lockPath(dir)
	before := readOwner(dir)
	l := flock.New(path)
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be locked: %w (is the study's folder writable?)", path, err)
	}
	host, _ := os.Hostname()
	if !ok || (before.alive() && before.Host != host) {
		if ok {
			_ = l.Unlock()
		}
		o := readOwner(dir)
		return nil, &Error{Code: CodeBusy, Where: dir, What: fmt.Sprintf("another runner is at work here (process %d on %s since %s)",
			o.PID, o.Host, o.Started.Local().Format("15:04:05")), Fix: "look on with `parfait " + dir + "`, or stop that one first"}
	}
	b := mustJSON(owner{Host: host, PID: os.Getpid(), Started: time.Now().UTC()})
	if err := os.WriteFile(path, []byte(b), 0o644); err != nil {
		_ = l.Unlock()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r := &runLock{dir: dir, lock: l}
	go r.beat(ctx)
	return r, nil
}

func (r *runLock) beat(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case t := <-tick.C:
			if err := os.Chtimes(lockPath(r.dir), t, t); errors.Is(err, fs.ErrNotExist) {
				return // the study was deleted under us
			}
		}
	}
}

func (r *runLock) release() {
	_ = os.Truncate(lockPath(r.dir), 0)
	_ = r.lock.Unlock()
}

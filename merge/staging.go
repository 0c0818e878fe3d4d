package merge

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stagingMark is part of the names of folders that are being written: .NAME.parfait-staging-HOST-PID-N
// beside the target NAME. Their owner holds a lock (flock) on the file of that name with lockSuffix,
// beside the folder too, so that what appears under the target's name never has anything else in it.
// It is open for writing: NFSv4 gives no exclusive lock on what is open for reading, and so on no folder.
const (
	stagingMark = ".parfait-staging-"
	lockSuffix  = ".lock"
)

// stage is a folder that becomes the target by one rename, or disappears.
type stage struct {
	disk   disk
	target string
	dir    string
	lock   *os.File
	done   bool
}

// newStage makes the staging folder for a target, whose parent folder must exist.
func newStage(d disk, target string) (*stage, error) {
	base := filepath.Base(target)
	name := fmt.Sprintf(".%s%s%s-%d-%08x", base[:min(len(base), 100)], stagingMark, hostname(), os.Getpid(), rand.Uint32())
	s := &stage{disk: d, target: target, dir: filepath.Join(filepath.Dir(target), name)}
	if f, err := os.OpenFile(s.dir+lockSuffix, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644); err == nil {
		_ = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) // where there are no locks nobody sweeps for a day
		s.lock = f
	}
	if err := d.Mkdir(s.dir); err != nil {
		s.close()
		return nil, writeProblem(s.dir, err)
	}
	return s, nil
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

// commit makes the folder appear under its name.
func (s *stage) commit(durable bool) error {
	if durable {
		if err := s.disk.SyncDir(s.dir); err != nil {
			return writeProblem(s.dir, err)
		}
	}
	if err := s.disk.Rename(s.dir, s.target); err != nil {
		return writeProblem(s.target, err)
	}
	s.done = true
	if durable {
		if err := s.disk.SyncDir(filepath.Dir(s.target)); err != nil {
			return writeProblem(filepath.Dir(s.target), err)
		}
	}
	return nil
}

// discard removes whatever there is, under either name.
func (s *stage) discard() error {
	dir := s.dir
	if s.done {
		dir = s.target
	}
	err := s.disk.RemoveAll(dir)
	s.close()
	if err != nil {
		return writeProblem(dir, err)
	}
	return nil
}

// close gives the lock back.
func (s *stage) close() {
	if s.lock != nil {
		_ = os.Remove(s.lock.Name())
		_ = s.lock.Close()
		s.lock = nil
	}
}

// renameChecked renames where the system has no rename that refuses to replace.
func renameChecked(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: os.ErrExist}
	}
	return os.Rename(from, to)
}

// CleanStaging removes from dir what writers left there that died before they were done, and returns
// the folders it removed. What somebody holds the lock of stays, and what another machine made, or what
// no lock can be had on, does so for a day.
func CleanStaging(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, Problem{CodeOpen, dir, reason(err), "a folder", ""}
	}
	var removed []string
	var errs []error
	for _, e := range entries {
		name, isLock := strings.CutSuffix(e.Name(), lockSuffix)
		path := filepath.Join(dir, name)
		if !strings.HasPrefix(name, ".") || !strings.Contains(name, stagingMark) {
			continue
		}
		if isLock {
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				continue // it goes with its folder
			}
		} else if !e.IsDir() { // links are not followed
			continue
		}
		if !abandoned(path) {
			continue
		}
		if err := errors.Join(os.RemoveAll(path), removeIf(path+lockSuffix)); err != nil {
			errs = append(errs, writeProblem(path, err))
			continue
		}
		if !isLock {
			removed = append(removed, path)
		}
	}
	return removed, errors.Join(errs...)
}

// removeIf removes a file if it is there.
func removeIf(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// abandoned says whether the owner of a staging folder is gone. Its process number is believed only with
// the lock: containers on one file system may have one host name and each a process of that number.
func abandoned(path string) bool {
	host, pid, ok := stagingOwner(filepath.Base(path))
	if !ok {
		return false
	}
	held, known := lockHeld(path + lockSuffix)
	age := time.Since(lastChange(path))
	switch {
	case held:
		return false
	case known && host == hostname():
		return !alive(pid) || pid != os.Getpid() && age > time.Hour // a number that another process has now
	}
	return age > 24*time.Hour
}

// lockHeld says whether somebody holds the lock of a staging folder, where that can be known.
func lockHeld(path string) (held, known bool) {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false, false
	}
	defer f.Close() //nolint:errcheck // nothing was written
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	held = errors.Is(err, syscall.EWOULDBLOCK)
	return held, held || err == nil
}

// lastChange is when a folder, its lock or a file in it was last written to.
func lastChange(path string) time.Time {
	var last time.Time
	note := func(info fs.FileInfo, err error) {
		if err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	note(os.Lstat(path))
	note(os.Lstat(path + lockSuffix))
	entries, _ := os.ReadDir(path)
	for _, e := range entries {
		note(e.Info())
	}
	return last
}

// stagingOwner reads host and pid out of a staging folder's name.
func stagingOwner(name string) (host string, pid int, ok bool) {
	_, owner, _ := strings.Cut(name, stagingMark)
	parts := strings.Split(owner, "-")
	if len(parts) != 3 {
		return "", 0, false
	}
	pid, err := strconv.Atoi(parts[1])
	return parts[0], pid, err == nil && pid > 0
}

// hostname without what separates the parts of a staging folder's name.
func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "host"
	}
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || r == '/' || r < ' ' {
			return '_'
		}
		return r
	}, name)
}

func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

package merge

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stagingMark is part of the names of folders that are being written: .NAME.parfait-staging-HOST-PID-N
// beside the target NAME. Their owner holds a lock (flock) on the folder itself.
const stagingMark = ".parfait-staging-"

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
	if err := d.Mkdir(s.dir); err != nil {
		return nil, writeProblem(s.dir, err)
	}
	if f, err := os.Open(s.dir); err == nil {
		_ = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) // network file systems may refuse: the pid is then what counts
		s.lock = f
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

func (s *stage) close() {
	if s.lock != nil {
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
// the folders it removed. Those of living processes, and of other machines within a day, stay.
func CleanStaging(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, Problem{CodeOpen, dir, reason(err), "a folder", ""}
	}
	var removed []string
	var errs []error
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), ".") || !strings.Contains(e.Name(), stagingMark) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if !abandoned(path) {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			errs = append(errs, writeProblem(path, err))
			continue
		}
		removed = append(removed, path)
	}
	return removed, errors.Join(errs...)
}

// abandoned says whether the owner of a staging folder is gone: nobody holds its lock, and it is a
// process of this machine that does not live, or the folder has not changed for long.
func abandoned(path string) bool {
	host, pid, ok := stagingOwner(filepath.Base(path))
	if !ok {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil || errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), syscall.EWOULDBLOCK) {
		return false
	}
	age := time.Since(info.ModTime())
	if host == hostname() {
		return !alive(pid) || pid != os.Getpid() && age > time.Hour // a number that another process has now
	}
	return age > 24*time.Hour
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

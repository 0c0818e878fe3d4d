package stage

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// mark is part of the names of folders that are being written: .NAME.parfait-staging-HOST-PID-N-TOKEN
// beside the target NAME. The token says who writes, so that nobody sweeps what is another's. Their owner holds a lock (flock) on the file of that name with lockSuffix,
// beside the folder too, so that what appears under the target's name never has anything else in it.
// It is open for writing: NFSv4 gives no exclusive lock on what is open for reading, and so on no folder.
const (
	mark       = ".parfait-staging-"
	lockSuffix = ".lock"
)

// Folder is a folder that becomes its target by one rename, or disappears.
type Folder struct {
	disk   Disk
	target string
	dir    string
	lock   *os.File
	done   bool
}

// Token makes a token of words that say who writes.
func Token(words ...string) string {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%q", words) // a hash takes everything
	return fmt.Sprintf("%016x", h.Sum64())
}

// New makes the folder that is to become target, whose parent must exist. The token is one that [Token] makes.
func New(d Disk, target, token string) (*Folder, error) {
	base := filepath.Base(target)
	name := fmt.Sprintf(".%s%s%s-%d-%08x-%s", base[:min(len(base), 100)], mark, hostname(), os.Getpid(), rand.Uint32(), token)
	f := &Folder{disk: d, target: target, dir: filepath.Join(filepath.Dir(target), name)}
	if lock, err := os.OpenFile(f.dir+lockSuffix, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644); err == nil {
		_ = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) // where there are no locks nobody sweeps for a day
		f.lock = lock
	}
	if err := d.Mkdir(f.dir); err != nil {
		f.Close()
		return nil, &Error{f.dir, err}
	}
	return f, nil
}

// ErrTaken says that somebody writes the folder.
var ErrTaken = errors.New("another process is writing it")

// Resume is New for work that goes on where its last writer stopped: the folder's name is the same every time, and nobody
// sweeps it. begun says whether it was there. With [Folder.Close] it stays for the next one; [ErrTaken] is the error while
// somebody has it.
func Resume(target string) (f *Folder, begun bool, err error) {
	f = &Folder{disk: OS{}, target: target, dir: filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+".parfait-unfinished")}
	path := f.dir + lockSuffix
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, false, &Error{path, err}
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) || err == nil && !stillThere(lock) {
		return nil, false, errors.Join(ErrTaken, lock.Close())
	}
	f.lock = lock
	switch err := os.Mkdir(f.dir, 0o755); {
	case errors.Is(err, fs.ErrExist):
		return f, true, nil
	case err != nil:
		f.Close()
		return nil, false, &Error{f.dir, err}
	}
	return f, false, nil
}

// stillThere says whether a file is the one of its name: another process may have taken it away before the lock was had.
func stillThere(f *os.File) bool {
	mine, err := f.Stat()
	theirs, other := os.Stat(f.Name())
	return err == nil && other == nil && os.SameFile(mine, theirs)
}

// Existing is a folder that stands already, to be looked at through a disk of one's own.
func Existing(d Disk, dir string) *Folder { return &Folder{disk: d, dir: dir, target: dir} }

// Path is where a file of the folder is until Commit.
func (f *Folder) Path(name string) string { return filepath.Join(f.dir, name) }

// Create makes a file in the folder, and the folders of its name.
func (f *Folder) Create(name string) (File, error) {
	for i, c := range name {
		if c != filepath.Separator {
			continue
		}
		if err := f.disk.Mkdir(f.Path(name[:i])); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, &Error{f.Path(name[:i]), err}
		}
	}
	file, err := f.disk.Create(f.Path(name))
	if err != nil {
		return nil, &Error{f.Path(name), err}
	}
	return file, nil
}

// Write makes a file of what from gives, and returns its size. Durable waits until it is on the disk. A
// failure to read is a *ReadError.
func (f *Folder) Write(name string, from io.Reader, durable bool) (size int64, err error) {
	file, err := f.Create(name)
	if err != nil {
		return 0, err
	}
	size, err = copyTo(file, from)
	if err == nil && durable {
		err = file.Sync()
	}
	for dir := filepath.Dir(name); err == nil && durable && dir != "."; dir = filepath.Dir(dir) {
		err = f.disk.SyncDir(f.Path(dir))
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return size, &Error{f.Path(name), err}
	}
	return size, nil
}

// ReadError says that what was to be copied cannot be read.
type ReadError struct{ Err error }

func (e *ReadError) Error() string { return "what is to be copied cannot be read: " + e.Err.Error() }

// Unwrap gives the error of the reader.
func (e *ReadError) Unwrap() error { return e.Err }

func copyTo(file File, from io.Reader) (at int64, err error) {
	buf := make([]byte, 256<<10)
	for {
		n, err := io.ReadFull(from, buf)
		if n > 0 {
			if _, err := file.WriteAt(buf[:n], at); err != nil {
				return at, err
			}
			at += int64(n)
		}
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return at, nil
		case err != nil:
			return at, &ReadError{err}
		}
	}
}

// Commit makes the folder appear under its name. Where durable, it and its parent are on the disk then.
func (f *Folder) Commit(durable bool) error {
	if durable {
		if err := f.disk.SyncDir(f.dir); err != nil {
			return &Error{f.dir, err}
		}
	}
	if err := f.disk.Rename(f.dir, f.target); err != nil {
		return &Error{f.target, err}
	}
	f.done = true
	if durable {
		if err := f.disk.SyncDir(filepath.Dir(f.target)); err != nil {
			return &Error{filepath.Dir(f.target), err}
		}
	}
	return nil
}

// Discard removes whatever there is, under either name.
func (f *Folder) Discard() error {
	dir := f.dir
	if f.done {
		dir = f.target
	}
	err := f.disk.RemoveAll(dir)
	f.Close()
	if err != nil {
		return &Error{dir, err}
	}
	return nil
}

// Close gives the lock back.
func (f *Folder) Close() {
	if f.lock != nil {
		_ = os.Remove(f.lock.Name())
		_ = f.lock.Close()
		f.lock = nil
	}
}

// Error says which path could not be written.
type Error struct {
	Path string
	Err  error
}

func (e *Error) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap gives the error of the disk.
func (e *Error) Unwrap() error { return e.Err }

// renameChecked renames where the system has no rename that refuses to replace.
func renameChecked(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: os.ErrExist}
	}
	return os.Rename(from, to)
}

// Clean removes from dir what writers with this token left there that died before they were done, and returns the
// folders it removed, and those that other writers have left, which stay. What somebody holds the lock of stays, and what
// another machine made, or what no lock can be had on, does so for a day.
func Clean(dir, token string) (removed, others []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	var errs []error
	for _, e := range entries {
		name, isLock := strings.CutSuffix(e.Name(), lockSuffix)
		path := filepath.Join(dir, name)
		if !strings.HasPrefix(name, ".") || !strings.Contains(name, mark) {
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
		if !strings.HasSuffix(name, "-"+token) {
			if !isLock {
				others = append(others, path)
			}
			continue
		}
		if err := errors.Join(os.RemoveAll(path), removeIf(path+lockSuffix)); err != nil {
			errs = append(errs, &Error{path, err})
			continue
		}
		if !isLock {
			removed = append(removed, path)
		}
	}
	return removed, others, errors.Join(errs...)
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
	host, pid, ok := owner(filepath.Base(path))
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

// owner reads host and pid out of a staging folder's name.
func owner(name string) (host string, pid int, ok bool) {
	_, of, _ := strings.Cut(name, mark)
	parts := strings.Split(of, "-")
	if len(parts) != 4 && len(parts) != 3 { // older ones have no token
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

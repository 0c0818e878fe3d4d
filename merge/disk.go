package merge

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/zeebo/xxh3"
)

// disk is what outputs are written to; tests put one in its place that fails at the n-th operation.
type disk interface {
	Mkdir(path string) error
	Create(path string) (outFile, error) // fails where path exists
	Rename(from, to string) error        // fails where to exists
	SyncDir(path string) error
	RemoveAll(path string) error
}

// outFile is a file that is being written.
type outFile interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Allocate(size int64) error // makes the file size bytes long, and takes the space where it can
	Sync() error
}

// osDisk is the operating system's.
type osDisk struct{}

func (osDisk) Mkdir(path string) error { return os.Mkdir(path, 0o755) }

func (osDisk) Create(path string) (outFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osDisk) Rename(from, to string) error { return renameNew(from, to) }

func (osDisk) SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) { // file systems without it
		err = nil
	}
	return errors.Join(err, d.Close())
}

func (osDisk) RemoveAll(path string) error { return os.RemoveAll(path) }

type osFile struct{ *os.File }

func (f osFile) Allocate(size int64) error {
	if err := allocate(f.File, size); err != nil {
		return err
	}
	return f.Truncate(size)
}

// writeFile writes a file from its beginning to its end and returns its size and digest.
func writeFile(d disk, path string, from io.Reader, durable bool) (int64, string, error) {
	f, err := d.Create(path)
	if err != nil {
		return 0, "", writeProblem(path, err)
	}
	at, h, buf := int64(0), xxh3.New(), make([]byte, 256<<10)
	for err == nil {
		var n int
		if n, err = io.ReadFull(from, buf); n == 0 {
			break
		}
		_, _ = h.Write(buf[:n])
		_, writeErr := f.WriteAt(buf[:n], at)
		if at += int64(n); writeErr != nil {
			return at, "", errors.Join(writeProblem(path, writeErr), f.Close())
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	if err != nil {
		return at, "", errors.Join(Problem{CodeRead, path, "what is to be copied there cannot be read: " + reason(err), "a file that can be read to its end", "take a good copy"}, f.Close())
	}
	if durable {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return at, "", writeProblem(path, err)
	}
	return at, digestText(h.Sum128()), nil
}

// writeProblem says what a failed write means to a person.
func writeProblem(path string, err error) error {
	var known Problem
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return Problem{CodeSpace, path, "the disk (or the quota) is full", "", "make room or write somewhere else; nothing was left behind"}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return Problem{CodePermission, path, "it may not be written: " + reason(err), "a folder that may be written", "choose another folder or change its permissions"}
	case errors.Is(err, fs.ErrExist), errors.Is(err, syscall.ENOTEMPTY):
		return Problem{CodeExists, path, "it exists already", "a new folder: nothing is ever overwritten", "choose another name or move the old one away"}
	}
	return Problem{CodeWrite, path, "it cannot be written: " + reason(err), "", "check the disk; nothing was left behind"}
}

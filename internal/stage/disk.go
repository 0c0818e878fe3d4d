package stage

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// Disk is what is written to; tests put one in its place that fails at the n-th operation.
type Disk interface {
	Mkdir(path string) error
	Create(path string) (File, error) // fails where path exists
	Rename(from, to string) error     // fails where to exists
	SyncDir(path string) error
	RemoveAll(path string) error
}

// File is a file that is being written.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Allocate(size int64) error // makes the file size bytes long, and takes the space where it can
	Sync() error
}

// OS is the operating system's disk.
type OS struct{}

// Mkdir implements Disk.
func (OS) Mkdir(path string) error { return os.Mkdir(path, 0o755) }

// Create implements Disk.
func (OS) Create(path string) (File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Open opens a file to go on writing it, and makes it where it is not there.
func (OS) Open(path string) (File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Rename implements Disk.
func (OS) Rename(from, to string) error { return renameNew(from, to) }

// SyncDir implements Disk.
func (OS) SyncDir(path string) error {
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

// RemoveAll implements Disk.
func (OS) RemoveAll(path string) error { return os.RemoveAll(path) }

type osFile struct{ *os.File }

func (f osFile) Allocate(size int64) error {
	if err := allocate(f.File, size); err != nil {
		return err
	}
	return f.Truncate(size)
}

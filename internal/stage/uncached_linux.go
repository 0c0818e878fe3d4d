package stage

import (
	"errors"
	"io"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// openUncached opens a file past the cache, which also takes less of the processor; where the file system does not have
// that, it asks the system to forget the file first.
func openUncached(path string) (Uncached, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECT, 0)
	if err == nil {
		d := &direct{f: f}
		if _, err = d.read(blocks(block), 0); err == nil {
			return d, nil
		}
		_ = f.Close()
	}
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	if f, err = os.Open(path); err != nil {
		return nil, err
	}
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
	return f, nil
}

// block is what direct reads are aligned to, in the file and in memory: no disk or file system asks for more.
const block = 4096

// blocks are n bytes, a multiple of block, which begin at a multiple of it.
func blocks(n int) []byte {
	b := make([]byte, n+block)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (block - 1)
	return b[skip : skip+n : skip+n]
}

// direct is a file that was opened with O_DIRECT.
type direct struct {
	f       *os.File
	buffers sync.Pool // of *[]byte, as blocks makes them
}

func (d *direct) Close() error { return d.f.Close() }

// ReadAt reads the blocks that p lies in, and copies.
func (d *direct) ReadAt(p []byte, off int64) (int, error) {
	start := off &^ (block - 1)
	skip := int(off - start)
	size := (skip + len(p) + block - 1) &^ (block - 1)
	buf, ok := d.buffers.Get().(*[]byte)
	if !ok || cap(*buf) < size {
		b := blocks(size)
		buf = &b
	}
	defer d.buffers.Put(buf)
	got, err := d.read((*buf)[:size], start)
	if err != nil {
		return 0, &os.PathError{Op: "read", Path: d.f.Name(), Err: err}
	}
	n := copy(p, (*buf)[min(skip, got):got])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// read fills p, or reads to the file's end.
func (d *direct) read(p []byte, off int64) (got int, err error) {
	for got < len(p) {
		n, err := unix.Pread(int(d.f.Fd()), p[got:], off+int64(got))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return got, err
		}
		got += n
		if n == 0 || got%block != 0 { // the file's end
			break
		}
	}
	return got, nil
}

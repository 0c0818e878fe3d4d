package safetensors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Source is where a file's bytes come from.
type Source interface {
	io.ReaderAt
	io.Closer
}

// File is an opened safetensors file whose header has passed every check. Its methods may be called
// from several goroutines, Close excepted.
type File struct {
	path   string
	source Source
	size   int64
	header *header
	info   fs.FileInfo // as opened; nil if the source is not a file of the system
}

// Open reads and checks the header of the file at path. All that is wrong with the tensors is reported
// at once; every error is or joins *FormatError. Memory: a small multiple of the header, at most 100 MB
// of JSON.
func Open(path string) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	if !info.Mode().IsRegular() { // a pipe would block for ever
		return nil, &FormatError{Path: path, Code: NotRegular, Msg: "expected a file, found " + kind(info.Mode())}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	if info, err = f.Stat(); err != nil {
		return nil, errors.Join(unreadable(path, err), f.Close())
	}
	file, err := NewFile(path, f, info.Size())
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	file.info = info
	return file, nil
}

// NewFile is Open for bytes that come from elsewhere: size bytes of source, called path in errors.
// On success the file closes source; on error the caller does.
func NewFile(path string, source Source, size int64) (*File, error) {
	fail := func(code Code, format string, args ...any) (*File, error) {
		return nil, &FormatError{Path: path, Code: code, Msg: fmt.Sprintf(format, args...)}
	}
	var start [lengthBytes + 1]byte
	got := start[:min(size, int64(len(start)))]
	if err := readFull(source, got, 0); err != nil {
		return nil, unreadable(path, err)
	}
	if found := foreign(got, path); found != "" {
		return fail(NotThisKind, "expected a safetensors file, found %s", found)
	}
	if size < lengthBytes {
		return fail(TooSmall, "a safetensors file has at least 8 bytes, this one has %d", size)
	}
	length := binary.LittleEndian.Uint64(start[:])
	switch {
	case length == 0:
		return fail(HeaderLength, "the header has length 0")
	case length > maxHeader:
		return fail(HeaderLength, "the header would have %d bytes, the format allows %d: this is no safetensors file or it is damaged", length, maxHeader)
	case length > uint64(size-lengthBytes):
		return fail(HeaderLength, "the header would have %d bytes, the file has %d after its length: it is cut short (copy or download it again)", length, size-lengthBytes)
	case start[lengthBytes] != '{': // before memory is taken for it
		return fail(HeaderStart, "expected the header to begin with '{', found %q: this is no safetensors file", start[lengthBytes])
	}
	data := make([]byte, length)
	if err := readFull(source, data, lengthBytes); err != nil {
		return nil, unreadable(path, err)
	}
	h, err := parseHeader(path, data, size-lengthBytes-int64(length))
	if err != nil {
		return nil, err
	}
	return &File{path: path, source: source, size: size, header: h}, nil
}

// Path is the path that the file was opened with.
func (f *File) Path() string { return f.path }

// Size is the length of the whole file in bytes.
func (f *File) Size() int64 { return f.size }

// Tensors lists the tensors in the order of the file. The slice belongs to the file: do not change it.
func (f *File) Tensors() []Tensor { return f.header.tensors }

// Tensor finds a tensor by name.
func (f *File) Tensor(name string) (Tensor, bool) {
	i, ok := f.header.byName[name]
	if !ok {
		return Tensor{}, false
	}
	return f.header.tensors[i], true
}

// Metadata is the map in __metadata__, nil if the file has none. It belongs to the file.
func (f *File) Metadata() map[string]string { return f.header.metadata }

// ReadAt reads len(p) bytes from offset off of the file (a Tensor's Offset counts from the same place).
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.source.ReadAt(p, off)
	if err != nil && n == len(p) {
		err = nil
	}
	if err != nil {
		return n, unreadable(f.path, fmt.Errorf("%d bytes at offset %d: %w", len(p), off, err))
	}
	return n, nil
}

// Bytes reads a whole tensor into memory.
func (f *File) Bytes(t Tensor) ([]byte, error) {
	p := make([]byte, t.Size)
	_, err := f.ReadAt(p, t.Offset)
	return p, err
}

// Unchanged is nil while size and modification time of the open file are those it was opened with.
func (f *File) Unchanged() error {
	now, ok := f.source.(interface{ Stat() (fs.FileInfo, error) })
	if !ok || f.info == nil {
		return nil
	}
	info, err := now.Stat()
	if err != nil {
		return unreadable(f.path, err)
	}
	if info.Size() != f.info.Size() || !info.ModTime().Equal(f.info.ModTime()) {
		return &FormatError{Path: f.path, Code: Changed, Msg: fmt.Sprintf(
			"the file changed while it was read: %d bytes of %s when opened, %d bytes of %s now; start again when nothing writes to it",
			f.info.Size(), f.info.ModTime().Format("15:04:05.000"), info.Size(), info.ModTime().Format("15:04:05.000"))}
	}
	return nil
}

// Close closes the file.
func (f *File) Close() error { return f.source.Close() }

func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func unreadable(path string, err error) *FormatError {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) && filepath.Clean(pathErr.Path) == filepath.Clean(path) {
		err = pathErr.Err // the message names the path already
	}
	msg := "cannot read"
	if target, linkErr := os.Readlink(path); linkErr == nil && errors.Is(err, fs.ErrNotExist) {
		msg = fmt.Sprintf("it is a link to %s, which is not there (was the download interrupted, or the cache cleaned?)", target)
	}
	return &FormatError{Path: path, Code: Unreadable, Msg: msg, Err: err}
}

func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

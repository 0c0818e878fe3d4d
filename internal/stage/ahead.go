package stage

import (
	"sync/atomic"

	"parfait/internal/rescue"
)

// ahead is how many bytes of a file are written before the system is asked to begin with them.
const ahead = 64 << 20

// Ahead has the system write a file's bytes to the disk while more are computed, so that Sync has less to wait for. It is
// for files that will be synced: others may be gone before they would have to be on the disk.
func Ahead(f File) File {
	if o, ok := f.(osFile); ok && canBegin {
		return &aheadFile{osFile: o}
	}
	return f
}

type aheadFile struct {
	osFile
	written atomic.Int64
	busy    atomic.Bool
	work    rescue.Group
}

// WriteAt implements [io.WriterAt].
func (f *aheadFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.osFile.WriteAt(p, off)
	if all := f.written.Add(int64(n)); all/ahead != (all-int64(n))/ahead && f.busy.CompareAndSwap(false, true) {
		f.work.Go(func() { // it waits where the disk has enough to do
			defer f.busy.Store(false)
			begin(f.File)
		})
	}
	return n, err
}

// Sync implements [File].
func (f *aheadFile) Sync() error {
	f.work.Wait()
	return f.osFile.Sync()
}

// Close implements [io.Closer].
func (f *aheadFile) Close() error {
	f.work.Wait()
	return f.osFile.Close()
}

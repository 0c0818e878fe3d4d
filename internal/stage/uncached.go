package stage

import "io"

// Uncached is a file that is read from the disk and not from what the system remembers of it, as far as the system has a
// way to. Many may read at once.
type Uncached interface {
	io.ReaderAt
	io.Closer
}

// OpenUncached opens a file that is on the disk: what was written is synced.
func OpenUncached(path string) (Uncached, error) { return openUncached(path) }

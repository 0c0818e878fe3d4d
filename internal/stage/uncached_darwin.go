package stage

import (
	"os"

	"golang.org/x/sys/unix"
)

// openUncached opens a file whose reads the system does not keep; what it remembers of it already it may give.
func openUncached(path string) (Uncached, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	_, _ = unix.FcntlInt(f.Fd(), unix.F_NOCACHE, 1)
	return f, nil
}

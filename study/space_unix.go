//go:build unix

package study

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// freeBytes is what may still be written to the file system that holds path.
func freeBytes(path string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return 0, fmt.Errorf("%s: free space: %w", path, err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil //nolint:unconvert // the types differ between systems
}

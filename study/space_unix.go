//go:build unix

package study

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// freeBytes is what may still be written to the file system that holds path.
func freeBytes(path string) (int64, error) {
	free, _, err := space(path)
	return free, err
}

// space is what may still be written to the file system that holds path, and how large that is.
func space(path string) (free, total int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return 0, 0, fmt.Errorf("%s: free space: %w", path, err)
	}
	block := int64(st.Bsize) //nolint:unconvert // the types differ between systems
	return int64(st.Bavail) * block, int64(st.Blocks) * block, nil
}

//go:build unix

package stage

import (
	"os"

	"golang.org/x/sys/unix"
)

// Writable says why files cannot be made in dir, nil if they can.
func Writable(dir string) error { return unix.Access(dir, unix.W_OK|unix.X_OK) }

// Space is what may still be written by this user to the file system that holds path, and how large that is,
// in bytes.
func Space(path string) (free, total int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return 0, 0, &os.PathError{Op: "free space", Path: path, Err: err}
	}
	block := int64(st.Bsize) //nolint:unconvert // the types differ between systems
	return int64(st.Bavail) * block, int64(st.Blocks) * block, nil
}

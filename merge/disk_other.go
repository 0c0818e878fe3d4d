//go:build !linux

package merge

import (
	"os"

	"golang.org/x/sys/unix"
)

func renameNew(from, to string) error { return renameChecked(from, to) }

func allocate(*os.File, int64) error { return nil }

// freeSpace is what the file system of a folder has left for this user, −1 where it does not say.
func freeSpace(dir string) int64 {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return -1
	}
	return int64(s.Bavail) * int64(s.Bsize)
}

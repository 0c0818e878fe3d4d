package stage

import (
	"os"

	"golang.org/x/sys/unix"
)

// FileSystemOf says what the folder or file at path lies on.
func FileSystemOf(path string) (FileSystem, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return FileSystem{}, &os.PathError{Op: "file system", Path: path, Err: err}
	}
	return FileSystem{Name: unix.ByteSliceToString(st.Fstypename[:]), Local: st.Flags&unix.MNT_LOCAL != 0}, nil
}

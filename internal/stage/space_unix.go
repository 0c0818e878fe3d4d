//go:build unix

package stage

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Writable says why files cannot be made in dir, nil if they can.
func Writable(dir string) error { return unix.Access(dir, unix.W_OK|unix.X_OK) }

// Unlock says what to do so that files can be made in a folder in which they cannot, by what keeps them from being made:
// how it is mounted, whose it is, or that it is immutable.
func Unlock(dir string) string {
	var st unix.Statfs_t
	const readOnly = 1 // ST_RDONLY, MNT_RDONLY
	err := Writable(dir)
	switch {
	case unix.Statfs(dir, &st) == nil && st.Flags&readOnly != 0:
		return "its file system is mounted read-only: have it mounted to be written (`mount -o remount,rw`, as root), or copy the folder to where you may write"
	case errors.Is(err, unix.EPERM):
		return "it is immutable (`lsattr -d` shows i): `chattr -i` as root lets it be written, or copy the folder to where you may write"
	case err != nil:
		return "it is not yours to write in (`ls -ld` shows whose it is): have whoever owns the folder do it, or copy it"
	}
	return "have whoever owns the folder do it, or copy it"
}

// Room is what this user may still write to a file system, and how large that is.
type Room struct {
	Free, Total     int64 // bytes
	Files, AllFiles int64 // that may still be made, and in all (inodes); 0 in all where there is no such limit
}

// leastFiles is how many files a piece of work makes at once, or some more: a disk that has fewer left is full.
const leastFiles = 16

// NoFiles says whether no file more may be made, or too few to be of use, however many bytes are free.
func (r Room) NoFiles() bool { return r.AllFiles > 0 && r.Files < leastFiles }

// Stat is the room on the file system that holds path.
func Stat(path string) (Room, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return Room{}, &os.PathError{Op: "free space", Path: path, Err: err}
	}
	block := int64(st.Bsize) //nolint:unconvert // the types differ between systems
	return Room{int64(st.Bavail) * block, int64(st.Blocks) * block, int64(st.Ffree), int64(st.Files)}, nil
}

// Space is what may still be written by this user to the file system that holds path, and how large that is,
// in bytes.
func Space(path string) (free, total int64, err error) {
	r, err := Stat(path)
	return r.Free, r.Total, err
}

//go:build unix

package merge

import (
	"os"
	"syscall"
	"time"
)

// stamp tells whether a file is still the one that was opened.
type stamp struct {
	Size    int64
	ModTime time.Time
	Inode   uint64
	Device  uint64
}

func stampOf(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	s := stamp{Size: info.Size(), ModTime: info.ModTime().Round(0)}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s.Inode, s.Device = uint64(st.Ino), uint64(st.Dev) //nolint:unconvert // the types differ by system
	}
	return s, nil
}

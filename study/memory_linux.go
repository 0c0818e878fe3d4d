package study

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

func ownedByUs(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Getuid()
}

// availableMemory is how many bytes programs may still take: what the machine has, and what the control groups leave
// that this process is in.
func availableMemory() (int64, error) {
	return availableIn("/proc/meminfo", "/proc/self/cgroup", "/sys/fs/cgroup")
}

func availableIn(meminfo, cgroup, root string) (int64, error) {
	kilobytes, ok := counter(meminfo, "MemAvailable:")
	if !ok {
		return 0, errors.New(meminfo + " has no MemAvailable")
	}
	available := kilobytes << 10
	for _, dir := range groupsOf(cgroup, root) {
		if left, ok := leftIn(dir); ok {
			available = min(available, left)
		}
	}
	return max(0, available), nil
}

// groupsOf are the folders of the control groups that limit this process's memory, from its own up.
func groupsOf(cgroup, root string) (dirs []string) {
	b, err := os.ReadFile(cgroup)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(b)) { // number:controllers:path
		_, line, _ = strings.Cut(strings.TrimSpace(line), ":")
		kind, path, _ := strings.Cut(line, ":")
		if kind != "" && kind != "memory" {
			continue
		}
		for path = filepath.Clean("/" + path); ; path = filepath.Dir(path) {
			dirs = append(dirs, filepath.Join(root, kind, path))
			if path == "/" {
				break
			}
		}
	}
	return dirs
}

// leftIn is what a control group leaves; its pages of files on disks may be taken away again, and so are left.
func leftIn(dir string) (int64, bool) {
	for _, names := range [][5]string{
		{"memory.max", "memory.current", "memory.stat", "file ", "shmem "},
		{"memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat", "total_cache ", "total_shmem "},
	} {
		limit, limited := numberIn(filepath.Join(dir, names[0]))
		used, known := numberIn(filepath.Join(dir, names[1]))
		if !limited || !known {
			continue
		}
		cached, _ := counter(filepath.Join(dir, names[2]), names[3])
		shared, _ := counter(filepath.Join(dir, names[2]), names[4])
		return limit - used + max(0, cached-shared), true
	}
	return 0, false
}

// numberIn reads a file that is one number; "max" is none.
func numberIn(path string) (int64, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return n, err == nil
}

// counter reads the number behind a word at the beginning of a line.
func counter(path, word string) (n int64, ok bool) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close() //nolint:errcheck // nothing was written
	for in := bufio.NewScanner(f); in.Scan(); {
		if rest, found := strings.CutPrefix(in.Text(), word); found {
			_, err := fmt.Sscan(rest, &n)
			return n, err == nil
		}
	}
	return 0, false
}

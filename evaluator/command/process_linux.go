package command

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// bootID identifies this boot of this machine, and the namespace in which process numbers count: a
// container has numbers of its own.
func bootID() (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	return strings.TrimSpace(string(boot)) + " " + space, err
}

// lookUp asks for one process; ok is false where there is none.
func lookUp(pid int) (p process, ok bool, err error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return process{}, false, nil
	}
	if err != nil {
		return process{}, false, err
	}
	// proc_pid_stat(5): pid (name) state ppid pgrp … starttime is field 22; a name may hold anything.
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 20 {
		return process{}, false, fmt.Errorf("/proc/%d/stat: expected 22 fields or more, found %q", pid, b)
	}
	group, err := strconv.Atoi(string(fields[2]))
	state := fields[0][0]
	return process{pid: pid, group: group, start: string(fields[19]), zombie: state == 'Z' || state == 'X'}, err == nil, err
}

// members lists the living processes of a group.
func members(group int) ([]process, error) {
	d, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	names, err := d.Readdirnames(-1)
	if err := errors.Join(err, d.Close()); err != nil {
		return nil, err
	}
	var out []process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue // not a process
		}
		if p, ok, err := lookUp(pid); err == nil && ok && p.group == group && !p.zombie {
			out = append(out, p)
		}
	}
	return out, nil
}

// hasToken says whether a process was started with PARFAIT_RUN=token. One that may not be looked into was
// not, as far as anybody can know.
func hasToken(pid int, token string) bool {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
	if err != nil {
		return false
	}
	for v := range bytes.SplitSeq(b, []byte{0}) {
		if string(v) == tokenVariable+"="+token {
			return true
		}
	}
	return false
}

// punch gives the bytes of a file from … to back to the disk, where the file system can: what a command
// printed for hours and is in the log, or beyond its limit.
func punch(f *os.File, from, to int64) {
	_ = unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, from, to-from) // else it stays
}

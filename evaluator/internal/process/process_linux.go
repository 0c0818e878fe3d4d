package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// BootID identifies this boot of this machine, and the namespace in which process numbers count: a
// container has numbers of its own.
func BootID() (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	return strings.TrimSpace(string(boot)) + " " + space, err
}

// LookUp asks for one process; ok is false where there is none.
func LookUp(pid int) (p Process, ok bool, err error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return Process{}, false, nil
	}
	if err != nil {
		return Process{}, false, err
	}
	// proc_pid_stat(5): pid (name) state ppid pgrp … starttime is field 22; a name may hold anything.
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 20 {
		return Process{}, false, fmt.Errorf("/proc/%d/stat: expected 22 fields or more, found %q", pid, b)
	}
	group, err := strconv.Atoi(string(fields[2]))
	state := fields[0][0]
	return Process{PID: pid, Group: group, Start: string(fields[19]), Zombie: state == 'Z' || state == 'X'}, err == nil, err
}

// Members lists the living processes of a group, or of all where group is 0.
func Members(group int) ([]Process, error) {
	d, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	names, err := d.Readdirnames(-1)
	if err := errors.Join(err, d.Close()); err != nil {
		return nil, err
	}
	var out []Process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue // not a process
		}
		if p, ok, err := LookUp(pid); err == nil && ok && (p.Group == group || group == 0) && !p.Zombie {
			out = append(out, p)
		}
	}
	return out, nil
}

// HasEnv says whether a process was started with the variable in its environment, given as NAME=value. One
// that may not be looked into was not, as far as anybody can know.
func HasEnv(pid int, variable string) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return false
	}
	for v := range bytes.SplitSeq(b, []byte{0}) {
		if string(v) == variable {
			return true
		}
	}
	return false
}

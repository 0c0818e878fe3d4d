package process

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// BootID identifies this boot of this machine.
func BootID() (string, error) { return unix.Sysctl("kern.bootsessionuuid") }

// zombieState is SZOMB of <sys/proc.h>.
const zombieState = 5

// LookUp asks for one process; ok is false where there is none.
func LookUp(pid int) (p Process, ok bool, err error) {
	k, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if errors.Is(err, unix.EIO) || errors.Is(err, unix.ESRCH) { // an empty answer is EIO
		return Process{}, false, nil
	}
	if err != nil {
		return Process{}, false, err
	}
	return processOf(k), int(k.Proc.P_pid) == pid, nil
}

// Members lists the living processes of a group, or of all where group is 0.
func Members(group int) ([]Process, error) {
	which := "kern.proc.pgrp"
	args := []int{group}
	if group == 0 {
		which, args = "kern.proc.all", nil
	}
	all, err := unix.SysctlKinfoProcSlice(which, args...)
	if err != nil {
		return nil, err
	}
	var out []Process
	for i := range all {
		if p := processOf(&all[i]); !p.Zombie && (p.Group == group || group == 0) {
			out = append(out, p)
		}
	}
	return out, nil
}

func processOf(k *unix.KinfoProc) Process {
	return Process{
		PID:    int(k.Proc.P_pid),
		Group:  int(k.Eproc.Pgid),
		Start:  fmt.Sprintf("%d.%06d", k.Proc.P_starttime.Sec, k.Proc.P_starttime.Usec),
		Zombie: k.Proc.P_stat == zombieState,
	}
}

// HasEnv says whether a process was started with the variable in its environment, given as NAME=value. One
// that may not be looked into was not, as far as anybody can know.
func HasEnv(pid int, variable string) bool {
	b, err := unix.SysctlRaw("kern.procargs2", pid) // arguments and environment, each ended by a zero byte
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

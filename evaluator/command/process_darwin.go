package command

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// bootID identifies this boot of this machine.
func bootID() (string, error) { return unix.Sysctl("kern.bootsessionuuid") }

// zombieState is SZOMB of <sys/proc.h>.
const zombieState = 5

// lookUp asks for one process; ok is false where there is none.
func lookUp(pid int) (p process, ok bool, err error) {
	k, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if errors.Is(err, unix.EIO) || errors.Is(err, unix.ESRCH) { // an empty answer is EIO
		return process{}, false, nil
	}
	if err != nil {
		return process{}, false, err
	}
	return processOf(k), int(k.Proc.P_pid) == pid, nil
}

// members lists the living processes of a group.
func members(group int) ([]process, error) {
	all, err := unix.SysctlKinfoProcSlice("kern.proc.pgrp", group)
	if err != nil {
		return nil, err
	}
	var out []process
	for i := range all {
		if p := processOf(&all[i]); !p.zombie && p.group == group {
			out = append(out, p)
		}
	}
	return out, nil
}

func processOf(k *unix.KinfoProc) process {
	return process{
		pid:    int(k.Proc.P_pid),
		group:  int(k.Eproc.Pgid),
		start:  fmt.Sprintf("%d.%06d", k.Proc.P_starttime.Sec, k.Proc.P_starttime.Usec),
		zombie: k.Proc.P_stat == zombieState,
	}
}

// hasToken says whether a process was started with PARFAIT_RUN=token. One that may not be looked into was
// not, as far as anybody can know.
func hasToken(pid int, token string) bool {
	b, err := unix.SysctlRaw("kern.procargs2", pid) // arguments and environment, each ended by a zero byte
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

// punch would give the bytes of a file from … to back to the disk; here they stay until the run is over.
func punch(*os.File, int64, int64) {}

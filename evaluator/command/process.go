//go:build linux || darwin

package command

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"
)

// process is what the system says of one.
type process struct {
	pid    int
	group  int
	start  string // changes when a number is used again
	zombie bool
}

// leaderLives says whether the process that r tells of is still there: the same number, started at the
// same moment, since the same boot.
func (r record) leaderLives() (bool, error) {
	boot, err := bootID()
	if err != nil || boot != r.Boot {
		return false, err
	}
	p, ok, err := lookUp(r.PID)
	return ok && !p.zombie && p.start == r.Start && p.group == r.PID, err
}

// orphans lists the living processes of r's group after its leader has gone. The number of the group may
// have been used again, so each has to carry r's token in its environment.
func (r record) orphans() ([]process, error) {
	boot, err := bootID()
	if err != nil || boot != r.Boot {
		return nil, err
	}
	all, err := members(r.PID)
	return slices.DeleteFunc(all, func(p process) bool { return !hasToken(p.pid, r.Token) }), err
}

// signalGroup signals a group whose leader is known to be there, so that the number is its own.
func signalGroup(group int, s syscall.Signal) error {
	if err := syscall.Kill(-group, s); err != nil && !errors.Is(err, syscall.ESRCH) && !errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("sending %v to process group %d: %w", s, group, err)
	}
	return nil
}

// patience is how often the end of a group is looked for, and how long after SIGKILL: a process in an
// uninterruptible wait dies when the wait ends, and nobody can do more.
const (
	patience     = 10 * time.Millisecond
	lastPatience = 10 * time.Second
)

// endGroup ends every process of the group but spare (0: all of it): SIGTERM, grace, SIGKILL. The caller
// guarantees that the group is its own for so long: it has not reaped the leader, or saw it alive. ended
// may be nil; when it is closed the wait ends early.
func endGroup(group, spare int, grace time.Duration) error {
	others := func() (bool, error) {
		all, err := members(group)
		return slices.ContainsFunc(all, func(p process) bool { return p.pid != spare }), err
	}
	if some, err := others(); err != nil || !some {
		return err
	}
	if err := signalGroup(group, syscall.SIGTERM); err != nil {
		return err
	}
	if gone, err := waitUntilNot(others, grace); err != nil || gone {
		return err
	}
	if err := signalGroup(group, syscall.SIGKILL); err != nil {
		return err
	}
	gone, err := waitUntilNot(others, lastPatience)
	if err == nil && !gone {
		err = fmt.Errorf("process group %d is still there %v after SIGKILL: it waits in the kernel (a disk, a device)", group, lastPatience)
	}
	return err
}

// waitUntilNot waits until what is no more, at most so long.
func waitUntilNot(what func() (bool, error), most time.Duration) (gone bool, err error) {
	deadline := time.NewTimer(most)
	defer deadline.Stop()
	again := time.NewTicker(patience)
	defer again.Stop()
	for {
		some, err := what()
		if err != nil || !some {
			return err == nil, err
		}
		select {
		case <-again.C:
		case <-deadline.C:
			return false, nil
		}
	}
}

// signalName names the signal that a shell reports as 128 + its number, "" where status is none.
func signalName(status int) string {
	return map[int]string{
		128 + 1: "SIGHUP", 128 + 2: "SIGINT", 128 + 3: "SIGQUIT", 128 + 4: "SIGILL", 128 + 6: "SIGABRT",
		128 + int(syscall.SIGBUS): "SIGBUS", 128 + 8: "SIGFPE", 128 + 9: "SIGKILL",
		128 + 11: "SIGSEGV", 128 + 13: "SIGPIPE", 128 + 15: "SIGTERM",
	}[status]
}

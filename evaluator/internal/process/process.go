//go:build linux || darwin

// Package process finds processes of this machine, and ends whole groups of them.
//
// It knows numbers, moments of start, boots and environments, so that a process which only has got the
// number of another is never taken for it. It knows nothing of evaluations.
package process

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"
)

// Process is what the system says of one.
type Process struct {
	PID    int
	Group  int
	Start  string // when it began: another, where the number is used again
	Zombie bool   // it has ended and nobody has asked how
}

// SignalGroup signals a group whose leader is known to be there, so that the number is its own.
func SignalGroup(group int, s syscall.Signal) error {
	if err := syscall.Kill(-group, s); err != nil && !errors.Is(err, syscall.ESRCH) && !errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("sending %v to process group %d: %w", s, group, err)
	}
	return nil
}

// Patience is how long is waited after SIGKILL: a process that waits in the kernel dies when that ends, and
// nobody can do more.
const Patience = 10 * time.Second

// EndGroup ends every process of the group but spare (0: all of it): SIGTERM, grace, SIGKILL. The caller
// guarantees that the group is its own for so long: it has not reaped the leader, or saw it alive.
func EndGroup(group, spare int, grace time.Duration) error {
	others := func() (bool, error) {
		all, err := Members(group)
		return slices.ContainsFunc(all, func(p Process) bool { return p.PID != spare }), err
	}
	if some, err := others(); err != nil || !some {
		return err
	}
	if err := SignalGroup(group, syscall.SIGTERM); err != nil {
		return err
	}
	if gone, err := WaitUntilNot(others, grace); err != nil || gone {
		return err
	}
	if err := SignalGroup(group, syscall.SIGKILL); err != nil {
		return err
	}
	gone, err := WaitUntilNot(others, Patience)
	if err == nil && !gone {
		err = fmt.Errorf("process group %d is still there %v after SIGKILL: it waits in the kernel (a disk, a device)", group, Patience)
	}
	return err
}

// WaitUntilNot waits until what says false, at most so long; gone is false where it still says true then.
func WaitUntilNot(what func() (bool, error), most time.Duration) (gone bool, err error) {
	deadline := time.NewTimer(most)
	defer deadline.Stop()
	again := time.NewTicker(10 * time.Millisecond)
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

// SignalName names the signal that a shell reports as 128 + its number, "" where status is none.
func SignalName(status int) string {
	return map[int]string{
		128 + 1: "SIGHUP", 128 + 2: "SIGINT", 128 + 3: "SIGQUIT", 128 + 4: "SIGILL", 128 + 6: "SIGABRT",
		128 + int(syscall.SIGBUS): "SIGBUS", 128 + 8: "SIGFPE", 128 + 9: "SIGKILL",
		128 + 11: "SIGSEGV", 128 + 13: "SIGPIPE", 128 + 15: "SIGTERM",
		128 + int(syscall.SIGXCPU): "SIGXCPU", 128 + int(syscall.SIGXFSZ): "SIGXFSZ",
	}[status]
}

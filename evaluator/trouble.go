package evaluator

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
)

// Trouble is what is wrong with the machine that evaluates, met while an evaluation was started, fed, logged or read. A
// candidate that meets it is not to blame, and is measured again.
type Trouble struct {
	Errno  syscall.Errno
	What   string // in words
	Fix    string // what to do, which a person has to
	Passes bool   // by itself, or when somebody makes room: worth trying again. Else nothing here will succeed until Fix is done
	Fewer  bool   // it may not come where fewer are evaluated at once
}

// troubles are all that the system's errors tell of. An error of an evaluation itself reaches a runner as an exit
// status, an answer or a text, never as one of these.
var troubles = []Trouble{
	{syscall.ENOSPC, "the disk is full", "free some space", true, false},
	{syscall.EDQUOT, "the disk quota is used up", "delete something of yours there, or ask for more: `quota -s` shows what you may use", true, false},
	{syscall.EMFILE, "this process may open no more files", "end the run, raise the limit with `ulimit -n 4096` in the same shell, and run again", true, true},
	{syscall.ENFILE, "this machine may open no more files", "see who holds them: `cat /proc/sys/fs/file-nr` tells how many of how many", true, true},
	{syscall.ENOMEM, "there is no memory left", "end what uses it, or measure fewer at once (--workers)", true, true},
	{syscall.ENOBUFS, "there is no memory left for the network", "measure fewer at once (--workers)", true, true},
	{syscall.EAGAIN, "no more processes may be started", "end some of yours, or raise the limit: `ulimit -u` shows it", true, true},
	{syscall.EIO, "the disk cannot be read or written", "look into the system's log (dmesg) for what is wrong with the disk", true, false},
	{syscall.ESTALE, "the file server has forgotten the file", "see whether the network file system is well", true, false},
	{syscall.EROFS, "the file system may only be read", "`mount -o remount,rw` makes it writable; one that has become so by itself has met an error, which dmesg shows", false, false},
	{syscall.EFBIG, "a file would be larger than is allowed", "raise the limit with `ulimit -f unlimited`, and run again", false, false},
}

// TroubleOf returns the trouble that err comes from, false where it is an error of another kind.
func TroubleOf(err error) (Trouble, bool) {
	for _, t := range troubles {
		if errors.Is(err, t.Errno) && (t.Errno != syscall.EAGAIN || forked(err)) {
			return t, true
		}
		// A process that starts another gives it its files under numbers that it may no longer use.
		if t.Errno == syscall.EMFILE && errors.Is(err, syscall.EBADF) && forked(err) {
			return t, true
		}
	}
	return Trouble{}, false
}

// forked says whether err is of the start of a process; elsewhere EAGAIN says only that somebody has to wait.
func forked(err error) bool {
	var p *fs.PathError
	return errors.As(err, &p) && strings.HasPrefix(p.Op, "fork")
}

// full are the words of programs whose disk is full or whose quota is used up: strerror's, in the C locale.
var full = []string{"no space left on device", "disk quota exceeded", "enospc", "edquot"}

// SaysFull says whether a program that failed says itself that a disk was full.
func SaysFull(err error) bool {
	text := strings.ToLower(err.Error())
	for _, words := range full {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

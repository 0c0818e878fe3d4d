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
	{syscall.ENFILE, "this machine may open no more files", "end what holds them: `cat /proc/sys/fs/file-nr` tells how many of how many, and fs.file-max is the limit, for root to raise", true, true},
	{syscall.ENOMEM, "there is no memory left", "end what uses it, or measure fewer at once (--workers)", true, true},
	{syscall.ENOBUFS, "there is no memory left for the network", "measure fewer at once (--workers)", true, true},
	{syscall.EAGAIN, "no more processes may be started", "end some of yours, or raise the limit: `ulimit -u` shows it", true, true},
	{syscall.EIO, "the disk cannot be read or written", "`dmesg` shows what is wrong with the disk; where it mends, the run goes on by itself", true, false},
	{syscall.ESTALE, "the file server has forgotten the file", "`df` on its folder tells whether the file server answers; where it does and this stays, have it mounted anew", true, false},
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

// words are what programs say of a disk that is not to be used, and which trouble that is: strerror's in the C locale, and
// those of some shells and languages.
var words = []struct {
	text  string
	errno syscall.Errno
}{
	{"no space left on device", syscall.ENOSPC},
	{"disk quota exceeded", syscall.EDQUOT},
	{"enospc", syscall.ENOSPC},
	{"edquot", syscall.EDQUOT},
	{"input/output error", syscall.EIO},
	{": i/o error", syscall.EIO},
	{"stale file handle", syscall.ESTALE},
}

// SaysTrouble is what a program that failed says itself of a disk that is full or does not answer, and the line in which
// it does; false where it says nothing of that.
func SaysTrouble(err error) (t Trouble, line string, ok bool) {
	for line := range strings.Lines(err.Error()) {
		lower := strings.ToLower(line)
		for _, w := range words {
			if strings.Contains(lower, w.text) {
				t, ok = TroubleOf(w.errno)
				return t, strings.TrimSpace(line), ok
			}
		}
	}
	return Trouble{}, "", false
}

package evaluator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestTroubleIsToldFromFailure(t *testing.T) {
	wrapped := func(op string, e syscall.Errno) error {
		return Errorf(CannotStart, "x could not be started: %w", errors.Join(&os.PathError{Op: op, Path: "/x", Err: e}, io.EOF))
	}
	for _, c := range []struct {
		name          string
		err           error
		want          syscall.Errno // 0: no trouble
		passes, fewer bool
	}{
		{"a full disk", wrapped("open", syscall.ENOSPC), syscall.ENOSPC, true, false},
		{"a quota", wrapped("mkdir", syscall.EDQUOT), syscall.EDQUOT, true, false},
		{"descriptors", &os.SyscallError{Syscall: "pipe2", Err: syscall.EMFILE}, syscall.EMFILE, true, true},
		{"a socket", &net.OpError{Op: "dial", Err: &os.SyscallError{Syscall: "socket", Err: syscall.ENFILE}}, syscall.ENFILE, true, true},
		{"fork", wrapped("fork/exec", syscall.EAGAIN), syscall.EAGAIN, true, true},
		{"descriptors of a child", wrapped("fork/exec", syscall.EBADF), syscall.EMFILE, true, true},
		{"memory", wrapped("fork/exec", syscall.ENOMEM), syscall.ENOMEM, true, true},
		{"a disk that dies", wrapped("read", syscall.EIO), syscall.EIO, true, false},
		{"NFS", wrapped("write", syscall.ESTALE), syscall.ESTALE, true, false},
		{"mounted ro", wrapped("open", syscall.EROFS), syscall.EROFS, false, false},
		{"ulimit -f", wrapped("write", syscall.EFBIG), syscall.EFBIG, false, false},
		{"a read that waits", wrapped("read", syscall.EAGAIN), 0, false, false},
		{"no such program", wrapped("fork/exec", syscall.ENOENT), 0, false, false},
		{"a program that may not be run", wrapped("fork/exec", syscall.EACCES), 0, false, false},
		{"a failure", Errorf(Exited, "python3 ended with exit status 1"), 0, false, false},
		{"the end of a run", context.Canceled, 0, false, false},
		{"nothing", nil, 0, false, false},
	} {
		got, ok := TroubleOf(c.err)
		if got.Errno != c.want || ok != (c.want != 0) || got.Passes != c.passes || got.Fewer != c.fewer {
			t.Errorf("%s: %+v, %t; want errno %d, passes %t, fewer %t", c.name, got, ok, c.want, c.passes, c.fewer)
		}
		if ok && (got.What == "" || got.Fix == "") {
			t.Errorf("%s: it is not said what to do: %+v", c.name, got)
		}
	}
}

func TestAProgramSaysWhatIsWrongWithItsDisk(t *testing.T) {
	for text, want := range map[string]syscall.Errno{
		"python3 ended with exit status 1; the last of its stderr:\nOSError: [Errno 28] No space left on device: 'x'\nall of it is in x.log": syscall.ENOSPC,
		"node: ENOSPC: no space left on device, write":        syscall.ENOSPC,
		"cp: error writing '/x': Disk quota exceeded":         syscall.EDQUOT,
		"OSError: [Errno 5] Input/output error":               syscall.EIO,
		"/s/evaluate.sh: 2: echo: echo: I/O error":            syscall.EIO,
		"OSError: [Errno 116] Stale file handle: '/home/x'":   syscall.ESTALE,
		"RuntimeError: CUDA out of memory":                    0,
		"python3 ended with exit status 1 and said nothing":   0,
		"AssertionError: the space of the device is not left": 0,
	} {
		got, line, ok := SaysTrouble(errors.New(text))
		if got.Errno != want || ok != (want != 0) || ok && (!strings.Contains(text, line) || strings.Contains(line, "\n")) {
			t.Errorf("%q: %+v, %q, %t; want errno %d and the line that says it", text, got, line, ok, want)
		}
	}
}

// Trouble reaches whoever asks for it through everything that is said about it on the way.
func TestTroubleWithALogIsKnownThroughTheEvaluator(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	e := Blocking(Limits{}, func(context.Context, Candidate, func(Progress)) (Metrics, error) {
		return nil, fmt.Errorf("the log: %w", &os.PathError{Op: "open", Path: file, Err: syscall.EMFILE})
	})
	var last Event
	c := Candidate{Key: "s/1", Attempt: 1, Tasks: []string{"t"}, Split: Validation}
	if err := e.Submit(t.Context(), []Candidate{c}, func(e Event) error { last = e; return nil }); err != nil {
		t.Fatal(err)
	}
	if trouble, ok := TroubleOf(last.Err); !ok || trouble.Errno != syscall.EMFILE {
		t.Errorf("%v (trouble %v) is not known for what it is: want EMFILE", last.Err, trouble)
	}
}

package study

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"parfait/internal/stage"
)

// What a run needs of the limits that a shell sets (ulimit), beside what is measured.
const (
	leastFile  = 4 << 20  // bytes that a file may grow by: the history, logs
	leastFiles = 24       // open at once: the history, an evaluation, a merge
	leastSpace = 64 << 20 // bytes of address space
)

// limited says what of the limits that the shell has set is too little for a run, before anything is begun: each would
// end it in the middle, in a way that cannot be told from a disk that dies, or not be survived.
func (s *Study) limited() error {
	var errs []error
	if n := ulimit(unix.RLIMIT_FSIZE); n < s.largest()+leastFile {
		errs = append(errs, tooLittle("a file may have %s at most (ulimit -f)", n, s.largest()+leastFile, "ulimit -f unlimited"))
	}
	if n := ulimit(unix.RLIMIT_AS); n != unlimited && n < addressSpace()+leastSpace {
		errs = append(errs, tooLittle("this process may use %s of addresses (ulimit -v)", n, addressSpace()+leastSpace, "ulimit -v unlimited"))
	}
	if n := ulimit(unix.RLIMIT_NOFILE); n < leastFiles {
		errs = append(errs, &Error{
			Code: CodeSpace, What: fmt.Sprintf("this process may open %d files at once (ulimit -n)", n), Expected: fmt.Sprintf("%d or more", leastFiles),
			Fix: "raise the limit with `ulimit -n 4096` in the same shell",
		})
	}
	return errors.Join(errs...)
}

// tooFewFiles says that the evaluators keep more files open than this process may have.
func (r *runner) tooFewFiles() error {
	kept := 0
	for _, x := range r.executors {
		kept += x.eval.Limits().Files
	}
	open, err := os.ReadDir("/dev/fd")
	if err != nil {
		return nil //nolint:nilerr // it cannot be known
	}
	need := int64(len(open) + kept + leastFiles)
	if n := ulimit(unix.RLIMIT_NOFILE); n < need {
		return &Error{
			Code: CodeSpace, What: fmt.Sprintf("this process may open %d files at once (ulimit -n), and the evaluators keep %d open", n, kept),
			Expected: fmt.Sprintf("%d or more", need), Fix: "raise the limit with `ulimit -n 4096` in the same shell, or measure fewer at once: --workers",
		}
	}
	return nil
}

func tooLittle(what string, n, need int64, fix string) error {
	return &Error{
		Code: CodeSpace, What: fmt.Sprintf(what, stage.Bytes(n)), Expected: stage.Bytes(need) + " or more",
		Fix: "raise the limit with `" + fix + "` in the same shell, and run again",
	}
}

const unlimited = int64(math.MaxInt64)

// ulimit is a limit of this process, unlimited where there is none.
func ulimit(resource int) int64 {
	var l unix.Rlimit
	if unix.Getrlimit(resource, &l) != nil || l.Cur > uint64(unlimited) {
		return unlimited
	}
	return int64(l.Cur)
}

// largest is the size of the largest file of the history.
func (s *Study) largest() (n int64) {
	for _, name := range []string{"study.db", "history.jsonl"} {
		if fi, err := os.Stat(filepath.Join(s.dir, name)); err == nil {
			n = max(n, fi.Size())
		}
	}
	return n
}

// addressSpace is how much of it this process uses, 0 where that is not known.
func addressSpace() int64 {
	var pages int64
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	if _, err := fmt.Sscan(string(b), &pages); err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

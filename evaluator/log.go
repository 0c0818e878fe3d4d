package evaluator

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// MaxLog is how many bytes of output a candidate's log takes unless its evaluator says otherwise.
const MaxLog = 16 << 20

// Log is a candidate's log: what its evaluation prints, up to a limit, and what the evaluator has to say itself. What
// goes wrong while it is written is not worth the evaluation, and is not told. A nil Log takes everything and
// keeps nothing. Several goroutines may use one.
type Log struct {
	mu   sync.Mutex
	file *os.File
	left int64 // bytes of output that it still takes
}

// OpenLog opens the log at path to append to it, and makes its folder; "" is for none. limit is in bytes of
// output, 0: MaxLog. On a small disk it is an eighth of what is free at most.
func OpenLog(path string, limit int64) (*Log, error) {
	if path == "" {
		return nil, nil
	}
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		var f *os.File
		if f, err = os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err == nil {
			if limit == 0 {
				limit = MaxLog
			}
			return &Log{file: f, left: min(limit, freeBeside(path)/8)}, nil
		}
	}
	return nil, Errorf(Internal, "the log cannot be written: %w", err)
}

// freeBeside is what may still be written beside path, in bytes; where that is not known, everything.
func freeBeside(path string) int64 {
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return math.MaxInt64
	}
	return int64(st.Bavail) * int64(st.Bsize) //nolint:unconvert // the types differ between systems
}

// Write adds output. It takes what the limit allows, says once that there is more, and never fails: a
// program that prints into it goes on.
func (l *Log) Write(b []byte) (int, error) {
	if l == nil {
		return len(b), nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left <= 0 {
		return len(b), nil
	}
	_, _ = l.file.Write(b[:min(int64(len(b)), l.left)])
	if l.left -= int64(len(b)); l.left <= 0 {
		_, _ = fmt.Fprintf(l.file, "\n--- there is more output than the log may take: the rest is left out\n")
	}
	return len(b), nil
}

// Say adds a line of the evaluator's own, with the time, beyond any limit.
func (l *Log) Say(format string, args ...any) {
	if l != nil {
		_, _ = fmt.Fprintf(l.file, "--- %s: "+format+"\n", append([]any{time.Now().Format(time.DateTime)}, args...)...)
	}
}

// Close closes the file.
func (l *Log) Close() {
	if l != nil {
		_ = l.file.Close()
	}
}

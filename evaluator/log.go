package evaluator

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"parfait/visible"
)

// MaxLog is how many bytes of output a candidate's log takes unless its evaluator says otherwise.
const MaxLog = 16 << 20

// Log is a candidate's log: what its evaluation prints, up to a limit, and what the evaluator has to say itself. What
// goes wrong while it is written is not worth the evaluation, and is not told. A nil Log takes everything and
// keeps nothing. Several goroutines may use one.
type Log struct {
	mu    sync.Mutex
	file  *os.File
	left  int64 // bytes of output that it still takes
	begun time.Time
	drawn time.Time // when Redraw wrote last; zero: the file does not end with a line that is drawn over
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
			return &Log{file: f, left: min(limit, freeBeside(path)/8), begun: time.Now()}, nil
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
	l.over()
	l.add(b)
	return len(b), nil
}

func (l *Log) add(b []byte) {
	if l.left <= 0 {
		return
	}
	_, _ = l.file.Write(b[:min(int64(len(b)), l.left)])
	if l.left -= int64(len(b)); l.left <= 0 {
		_, _ = fmt.Fprintf(l.file, "\n--- there is more output than the log may take: the rest is left out\n")
	}
}

// over has what follows stand in the place of a line that was drawn over and over.
func (l *Log) over() {
	if !l.drawn.IsZero() {
		_, _ = l.file.WriteString("\r")
		l.drawn = time.Time{}
	}
}

// Redraw adds what a line that a program draws over and over (a progress bar) says now, without its end: behind a
// carriage return, so that it stands in the place of what it said before, and what is written next in its own. It
// does so once a second at most, more rarely the longer the log is open (a thousandth of that), so that bars
// of days take little room. Of a line it takes the first 1,000 bytes.
func (l *Log) Redraw(line []byte) {
	if l == nil || len(line) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.drawn) < max(time.Second, now.Sub(l.begun)/1000) {
		return
	}
	l.add(append([]byte("\r"), line[:min(len(line), 1000)]...))
	l.drawn = now
}

// Say adds a line of the evaluator's own, with the time, beyond any limit.
func (l *Log) Say(format string, args ...any) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over()
	_, _ = fmt.Fprintf(l.file, ownLine+"%s: "+format+"\n", append([]any{time.Now().Format(time.DateTime)}, args...)...)
}

// ownLine begins a line of an evaluator's own.
const ownLine = "--- "

// LastLine is the last line of output in the log at path as it stands on a terminal now: see [visible.Lines]. "" where
// nothing was printed, as far as its last 4 KiB tell, or it cannot be read.
func LastLine(path string) string {
	const most = 4 << 10
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	b := make([]byte, min(most, info.Size()))
	n, err := f.ReadAt(b, info.Size()-int64(len(b)))
	if err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	for _, line := range slices.Backward(visible.Lines(string(b[:n]))) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, ownLine) {
			return line
		}
	}
	return ""
}

// Close closes the file.
func (l *Log) Close() {
	if l != nil {
		_ = l.file.Close()
	}
}

//go:build linux || darwin

package command

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"

	"parfait/evaluator"
	"parfait/evaluator/internal/report"
)

// output carries what a run prints from its files into the candidate's log, and its progress to the
// runner. The process writes files and no pipes, so that it can go on when the runner has died.
type output struct {
	streams  []*stream
	log      *evaluator.Log
	copied   *os.File // how far the streams are in the log
	progress func(evaluator.Progress)
	failed   error // the first thing that went wrong with the streams
}

// stream is one of the files that a run prints into.
type stream struct {
	file  *os.File
	at    int64  // read so far
	line  []byte // begun, without its end
	freed int64  // bytes at the start that were given back to the disk
}

// maxLine is the longest that is taken in one piece; what is longer is cut.
const maxLine = 64 << 10

// follow begins, or takes up again where an earlier runner was, to follow the run in dir.
func follow(dir, log string, limit int64, progress func(evaluator.Progress)) (*output, error) {
	o := &output{progress: progress}
	var err error
	for _, name := range []string{stdoutName, stderrName} {
		f, e := os.OpenFile(filepath.Join(dir, name), os.O_RDWR, 0)
		err = errors.Join(err, e)
		if e == nil {
			o.streams = append(o.streams, &stream{file: f})
		}
	}
	if err == nil {
		o.log, err = evaluator.OpenLog(log, limit)
	}
	if err == nil {
		o.copied, err = os.OpenFile(filepath.Join(dir, copiedName), os.O_CREATE|os.O_RDWR, 0o644)
	}
	if err != nil {
		return nil, errors.Join(evaluator.Errorf(evaluator.Internal, "the output cannot be followed: %w", err), o.close())
	}
	var b [16]byte
	if n, _ := o.copied.ReadAt(b[:], 0); n == len(b) {
		for i, s := range o.streams {
			s.at = int64(binary.LittleEndian.Uint64(b[8*i:]))
		}
	}
	return o, nil
}

// copy takes up what was printed since it was called last. What goes wrong is kept for close.
func (o *output) copy() {
	var b [16]byte
	for i, s := range o.streams {
		o.note(o.take(s))
		binary.LittleEndian.PutUint64(b[8*i:], uint64(s.at-int64(len(s.line))))
	}
	_, err := o.copied.WriteAt(b[:], 0)
	o.note(err)
}

func (o *output) note(err error) {
	if o.failed == nil {
		o.failed = err
	}
}

func (o *output) take(s *stream) error {
	chunk := make([]byte, 32<<10)
	for {
		n, err := s.file.ReadAt(chunk, s.at)
		s.at += int64(n)
		for rest := chunk[:n]; len(rest) > 0; {
			end := bytes.IndexAny(rest, "\r\n")
			if end < 0 {
				s.line = append(s.line, rest...)
				break
			}
			s.line = append(s.line, rest[:end]...)
			if rest[end] == '\n' {
				o.line(s.line)
				s.line = s.line[:0]
			} else if end+1 < len(rest) && rest[end+1] != '\n' {
				s.line = s.line[:0] // a bar that is drawn again and again: only its last state is kept
			}
			rest = rest[end+1:]
		}
		if len(s.line) > maxLine {
			o.line(s.line)
			s.line = s.line[:0]
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if s.at-s.freed > 2*maxTail {
		punch(s.file, s.freed, s.at-maxTail)
		s.freed = s.at - maxTail
	}
	return nil
}

// line takes one line that was printed.
func (o *output) line(b []byte) {
	if p, ok := report.ParseProgress(b); ok {
		o.progress(p)
		return
	}
	if len(b) > maxLine {
		b = append(b[:maxLine:maxLine], "…"...)
	}
	_, _ = o.log.Write(append(b[:len(b):len(b)], '\n'))
}

// finish takes up the rest, also what was begun without an end.
func (o *output) finish() {
	o.copy()
	for _, s := range o.streams {
		if len(s.line) > 0 {
			o.line(s.line)
			s.line = nil
		}
	}
}

// close tells the first thing that went wrong.
func (o *output) close() error {
	for _, s := range o.streams {
		o.note(s.file.Close())
	}
	o.log.Close()
	if o.copied != nil {
		o.note(o.copied.Close())
	}
	if o.failed != nil {
		return evaluator.Errorf(evaluator.Internal, "the output could not be kept: %w", o.failed)
	}
	return nil
}

// lastWords returns the last lines of a file that was printed into, "" where there are none.
func lastWords(path string) string {
	b, err := readTail(path, report.WordsSize)
	if err != nil {
		return ""
	}
	return report.LastWords(b)
}

// readTail returns the last bytes of a file, at most so many.
func readTail(path string, most int64) (b []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(f, max(0, size-most), most))
}

//go:build linux || darwin

package command

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

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
	keep  int64  // bytes at the end that are kept until the run is over
	said  bool   // that something of it was left out
}

// maxBehind is how many bytes a run may print ahead of what is read; beyond, what is in between is left out: more would
// fill the disk than fits into the log.
const maxBehind = 16 << 20

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
			o.streams = append(o.streams, &stream{file: f, keep: keepOn(dir)})
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

// keepOn is how much of an output is kept on the disk of dir while the run goes on: on a small one, little.
func keepOn(dir string) int64 {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return maxTail
	}
	return max(maxLine, min(maxTail, int64(st.Blocks)*int64(st.Bsize)/32)) //nolint:unconvert // the types differ between systems
}

// copy takes up what was printed since it was called last, and says how many bytes that were. What goes wrong is kept
// for close.
func (o *output) copy() (n int64) {
	var b [16]byte
	for i, s := range o.streams {
		n -= s.at
		o.note(o.take(s))
		n += s.at
		binary.LittleEndian.PutUint64(b[8*i:], uint64(s.at-int64(len(s.line))))
	}
	_, _ = o.copied.WriteAt(b[:], 0) // on a full disk the next runner copies again what is in the log
	return n
}

func (o *output) note(err error) {
	if o.failed == nil {
		o.failed = err
	}
}

func (o *output) take(s *stream) error {
	chunk := make([]byte, 32<<10)
	for {
		if err := o.hurry(s); err != nil {
			return err
		}
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
	return nil
}

// hurry gives back what was read and is not kept, and leaves out what there is no time to read.
func (o *output) hurry(s *stream) error {
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	if behind := info.Size() - s.at; behind > min(maxBehind, 4*s.keep) {
		if s.at, s.line = info.Size()-s.keep, nil; !s.said {
			o.log.Say("it prints faster than can be read: some of its output is left out here")
		}
		s.said = true
	}
	if s.at-s.freed > 2*s.keep {
		o.free(s, s.at-s.keep)
	}
	return nil
}

// free gives the bytes of a stream before end back to the disk.
func (o *output) free(s *stream, end int64) {
	if end > s.freed {
		punch(s.file, s.freed, end)
		s.freed = end
	}
}

// trim gives back all of what was printed but what tells how it ended, now that the run is over: its report, where it
// is there, and its last words. Whoever records the result may need the room.
func (o *output) trim() {
	for _, s := range o.streams {
		info, err := s.file.Stat()
		if err != nil || info.Size()-s.freed < minTrim {
			continue
		}
		end := info.Size() - report.WordsSize
		tail := make([]byte, min(maxTail, info.Size()))
		if _, err := s.file.ReadAt(tail, info.Size()-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
			continue
		}
		last := report.LastObject(tail)
		if last == nil {
			last = bytes.TrimRight(tail, "\r\n\t ")
			last = last[bytes.LastIndexByte(last, '\n')+1:]
		}
		at := info.Size() - int64(len(tail)) + int64(bytes.LastIndex(tail, last))
		o.free(s, min(end, at-1))
	}
}

// minTrim is what is worth giving back.
const minTrim = 64 << 10

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
	o.trim()
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

//go:build linux || darwin

package command

import (
	"bytes"
	"errors"
	"io"
	"os"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/report"
	"parfait/internal/rescue"
)

// printed carries one stream of a command into its log, line by line, and keeps its end.
type printed struct {
	from     *os.File
	into     *os.File // the command's end of the pipe
	keep     int      // bytes of its end
	log      *evaluator.Log
	progress func(evaluator.Progress)

	read  chan struct{} // closed when no more is read
	open  bool          // somebody may still print, who is not of the command's group
	line  []byte        // begun, without its end
	drawn bool          // over and over: a progress bar
	home  bool          // what comes next stands in the place of line
	tail  []byte
}

// maxLine is the longest line that is taken in one piece; what is longer is cut.
const maxLine = 64 << 10

// listen makes the pipe that a stream of the command goes into.
func listen(target *io.Writer, keep int, log *evaluator.Log, progress func(evaluator.Progress)) (*printed, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	*target = w
	p := &printed{from: r, into: w, keep: keep, log: log, progress: progress, read: make(chan struct{})}
	rescue.Go(p.listen)
	return p, nil
}

// listen reads until the end of the stream, or until it is told that nobody prints any more.
func (p *printed) listen() {
	defer close(p.read)
	chunk := make([]byte, 32<<10)
	for {
		n, err := p.from.Read(chunk)
		p.take(chunk[:n])
		if err != nil {
			p.open = errors.Is(err, os.ErrDeadlineExceeded)
			return
		}
	}
}

func (p *printed) take(b []byte) {
	p.tail = append(p.tail, b...)
	if len(p.tail) > 2*p.keep {
		p.tail = p.tail[:copy(p.tail, p.tail[len(p.tail)-p.keep:])]
	}
	for len(b) > 0 {
		end := bytes.IndexAny(b, "\r\n")
		text := b
		if end >= 0 {
			text = b[:end]
		}
		if p.home && (end != 0 || b[0] != '\n') { // a bar that is drawn again and again: only its last state is kept
			p.counts(p.line)
			p.line, p.drawn, p.home = p.line[:0], true, false
		}
		if p.line = append(p.line, text...); len(p.line) > maxLine {
			p.endLine()
		}
		if end < 0 {
			break
		}
		if b[end] == '\n' {
			p.endLine()
		} else {
			p.home = true
		}
		b = b[end+1:]
	}
	p.draw()
}

// draw has the log show a line that is drawn over and over, as progress bars are, while it is.
func (p *printed) draw() {
	switch {
	case !p.drawn && !p.home:
	case p.home && p.counts(p.line): // and not again
		p.line, p.drawn, p.home = p.line[:0], true, false
	default:
		p.log.Redraw(p.line)
	}
}

// counts says whether a line tells of progress, and passes it on.
func (p *printed) counts(line []byte) bool {
	progress, ok := report.ParseProgress(line)
	if ok {
		p.progress(progress)
	}
	return ok
}

// endLine takes the line that was printed; of one that was drawn over and over what stood there last.
func (p *printed) endLine() {
	line := p.line
	p.line, p.home, p.drawn = p.line[:0], false, false
	if p.counts(line) {
		return
	}
	if len(line) > maxLine {
		line = append(line[:maxLine:maxLine], "…"...)
	}
	_, _ = p.log.Write(append(line[:len(line):len(line)], '\n'))
}

// started gives up the supervisor's own copy of the command's end.
func (p *printed) started() { _ = p.into.Close() }

// lateAfter is how long is waited for output of a group that has gone, where another process holds the pipe: a server that
// the command has left in a session of its own. What the group has printed is there at once.
const lateAfter = 50 * time.Millisecond

// finish takes the rest, now that the group has gone. What others print later is read by one of the group others, for
// as long as they are there, and is nobody's: they shall not end because nobody listens.
func (p *printed) finish(others *rescue.Group) {
	_ = p.from.SetReadDeadline(time.Now().Add(lateAfter))
	<-p.read
	if len(p.line) > 0 {
		p.endLine()
	}
	if !p.open {
		_ = p.from.Close()
		return
	}
	_ = p.from.SetReadDeadline(time.Time{})
	from := p.from
	others.Go(func() {
		_, _ = io.Copy(io.Discard, from)
		_ = from.Close()
	})
}

// give gives up a stream whose command was never started.
func (p *printed) give() {
	_ = p.into.Close()
	<-p.read
	_ = p.from.Close()
}

// essence is what is kept of the stream when it is over: what tells how it ended, its report, where it is there, and its
// last words.
func (p *printed) essence() []byte {
	if len(p.tail) <= minTrim {
		return p.tail
	}
	last := report.LastObject(p.tail)
	if last == nil {
		last = bytes.TrimRight(p.tail, "\r\n\t ")
		last = last[bytes.LastIndexByte(last, '\n')+1:]
	}
	return p.tail[max(0, min(len(p.tail)-report.WordsSize, bytes.LastIndex(p.tail, last)-1)):]
}

// minTrim is what is worth leaving out.
const minTrim = 64 << 10

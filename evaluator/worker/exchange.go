//go:build linux || darwin

package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/process"
	"parfait/evaluator/internal/report"
	"parfait/internal/rescue"
	"parfait/problem"
)

// maxLine is the longest line that is read from a worker.
const maxLine = 16 << 20

// exchange sends a request to the slot's process, which it starts where none runs, and waits for the
// answer. After an error the process is in a state that nobody knows.
func (e *Evaluator) exchange(ctx context.Context, p *slot, request []byte, log *evaluator.Log, progress func(evaluator.Progress)) (answer, error) {
	a, err := e.try(ctx, p, request, log, progress)
	if errors.Is(err, errIdleDeath) { // not this candidate's fault
		log.Say("the worker %d had ended since its last candidate and is started again", p.number)
		if err := p.end(e.options.Grace); err != nil {
			return answer{}, err
		}
		return e.try(ctx, p, request, log, progress)
	}
	return a, err
}

// errIdleDeath says that a process had ended, or was about to, when the request was written.
var errIdleDeath = errors.New("it had ended before it was asked")

func (e *Evaluator) try(ctx context.Context, p *slot, request []byte, log *evaluator.Log, progress func(evaluator.Progress)) (answer, error) {
	fresh := p.proc == nil
	if fresh {
		proc, err := start(e.options, p.values())
		if err != nil {
			return answer{}, err
		}
		p.proc = proc
		log.Say("the worker %d was started as process %d: %q", p.number, proc.cmd.Process.Pid, e.options.Command)
	}
	proc := p.proc
	type result struct {
		a   answer
		err error
	}
	done := make(chan result, 1)
	rescue.Go(func() {
		a, err := proc.talk(request, log, progress)
		done <- result{a, err}
	})
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case r := <-done:
			proc.copyErrors(log)
			switch {
			case errors.Is(r.err, syscall.EPIPE) && !fresh:
				return answer{}, errIdleDeath
			case errors.Is(r.err, io.EOF) || errors.Is(r.err, syscall.EPIPE):
				return answer{}, e.died(p, fresh, log)
			}
			return r.a, r.err
		case <-tick.C:
			proc.copyErrors(log)
		case <-ctx.Done():
			err := ctx.Err()
			if last := proc.lastWords(); last != "" {
				err = &evaluator.Error{Problem: problem.Problem{Code: evaluator.Interrupted, What: "the last that the worker said was " + report.Reason([]byte(last)) + report.Ending("stderr", last)}, Cause: err}
			}
			p.proc = nil
			_, endErr := proc.end(evaluator.Left(ctx, e.options.Grace))
			<-done // its pipes are closed
			proc.copyErrors(log)
			return answer{}, errors.Join(err, endErr, proc.errors.Close())
		}
	}
}

// died ends the rest of a worker that has ended, and tells how it did. One that left in order, without a
// word to this request, was on its way out before.
func (e *Evaluator) died(p *slot, fresh bool, log *evaluator.Log) error {
	proc := p.proc
	p.proc = nil
	last := proc.lastWords()
	status, err := proc.end(e.options.Grace)
	proc.copyErrors(log)
	err = errors.Join(err, proc.errors.Close())
	if status == 0 && err == nil && !fresh && !proc.spoke {
		return errIdleDeath
	}
	code, how, name := evaluator.Exited, fmt.Sprintf("ended with exit status %d", status), process.SignalName(status)
	switch {
	case name == "SIGTERM": // it was there, and was ended just now
		how = "closed its standard output"
	case name != "":
		code, how = evaluator.Killed, fmt.Sprintf("was ended by %s (exit status %d)", name, status)
	}
	text := fmt.Sprintf("the worker %s %s without an answer: it has to write one line of JSON for each that it reads", filepath.Base(e.options.Command[0]), how)
	if name == "" && status == 0 {
		text += ", and to end when there are no more: does it end with worker.serve(evaluate)?"
	}
	if strings.Contains(last, "No module named 'worker'") {
		text += "; worker.py has to lie beside it: parfait worker python > worker.py"
	}
	if last != "" {
		if code == evaluator.Exited {
			text = report.Reason([]byte(last)) + " (" + text + ")"
		}
		text += report.Ending("stderr", last)
	}
	died := evaluator.Errorf(code, "%s", text)
	died.Signal = name
	return errors.Join(died, err)
}

// talk writes a request and reads lines up to the answer to it. What is no JSON goes to the log.
func (p *proc) talk(request []byte, log *evaluator.Log, progress func(evaluator.Progress)) (answer, error) {
	p.spoke = false
	if _, err := p.requests.Write(request); err != nil {
		return answer{}, err
	}
	var asked struct {
		Key string `json:"key"`
	}
	if err := json.Unmarshal(request, &asked); err != nil {
		return answer{}, err
	}
	for {
		line, err := p.readLine()
		if err != nil {
			return answer{}, err
		}
		p.spoke = true
		if pr, ok := report.ParseProgress(line); ok {
			progress(pr)
			continue
		}
		var a answer
		if !bytes.HasPrefix(line, []byte("{")) || json.Unmarshal(report.NullForNaN(line), &a) != nil || a.Key == nil {
			_, _ = log.Write(append(line[:len(line):len(line)], '\n'))
			continue
		}
		if a.found = report.Snippet(line); *a.Key != asked.Key && p.answered[*a.Key] {
			log.Say("the worker answered once more for %q, which it had done already: that is left out; found %s", *a.Key, a.found)
			continue // it is not this candidate's fault
		}
		if *a.Key != asked.Key {
			return answer{}, evaluator.Errorf(evaluator.BadMetrics, "the worker answered for %q, asked was %q: it has to write one line of JSON for each that it reads, in the same order; found %s", *a.Key, asked.Key, a.found)
		}
		p.answered[asked.Key] = true
		return a, nil
	}
}

// readLine reads one line, without its end and the spaces around it.
func (p *proc) readLine() ([]byte, error) {
	var line []byte
	for {
		part, more, err := p.answers.ReadLine()
		if line = append(line, part...); len(line) > maxLine {
			return nil, evaluator.Errorf(evaluator.BadMetrics, "the worker wrote a line of more than %d bytes, which begins %s", maxLine, report.Snippet(line))
		}
		if err != nil {
			return nil, err
		}
		if !more {
			return bytes.TrimSpace(line), nil
		}
	}
}

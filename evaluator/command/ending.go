//go:build linux || darwin

package command

import (
	"fmt"
	"path/filepath"
	"strings"

	"parfait/evaluator"
	"parfait/evaluator/internal/process"
	"parfait/evaluator/internal/report"
	"parfait/problem"
)

// exitError tells how a command ended: first in a line what it said of the reason, then the last that it said.
func exitError(o Options, c evaluator.Candidate, dir string, status int) error {
	code, how := evaluator.Exited, fmt.Sprintf("ended with exit status %d", status)
	name := process.SignalName(status)
	if name != "" {
		code, how = evaluator.Killed, fmt.Sprintf("was ended by %s (exit status %d)", name, status)
		switch name {
		case "SIGKILL":
			how += ", as the system does where memory runs out"
		case "SIGXFSZ":
			how += ": it wrote a file larger than `ulimit -f` allows; `ulimit -f unlimited` in the shell that runs parfait raises it"
		case "SIGXCPU":
			how += ": it computed for longer than `ulimit -t` allows; `ulimit -t unlimited` in the shell that runs parfait raises it"
		}
	}
	how = filepath.Base(o.Command[0]) + " " + how
	said := lastOf(dir)
	if err := o.interpreter(); status == notFound && err != nil { // what the shell says is that the script is not there
		said.reason = err.Error()
	}
	text := said.reason + " (" + how + ")"
	switch {
	case said.words == "":
		text = how + " and said nothing"
	case code == evaluator.Killed: // whatever it was saying, that is not why
		text = how
		fallthrough
	case said.words != said.reason:
		text += said.ending()
	}
	if c.Log != "" {
		text += "\nall of it is in " + c.Log
	}
	return &evaluator.Error{Problem: problem.Problem{Code: code, What: text}, Signal: name}
}

// notFound is the exit status of a shell, or of env, that finds no program of that name.
const notFound = 127

// interpreter says which script that the command names wants an interpreter that is not there.
func (o Options) interpreter() error {
	_, ownPath := o.Env["PATH"]
	for _, word := range strings.Fields(strings.Join(o.Command, " ")) {
		if !filepath.IsAbs(word) {
			word = filepath.Join(o.Dir, word)
		}
		if err := process.Interpreter(word, ownPath); err != nil {
			return err
		}
	}
	return nil
}

// spoken is what a run said last.
type spoken struct {
	reason string // the line that says why it failed
	words  string // the last lines, "" where it said nothing
	from   string // stderr or stdout
}

func (s spoken) ending() string { return report.Ending(s.from, s.words) }

// lastOf returns what the run in dir said last on stderr or, where that is nothing, on stdout.
func lastOf(dir string) spoken {
	if s := lastIn(filepath.Join(dir, stderrName), "stderr"); s.words != "" {
		return s
	}
	return lastIn(filepath.Join(dir, stdoutName), "stdout")
}

func lastIn(path, from string) spoken {
	b, err := readTail(path, report.WordsSize)
	if err != nil {
		return spoken{from: from}
	}
	return spoken{report.Reason(b), report.LastWords(b), from}
}

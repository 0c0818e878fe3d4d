//go:build linux || darwin

package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"parfait/evaluator"
	"parfait/evaluator/internal/process"
	"parfait/evaluator/internal/report"
	"parfait/problem"
)

// exitError tells how a command ended: first in a line what it said of the reason, then the last that it said.
func exitError(o Options, c evaluator.Candidate, dir string, status int) error {
	end, _, _ := readEnd(dir) // which those elsewhere have not
	code, how := evaluator.Exited, fmt.Sprintf("ended with exit status %d", status)
	name := process.SignalName(status)
	if name != "" {
		code, how = evaluator.Killed, fmt.Sprintf("was ended by %s (exit status %d)", name, status)
		switch {
		case end.OOM:
			how += " by the system, since memory ran out"
		case name == "SIGKILL":
			how += ", as the system does where memory runs out"
		case name == "SIGXFSZ":
			how += ": it wrote a file larger than `ulimit -f` allows; `ulimit -f unlimited` in the shell that runs parfait raises it"
		case name == "SIGXCPU":
			how += ": it computed for longer than `ulimit -t` allows; `ulimit -t unlimited` in the shell that runs parfait raises it"
		}
	}
	how = filepath.Base(o.Command[0]) + " " + how
	said := lastOf(dir)
	if status == notFound {
		if err := o.interpreter(); err != nil { // what the shell says is that the script is not there
			said.reason = err.Error()
		} else if m := missing.FindStringSubmatch(said.reason); m != nil { // which begins with the shell's own path
			said.reason = "there is no program " + m[1] + ": it is no file, and in no folder of $PATH"
		}
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

// missing is how shells and env say which program they do not find: "sh: 1: exec: prog: not found".
var missing = regexp.MustCompile(`(?:^|[:\s])['‘"]?([^\s:'‘’"]+)['’"]?: (?:command not found|not found|No such file or directory)$`)

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

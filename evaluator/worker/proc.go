//go:build linux || darwin

package worker

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/option"
	"parfait/evaluator/internal/placeholder"
	"parfait/evaluator/internal/process"
	"parfait/evaluator/internal/report"
)

// leader is the shell script that leads a worker's process group; its $0 is the grace in seconds.
//
// It waits for the end of its standard input, which only the runner holds: when the runner closes it, or
// dies in whatever way, the leader ends the group. It keeps none of the worker's pipes, so that the runner
// sees at once when the worker is gone; how it ended goes to descriptor 4.
const leader = `trap : TERM INT HUP
"$@" <&3 3<&- 4>&- &
worker=$!
exec >&2 3<&-
read -r end
kill -TERM 0
(sleep "$0"; kill -KILL 0) 4>&- &
wait "$worker"
echo "$?" >&4
kill -KILL 0`

// proc is a worker that runs.
type proc struct {
	cmd      *exec.Cmd
	hold     *os.File        // its leader's standard input: closed, the group ends
	requests *os.File        // the worker's standard input
	answers  *bufio.Reader   // the worker's standard output
	output   *os.File        // under answers
	status   *os.File        // where the leader says how the worker ended
	errors   *os.File        // what it wrote to stderr: a file without a name, so that nobody has to read it
	copied   int64           // of errors, into logs
	spoke    bool            // it wrote a line since the last request
	answered map[string]bool // keys of the candidates that it has answered for
}

// keptFiles is how many files this process has open for one: those above.
const keptFiles = 5

// maxErrors is how large the file of errors may become before it is emptied, between two candidates.
const maxErrors = 64 << 20

// start starts the process of a slot.
func start(o Options, values map[string]string) (_ *proc, err error) {
	args := []string{"-c", leader, strconv.FormatFloat(o.Grace.Seconds(), 'f', 3, 64)}
	for _, a := range o.Command {
		args = append(args, placeholder.Expand(a, values))
	}
	_, ownPath := o.Env["PATH"]
	program := process.Program{Name: args[3], Dir: o.Dir, OwnPath: ownPath}
	if err := program.Find(); err != nil {
		return nil, evaluator.Errorf(evaluator.CannotStart, "%w", err)
	}
	var ours, theirs []*os.File
	defer func() {
		for _, f := range theirs {
			_ = f.Close() // the process has its own
		}
		if err != nil {
			for _, f := range ours {
				_ = f.Close()
			}
			err = evaluator.Errorf(evaluator.CannotStart, "the worker %s could not be started: %w", program.Name, err)
		}
	}()
	pipe := func(oursWrites bool) (our, their *os.File) {
		r, w, e := os.Pipe()
		if e != nil {
			err = errors.Join(err, e)
			return nil, nil
		}
		if oursWrites {
			r, w = w, r
		}
		ours, theirs = append(ours, r), append(theirs, w)
		return r, w
	}
	hold, stdin := pipe(true)
	requests, fd3 := pipe(true)
	output, stdout := pipe(false)
	status, fd4 := pipe(false)
	if err != nil {
		return nil, err
	}
	stderr, nameless, err := namelessFile()
	if err != nil {
		return nil, err
	}
	ours, theirs = append(ours, nameless), append(theirs, stderr)
	cmd := exec.Command("/bin/sh", args...)
	cmd.Dir = o.Dir
	cmd.Env = append(append(os.Environ(), "PARFAIT_SLOT="+values["slot"]), option.Variables(o.Env, o.Devices, values)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a group of its own, without a terminal
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = stdin, stdout, stderr, []*os.File{fd3, fd4}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &proc{cmd: cmd, hold: hold, requests: requests, answers: bufio.NewReader(output), output: output, status: status, errors: nameless, answered: map[string]bool{}}, nil
}

// namelessFile opens a new file twice, to append and to read, and takes its name away: it is gone when
// nobody has it open.
func namelessFile() (appending, reading *os.File, err error) {
	f, err := os.CreateTemp("", "parfait-worker-*")
	if err != nil {
		return nil, nil, err
	}
	appending, err = os.OpenFile(f.Name(), os.O_APPEND|os.O_WRONLY, 0)
	if err := errors.Join(err, os.Remove(f.Name())); err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return appending, f, nil
}

// end ends the worker's process group, and returns how the worker ended: its exit status, 128 + n after
// signal n. Only the file of errors stays open.
func (p *proc) end(grace time.Duration) (status int, err error) {
	pid := p.cmd.Process.Pid
	err = p.requests.Close()
	err = errors.Join(err, process.EndGroup(pid, pid, grace), p.hold.Close())
	said, e := io.ReadAll(p.status) // ends with the leader
	err = errors.Join(err, e)
	if status, e = strconv.Atoi(strings.TrimSpace(string(said))); e != nil {
		status = 128 + int(syscall.SIGKILL) // nothing else ends the leader without a word
	}
	_ = p.cmd.Wait() // its own status says nothing that is not known
	if err = errors.Join(err, p.status.Close(), p.output.Close()); err != nil {
		err = evaluator.Errorf(evaluator.Internal, "ending the worker's process group %d: %w", pid, err)
	}
	return status, err
}

// copyErrors copies what was written to stderr since it was called last into a log.
func (p *proc) copyErrors(log *evaluator.Log) {
	chunk := make([]byte, 32<<10)
	for {
		n, err := p.errors.ReadAt(chunk, p.copied)
		p.copied += int64(n)
		_, _ = log.Write(chunk[:n])
		if err != nil || n == 0 {
			break
		}
	}
	if p.copied > maxErrors { // it is appended to, so it goes on at the new end
		if p.errors.Truncate(0) == nil {
			p.copied = 0
		}
	}
}

// lastWords returns the last lines that the worker wrote to stderr.
func (p *proc) lastWords() string {
	info, err := p.errors.Stat()
	if err != nil {
		return ""
	}
	b, err := io.ReadAll(io.NewSectionReader(p.errors, max(0, info.Size()-report.WordsSize), report.WordsSize))
	if err != nil {
		return fmt.Sprint(err)
	}
	return report.LastWords(b)
}

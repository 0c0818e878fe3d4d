//go:build linux || darwin

package command

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/placeholder"
	"parfait/evaluator/internal/process"
	"parfait/internal/rescue"
	"parfait/problem"
)

// tokenVariable marks the processes of a run.
const tokenVariable = "PARFAIT_RUN"

// leaderShell runs the leader. Tests have another.
var leaderShell = "/bin/sh"

// leader is the shell script that leads a run's process group; its $0 is where the exit status goes.
//
// It waits for a word on its standard input, so that the command starts only when the record of its
// process is written: nothing can run that a later runner would not find. It survives SIGTERM, so that
// the command may end in its own way. It notes the exit status in a file, which is there when the runner is
// not, and on descriptor 3, which is faster; then it stays until its input is closed, so that the group's
// number cannot be used again before the last of the group is gone.
const leader = `read -r go || exit 125
trap : TERM INT HUP
"$@" </dev/null 3>&-
status=$?
echo "$status" >"$0.part" && mv "$0.part" "$0"
echo "$status" >&3
read -r go
exit "$status"`

// run is one execution of the command.
type run struct {
	options   Options
	candidate evaluator.Candidate
	kept      string // the sum under which its report is kept
	dir       string // the run's folder
	values    map[string]string
	progress  func(evaluator.Progress)
}

// execute runs the command to its end, or until ctx ends, and returns its exit status as a shell
// counts: 128 + n after signal n. When it returns, the whole process group is gone.
func (r *run) execute(ctx context.Context) (status int, err error) {
	args := r.options.command(r.candidate)
	for i, a := range args {
		args[i] = placeholder.Expand(a, r.values)
	}
	if err := r.options.program(args[0]).Find(); err != nil {
		if r.options.Harness != nil {
			err = fmt.Errorf("%w; install it (pip install 'lm_eval[hf]'), or say where it is with the option program: [/path/to/venv/bin/lm_eval]", err)
		}
		return 0, evaluator.Errorf(evaluator.CannotStart, "%w", err)
	}
	p, err := r.start(args)
	if err != nil {
		return 0, evaluator.Errorf(evaluator.CannotStart, "%s could not be started for candidate %s: %w", args[0], r.candidate.Key, err)
	}
	started := time.Now()
	out, err := follow(r.dir, r.candidate.Log, r.options.LogLimit, r.progress)
	if err == nil {
		out.log.Say("attempt %d of %s on %s: %q", r.candidate.Attempt, r.candidate.Key, r.candidate.Split, args)
		status, err = p.wait(ctx, out)
		if ctx.Err() != nil {
			status, err = r.cut(status, err) // before it is ended, which the shell has a word for
			halt(r.dir)
		}
	}
	if e := p.end(evaluator.Left(ctx, r.options.Grace)); e != nil {
		err = errors.Join(err, evaluator.Errorf(evaluator.Internal, "%w", e))
	}
	if p.silent && err == nil && p.cmd.ProcessState.Exited() { // by itself: no signal has ended it
		err = evaluator.Errorf(evaluator.CannotStart, "the shell that starts %s for candidate %s could not: %s: %w", args[0], r.candidate.Key,
			lastIn(filepath.Join(r.dir, stderrName), "stderr").words, &os.PathError{Op: "fork", Path: leaderShell, Err: syscall.EAGAIN})
	}
	if out != nil {
		out.finish()
		ending := fmt.Sprintf("exit status %d", status)
		if err != nil {
			ending = err.Error()
		}
		out.log.Say("%s after %v", ending, time.Since(started).Round(time.Millisecond))
		err = errors.Join(err, out.close())
	}
	return status, err
}

// cut is what has come of a run that is to be stopped: where it has ended by itself before it was told to, what it came
// to, which was paid for.
func (r *run) cut(status int, err error) (int, error) {
	if said, ended, e := readEnding(r.dir); err != nil && ended && e == nil {
		return said, nil
	}
	return status, stopped(r.dir, err)
}

// stopped tells what a run that had to be stopped said last.
func stopped(dir string, err error) error {
	if said := lastIn(filepath.Join(dir, stderrName), "stderr"); said.words != "" && err != nil {
		return &evaluator.Error{Problem: problem.Problem{Code: evaluator.Interrupted, What: "the last it said was " + said.reason + said.ending()}, Cause: err}
	}
	return err
}

// started is a process group that runs.
type started struct {
	cmd    *exec.Cmd
	hold   *os.File    // its leader's standard input: closed, it goes
	silent bool        // it has ended without a word
	said   bool        // its command's exit status
	status chan string // what it said on descriptor 3; closed then, or when it died
}

// start starts the leader, writes the record, and lets the command begin.
func (r *run) start(args []string) (*started, error) {
	token := rand.Text()
	cmd := exec.Command(leaderShell, append([]string{"-c", leader, filepath.Join(r.dir, exitName)}, args...)...)
	cmd.Dir = r.options.Dir
	cmd.Env = append(append(os.Environ(), environment(r.options, r.values)...), tokenVariable+"="+token)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a group of its own, without a terminal

	var files []io.Closer // ours to close, whatever happens
	closeAll := func() {
		for _, f := range files {
			_ = f.Close() // the process has its own, or there is none
		}
	}
	defer closeAll()
	for name, target := range map[string]*io.Writer{stdoutName: &cmd.Stdout, stderrName: &cmd.Stderr} {
		f, err := os.OpenFile(filepath.Join(r.dir, name), os.O_CREATE|os.O_EXCL|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
		*target = f
	}
	in, hold, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	files = append(files, in)
	said, say, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, hold.Close())
	}
	files = append(files, say)
	cmd.Stdin, cmd.ExtraFiles = in, []*os.File{say}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, hold.Close(), said.Close())
	}
	p := &started{cmd: cmd, hold: hold, status: make(chan string, 1)}
	closeAll()
	files = nil
	rescue.Go(func() {
		defer close(p.status)
		if s, err := bufio.NewReader(said).ReadString('\n'); err == nil {
			p.status <- strings.TrimSpace(s)
		}
		_ = said.Close() // all that is ever said is one line
	})
	err = r.record(cmd.Process.Pid, token, args).write(r.dir)
	if err == nil {
		_, err = hold.WriteString("go\n")
	}
	if err != nil {
		return nil, errors.Join(err, p.end(0))
	}
	return p, nil
}

func (r *run) record(pid int, token string, args []string) record {
	rec := record{Key: r.candidate.Key, Attempt: r.candidate.Attempt, PID: pid, Token: token, Command: args, Kept: r.kept, Started: time.Now()}
	if p, ok, err := process.LookUp(pid); err == nil && ok {
		rec.Start = p.Start
	}
	if boot, err := process.BootID(); err == nil {
		rec.Boot = boot
	}
	return rec
}

// wait follows the run until the command has ended, and returns its exit status. It returns early with an
// error when ctx ends.
func (p *started) wait(ctx context.Context, out *output) (int, error) {
	const least, most = time.Millisecond, 100 * time.Millisecond
	pause := least
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case s, ok := <-p.status:
			if !ok {
				p.silent = true
				return 128 + int(syscall.SIGKILL), nil // nothing else ends the leader without a word
			}
			status, err := strconv.Atoi(s)
			p.said = err == nil
			return status, err
		case <-tick.C:
			if pause = min(2*pause, most); out.copy() > 1<<20 {
				pause = least // it would fill the disk meanwhile
			}
			tick.Reset(pause)
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// end ends what is left of the group and reaps its leader.
func (p *started) end(grace time.Duration) error {
	pid := p.cmd.Process.Pid
	if p.said {
		return p.endOfGroup(pid, grace)
	}
	err := process.EndGroup(pid, pid, grace)
	err = errors.Join(err, p.hold.Close())
	if e := process.SignalGroup(pid, syscall.SIGKILL); e != nil { // the leader, where it is stopped or stuck
		err = errors.Join(err, e)
	}
	_ = p.cmd.Wait()     // its own status says nothing that is not known
	for range p.status { // ends, now that nobody can write to it
	}
	return err
}

// endOfGroup is end where the command has ended by itself, which mostly leaves nobody but the leader: then it takes no
// look at all processes of the machine. Whoever is left once the leader is gone keeps the group's number from
// being given to another; and where nobody is, it comes round again only when all others were used.
func (p *started) endOfGroup(pid int, grace time.Duration) error {
	err := p.hold.Close()
	_ = p.cmd.Wait()     // its own status says nothing that is not known
	for range p.status { // ends, now that nobody can write to it
	}
	if errors.Is(syscall.Kill(-pid, 0), syscall.ESRCH) {
		return err
	}
	return errors.Join(err, process.EndGroup(pid, 0, grace))
}

func (o Options) program(name string) process.Program {
	_, ownPath := o.Env["PATH"]
	return process.Program{Name: name, Dir: o.Dir, OwnPath: ownPath}
}

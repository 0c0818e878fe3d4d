//go:build linux || darwin

package command

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/process"
	"parfait/evaluator/internal/report"
	"parfait/internal/oom"
	"parfait/internal/rescue"
)

// A supervisor is a small process between a runner and the commands of one of its slots, one after the other. It writes
// the log, caps it while the command prints, and records how the command ends. It is in a session of its own, so
// that it and its command go on when the runner is killed or its terminal closes; when its command has ended and nobody
// has another, so has it. It is this very program: whoever uses this package is one when asked to.

// superviseFlag as the only argument makes the program a supervisor, with orders on its standard input and answers on
// descriptor 3.
const superviseFlag = "--supervise-evaluations"

// supervisorVariable marks a supervisor.
const supervisorVariable = "PARFAIT_SUPERVISOR"

func init() {
	if len(os.Args) == 2 && os.Args[1] == superviseFlag { // before anything else of the program begins
		os.Exit(supervisorMain())
	}
}

// order has a command run.
type order struct {
	Dir      string        `json:"dir"` // the run's folder, absolute
	Args     []string      `json:"args"`
	Env      []string      `json:"env"`
	Cwd      string        `json:"cwd"`
	Log      string        `json:"log"`
	LogLimit int64         `json:"log_limit"`
	Grace    time.Duration `json:"grace"` // of what it leaves behind
	Record   record        `json:"record"`
}

// answer is what a supervisor says of the command at work: one of these.
type answer struct {
	Begun    *record             `json:"begun,omitempty"`
	Progress *evaluator.Progress `json:"progress,omitempty"`
	Ended    *ending             `json:"ended,omitempty"`
	Failed   *failure            `json:"failed,omitempty"` // it could not be started, or its end not be recorded
}

// failure is an error on its way to another process, with what evaluator.TroubleOf needs of it.
type failure struct {
	Text  string        `json:"text"`
	Op    string        `json:"op,omitempty"`
	Path  string        `json:"path,omitempty"`
	Errno syscall.Errno `json:"errno,omitempty"`
}

func failureOf(err error) *failure {
	f := &failure{Text: err.Error()}
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		f.Op, f.Path = p.Op, p.Path
	}
	errors.As(err, &f.Errno)
	return f
}

func (f *failure) error() error {
	if f.Errno != 0 && f.Op != "" {
		return &fs.PathError{Op: f.Op, Path: f.Path, Err: f.Errno}
	}
	if f.Errno != 0 {
		return fmt.Errorf("%s: %w", f.Text, f.Errno)
	}
	return errors.New(f.Text)
}

// supervisor is the state of the process.
type supervisor struct {
	self   record // which process this is
	others rescue.Group

	mu       sync.Mutex
	answers  *json.Encoder // nil: nobody reads them
	dir      string        // of the run at work
	progress *evaluator.Progress
}

func supervisorMain() int {
	answers := os.NewFile(3, "answers")
	if _, err := answers.Stat(); err != nil {
		fmt.Fprintln(os.Stderr, "parfait starts this by itself")
		return 2
	}
	syscall.CloseOnExec(3)
	// Not ignored: commands would be born deaf.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE)
	s := &supervisor{answers: json.NewEncoder(answers)}
	s.self.identify(os.Getpid())
	orders := make(chan order)
	rescue.Go(func() {
		defer close(orders)
		in := json.NewDecoder(os.Stdin)
		for {
			var o order
			if in.Decode(&o) != nil {
				s.alone()
				return
			}
			orders <- o
		}
	})
	for o := range orders {
		s.run(o)
	}
	s.others.Wait()
	return 0
}

// alone notes that there is no runner any more.
func (s *supervisor) alone() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers = nil
	s.noteProgress()
}

// noteProgress writes down how far the run is, for the runner that takes it up. The caller holds mu.
func (s *supervisor) noteProgress() {
	if b, err := json.Marshal(s.progress); err == nil && s.progress != nil && s.dir != "" {
		_ = writeWhole(filepath.Join(s.dir, progressName), b, false) // nothing depends on it
	}
}

func (s *supervisor) say(a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.Progress != nil {
		s.progress = a.Progress
	}
	if s.answers != nil && s.answers.Encode(a) != nil {
		s.answers = nil
	}
	if s.answers == nil && a.Progress != nil {
		s.noteProgress()
	}
}

// run runs a command to its end, which is recorded before it is told.
func (s *supervisor) run(o order) {
	s.at(o.Dir)
	e, err := s.execute(o)
	s.at("") // nothing is noted of it once its end is told
	if err == nil {
		s.say(answer{Ended: &e})
	} else {
		s.say(answer{Failed: failureOf(err)})
	}
}

// at notes which run is at work, of which nothing is known yet.
func (s *supervisor) at(dir string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dir, s.progress = dir, nil
}

func (s *supervisor) execute(o order) (e ending, err error) {
	log, err := evaluator.OpenLog(o.Log, o.LogLimit)
	if err != nil {
		return e, err
	}
	defer log.Close()
	cmd, err := o.command()
	if err != nil {
		return e, err
	}
	told := func(p evaluator.Progress) { s.say(answer{Progress: &p}) }
	out, err := listen(&cmd.Stdout, maxTail, log, told)
	if err != nil {
		return e, err
	}
	errs, err := listen(&cmd.Stderr, 2*report.WordsSize, log, told)
	if err != nil {
		out.give()
		return e, err
	}
	rec := o.Record
	rec.supervised(s.self.PID, s.self.Start, s.self.Boot, os.Getenv(supervisorVariable))
	killed, _ := oom.Kills()
	if err = rec.write(o.Dir); err == nil { // first, so that nothing can run that a later runner would not find
		log.Say("attempt %d of %s on %s: %q", rec.Attempt, rec.Key, rec.Split, o.Args)
		err = start(cmd)
	}
	if err != nil {
		out.give()
		errs.give()
		return e, err
	}
	out.started()
	errs.started()
	rec.identify(cmd.Process.Pid)
	err = rec.write(o.Dir)
	if err != nil { // a later runner would have to look for it among all processes
		log.Say("its process could not be recorded: %v", err)
	}
	s.say(answer{Begun: &rec})
	over := make(chan struct{})
	s.watch(o, rec, over)
	_ = cmd.Wait() // what it says is in ProcessState
	close(over)
	e = ending{Status: statusOf(cmd.ProcessState), Began: rec.Started, Ended: time.Now()}
	e.Signal = process.SignalName(e.Status)
	if now, ok := oom.Kills(); ok && e.Status == 128+int(syscall.SIGKILL) {
		e.OOM = now > killed
	}
	if !errors.Is(syscall.Kill(-rec.PID, 0), syscall.ESRCH) {
		// Whoever is left once the leader is gone keeps the group's number from being given to another; and where nobody
		// is, it comes round again only when all others were used.
		if err := process.EndGroup(rec.PID, 0, o.Grace); err != nil {
			log.Say("%v", err)
		}
	}
	out.finish(&s.others)
	errs.finish(&s.others)
	log.Say("%s after %v", e, e.Ended.Sub(e.Began).Round(time.Millisecond))
	return e, s.record(o, e, out.essence(), errs.essence())
}

// command is what is to be started; where it is a name, it is looked for where the command itself would look.
func (o order) command() (*exec.Cmd, error) {
	for _, v := range slices.Backward(o.Env) {
		if path, ok := strings.CutPrefix(v, "PATH="); ok {
			_ = os.Setenv("PATH", path)
			break
		}
	}
	cmd := exec.Command(o.Args[0], o.Args[1:]...)
	cmd.Env, cmd.Dir = o.Env, o.Cwd
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a group of its own, without a terminal
	return cmd, cmd.Err
}

// start starts cmd; a script that names no interpreter is the shell's.
func start(cmd *exec.Cmd) error {
	err := cmd.Start()
	if errors.Is(err, syscall.ENOEXEC) {
		again := exec.Command("/bin/sh", append([]string{cmd.Path}, cmd.Args[1:]...)...)
		again.Env, again.Dir, again.SysProcAttr, again.Stdout, again.Stderr = cmd.Env, cmd.Dir, cmd.SysProcAttr, cmd.Stdout, cmd.Stderr
		err = again.Start()
		*cmd = *again //nolint:govet // it is not in use
	}
	return err
}

// statusOf is the exit status as a shell counts: 128 + n after signal n.
func statusOf(p *os.ProcessState) int {
	if w, ok := p.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return p.ExitCode()
}

// watchEvery is how often a supervisor looks whether its run is still wanted.
const watchEvery = time.Second

// watch ends the command where its folder is deleted: nobody wants it any more.
func (s *supervisor) watch(o order, rec record, over <-chan struct{}) {
	tick := time.NewTicker(watchEvery)
	s.others.Go(func() {
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			if _, err := os.Lstat(filepath.Join(o.Dir, recordName)); errors.Is(err, fs.ErrNotExist) {
				_ = process.EndGroup(rec.PID, 0, o.Grace) // should it not end, it is tried again
			}
		}
	})
}

// syncAfter is how long a command has to have run for its end to wait until it is safe from a power cut too: to measure
// for less again costs less than the wait.
const syncAfter = time.Second

// maxUnrecorded is how long a runner that is there waits for an end that cannot be written down.
const maxUnrecorded = 5 * time.Second

// record writes down how the command has ended, and the end of what it printed: what it ends with last, whole or not at
// all. It tries until it can: where there is no runner, for as long as it takes.
func (s *supervisor) record(o order, e ending, out, errs []byte) (err error) {
	long := e.Ended.Sub(e.Began) > syncAfter
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		if err = recordOnce(o.Dir, e, out, errs, long); err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil //nolint:nilerr // where the folder is gone, nobody wants to know
		}
		s.mu.Lock()
		there := s.answers != nil
		s.mu.Unlock()
		if there && time.Since(e.Ended) > maxUnrecorded {
			return err
		}
		time.Sleep(pause)
	}
}

func recordOnce(dir string, e ending, out, errs []byte, sync bool) error {
	err := cmp.Or(writeWhole(filepath.Join(dir, stdoutName), out, sync), writeWhole(filepath.Join(dir, stderrName), errs, sync))
	if err != nil {
		return err
	}
	if f, err := os.Open(filepath.Join(dir, outName)); err == nil && sync {
		_ = f.Sync() // a folder, in the case of some: then its files are theirs to sync
		_ = f.Close()
	}
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return writeWhole(filepath.Join(dir, endName), b, sync)
}

//go:build linux || darwin

package command

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/process"
	"parfait/internal/rescue"
)

// supervised is a supervisor as its runner sees it.
type supervised struct {
	cmd     *exec.Cmd
	start   string // the moment at which it was started
	token   string // in its environment, and in nobody else's
	orders  io.WriteCloser
	answers io.ReadCloser
	in      *json.Decoder
}

// superviseBy is what is started as a supervisor. Tests have another.
var superviseBy = func() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil // the very one, also where the file has been replaced
	}
	return os.Executable()
}

// supervise starts a supervisor.
func supervise() (*supervised, error) {
	path, err := superviseBy()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, superviseFlag)
	cmd.Args[0] = "parfait"
	cmd.Dir = "/"
	token := rand.Text()
	cmd.Env = append(os.Environ(), supervisorVariable+"="+token)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	orders, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, say, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, orders.Close())
	}
	cmd.ExtraFiles = []*os.File{say}
	err = errors.Join(cmd.Start(), say.Close())
	if err != nil {
		return nil, errors.Join(err, orders.Close(), answers.Close())
	}
	s := &supervised{cmd: cmd, token: token, orders: orders, answers: answers, in: json.NewDecoder(answers)}
	if p, ok, err := process.LookUp(cmd.Process.Pid); err == nil && ok {
		s.start = p.Start
	}
	return s, nil
}

// unrecorded is the error of a run that could not be recorded, and so was not begun.
type unrecorded struct{ error }

func (u *unrecorded) Unwrap() error { return u.error }

// tell orders a run. Who it is told to is recorded before, so that a later runner waits for what the supervisor has heard
// and not yet begun, and nothing is begun twice.
func (s *supervised) tell(o order) error {
	boot, err := process.BootID()
	if err != nil {
		return &unrecorded{err}
	}
	rec := o.Record
	rec.supervised(s.cmd.Process.Pid, s.start, boot, s.token)
	rec.Ordered = true
	if err := rec.write(o.Dir); err != nil {
		return &unrecorded{err}
	}
	return json.NewEncoder(s.orders).Encode(o)
}

// end lets the supervisor go: at once, or when its command has ended. force waits for neither.
func (s *supervised) end(force bool) {
	_ = s.orders.Close()
	if force {
		_ = s.cmd.Process.Kill()
	}
	_ = s.answers.Close()
}

// slots are the places to run in: GPUs, ports. Each has a supervisor, once it has had a command.
type slots struct {
	mu          sync.Mutex
	used        []bool
	supervisors []*supervised
}

// take takes a free slot, which one wants if it is there and free. There is one: no more run at once.
func (s *slots) take(wants int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := wants
	if i < 0 || i >= len(s.used) || s.used[i] {
		if i = slices.Index(s.used, false); i < 0 { // more at once than there are: who takes up what was begun
			s.used, s.supervisors = append(s.used, false), append(s.supervisors, nil)
			i = len(s.used) - 1
		}
	}
	s.used[i] = true
	return i
}

func (s *slots) give(i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[i] = false
}

// supervisor is the one of a slot that is taken, fresh where it was started just now.
func (s *slots) supervisor(i int) (sv *supervised, fresh bool, err error) {
	s.mu.Lock()
	sv = s.supervisors[i]
	s.mu.Unlock()
	if sv != nil {
		return sv, false, nil
	}
	if sv, err = supervise(); err != nil {
		return nil, false, err
	}
	s.set(i, sv)
	return sv, true, nil
}

func (s *slots) set(i int, sv *supervised) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.supervisors[i] = sv
}

// lost gives a supervisor up that has ended, or does not answer. What it was told to run may go on.
func (s *slots) lost(i int) {
	s.mu.Lock()
	sv := s.supervisors[i]
	s.supervisors[i] = nil
	s.mu.Unlock()
	if sv != nil {
		sv.end(true)
		_ = sv.cmd.Wait()
	}
}

// closePatience is how long close waits for supervisors to be gone.
const closePatience = 300 * time.Millisecond

// close ends the supervisors of the slots. One that has nothing to do notices by itself that it may go: on a machine that
// is busy nobody waits for that, and nothing is left behind.
func (s *slots) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var going rescue.Group
	for i, sv := range s.supervisors {
		if sv == nil {
			continue
		}
		sv.end(false)
		if !s.used[i] {
			going.Go(func() { _ = sv.cmd.Wait() })
		}
		s.supervisors[i] = nil
	}
	gone := make(chan struct{})
	rescue.Go(func() {
		going.Wait()
		close(gone)
	})
	select {
	case <-gone:
	case <-time.After(closePatience):
	}
}

// errSupervisor is the trouble that a supervisor cannot start: it has not had the processes or threads that it needs.
func errSupervisor() error {
	return evaluator.Errorf(evaluator.CannotStart, "the process that supervises the evaluation could not start: %w", &fs.PathError{Op: "fork", Path: os.Args[0], Err: syscall.EAGAIN})
}

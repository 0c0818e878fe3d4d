package study

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// StartRunner starts a runner in a process of its own session, so that a lost line, a closed laptop or a
// crash of the interface stops nothing. It returns when the runner holds the lock, and says why where it
// could not start. A runner that is alive is let go on; a paused one is resumed.
func (s *Study) StartRunner() error {
	if readOwner(s.dir).alive() {
		return s.Do(Command{Kind: CommandResume})
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := s.runnerLog()
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	start, err := log.Seek(0, 2)
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "run", s.dir, "--headless")
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, log, log
	cmd.Env = append(os.Environ(), "TERM=dumb")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return &Error{Code: CodeBusy, Where: self, What: "a runner could not be started", Err: err}
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if err == nil {
				return nil // there was nothing left to do
			}
			return &Error{Code: CodeEvaluator, Where: "runner", What: "ended at once: " + tail(log.Name(), start), Fix: "see " + log.Name()}
		case <-tick.C:
			if o := readOwner(s.dir); o.alive() && o.PID == cmd.Process.Pid {
				s.changed()
				return nil
			}
		case <-ctx.Done():
			return &Error{Code: CodeBusy, Where: "runner", What: fmt.Sprintf("process %d has not taken the study within a minute", cmd.Process.Pid), Fix: "see " + log.Name()}
		}
	}
}

// runnerLog is where detached runners write.
func (s *Study) runnerLog() (*os.File, error) {
	dir := filepath.Join(s.dir, "logs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join(dir, "runner.log"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644)
}

// tail is what stands in a log from offset start on.
func tail(path string, start int64) string {
	b, err := os.ReadFile(path)
	if err != nil || int64(len(b)) <= start {
		return "it said nothing"
	}
	return strings.TrimSpace(string(b[start:]))
}

package study

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"parfait/history"

	"parfait/internal/rescue"

	"parfait/internal/stage"
)

// maxStart is how long StartRunner waits for a sign of the new runner.
const maxStart = time.Minute

// maxSaid is how much of what a runner said before it died is told, in bytes.
const maxSaid = 4 << 10

// StartRunner starts a runner in a process of its own session, so that a lost line, a closed laptop or a
// crash of the interface stops nothing. It returns when the runner has passed its checks, and says why
// where it did not. A runner that is alive is let go on: a paused one is resumed, one that is just ending
// is followed by another. Of several that start one at the same time all succeed, and one runs.
//
// Where the last runner went by the heartbeat alone, as the file system carries no locks, this one does.
func (s *Study) StartRunner() error {
	mode := LockAuto
	if history.Heartbeats(s.dir) {
		mode = LockHeartbeat
	}
	return s.StartRunnerBy(mode)
}

// StartRunnerBy is StartRunner of one that locks as it is told.
func (s *Study) StartRunnerBy(mode LockMode) error {
	end := time.Now().Add(maxStart)
	for readOwner(s.dir).alive() {
		h, err := s.load(s.life)
		if err != nil {
			return err
		}
		if h.meta["stop"] == "" {
			return s.Do(Command{Kind: CommandResume})
		}
		if time.Now().After(end) {
			return &Error{Code: CodeBusy, Where: s.dir, What: fmt.Sprintf("the runner that was told to stop is still at work after %v", maxStart), Fix: "try again later"}
		}
		time.Sleep(watchEvery)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "run", s.dir, "--headless")
	if mode != LockAuto {
		cmd.Args = append(cmd.Args, "--lock="+string(mode))
	}
	return s.detach(cmd, end)
}

// detach starts cmd as a runner and waits until it is one.
func (s *Study) detach(cmd *exec.Cmd, end time.Time) error {
	log, err := s.runnerLog()
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	start, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, log, log
	cmd.Env = append(cmd.Environ(), "TERM=dumb")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return &Error{Code: CodeBusy, Where: cmd.Path, What: "a runner could not be started", Err: err}
	}
	ended := make(chan error, 1)
	rescue.Go(func() { ended <- cmd.Wait() })
	defer s.changed()
	tick := time.NewTicker(watchEvery / 5)
	defer tick.Stop()
	late := time.After(time.Until(end))
	for {
		select {
		case err := <-ended:
			if err == nil || readOwner(s.dir).alive() {
				return nil // there was nothing left to do, or somebody else's was faster
			}
			return &Error{Code: CodeEvaluator, Where: "runner", What: "ended at once: " + said(log, start), Fix: "see " + log.Name()}
		case <-tick.C:
			if o := readOwner(s.dir); o.alive() && o.PID == cmd.Process.Pid && o.Ready {
				return nil
			}
		case <-late:
			if readOwner(s.dir).alive() {
				return nil // it checks large models
			}
			return &Error{Code: CodeBusy, Where: "runner", What: fmt.Sprintf("process %d has not taken the study within %v", cmd.Process.Pid, maxStart), Fix: "see " + log.Name()}
		}
	}
}

// runnerLog is where detached runners write.
func (s *Study) runnerLog() (*os.File, error) {
	dir := filepath.Join(s.dir, "logs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, &Error{Code: CodeReadOnly, Where: dir, What: "cannot be made, and a runner writes its log there", Err: err}
	}
	f, err := os.OpenFile(filepath.Join(dir, "runner.log"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644)
	if err != nil {
		return nil, &Error{Code: CodeReadOnly, Where: dir, What: "a runner's log cannot be written", Err: err, Fix: stage.Unlock(dir)}
	}
	return f, nil
}

// said is what stands in a log from offset start on, its end where it is long.
func said(log *os.File, start int64) string {
	fi, err := log.Stat()
	if err != nil || fi.Size() <= start {
		return "it said nothing"
	}
	begin := max(start, fi.Size()-maxSaid)
	b := make([]byte, fi.Size()-begin)
	n, _ := log.ReadAt(b, begin)
	return strings.ToValidUTF8(strings.TrimSpace(string(b[:n])), "")
}

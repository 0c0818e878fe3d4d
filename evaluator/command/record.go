//go:build linux || darwin

package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/process"
)

// Names in a run's folder. The folder lies beside the candidate's log while the candidate is open.
const (
	outName      = "out.json"      // the command's to write
	stdoutName   = "stdout"        // the end of what it printed, there once it has ended
	stderrName   = "stderr"        // the same for errors
	recordName   = "process.json"  // which process it is
	endName      = "end.json"      // how it has ended, there once it has, and after the others
	progressName = "progress.json" // how far it is, where no runner was told
	haltName     = "halt"          // there when a runner has told it to end: only a good ending is then its own
)

// record identifies the processes of a run, so that a later runner can find them, and no others.
type record struct {
	Key     string          `json:"key"`
	Attempt int             `json:"attempt"`
	Split   evaluator.Split `json:"split"`
	Dir     string          `json:"dir"`           // the run's folder: in a copy of it the record says nothing
	PID     int             `json:"pid,omitempty"` // of the command; its group has the same number. 0: it is about to be started
	Start   string          `json:"start,omitempty"`
	Boot    string          `json:"boot"`
	Token   string          `json:"token"` // PARFAIT_RUN in the environment of all of its group

	Supervisor      int    `json:"supervisor"`
	SupervisorStart string `json:"supervisor_start"`
	SupervisorToken string `json:"supervisor_token"` // PARFAIT_SUPERVISOR in its environment, which nobody else has

	Ordered bool `json:"ordered,omitempty"` // the runner's own: its supervisor has not answered yet

	Slot    int       `json:"slot"`
	Command []string  `json:"command"`
	Kept    string    `json:"kept,omitempty"` // the sum under which its report is kept
	Started time.Time `json:"started"`
}

// supervised notes who runs it, and from when on.
func (r *record) supervised(pid int, start, boot, token string) {
	r.Supervisor, r.SupervisorStart, r.SupervisorToken = pid, start, token
	r.Boot, r.Started = boot, time.Now()
}

// identify notes which process PID is.
func (r *record) identify(pid int) {
	r.PID = pid
	if p, ok, err := process.LookUp(pid); err == nil && ok {
		r.Start = p.Start
	}
	if boot, err := process.BootID(); err == nil {
		r.Boot = boot
	}
}

// ending is how a command has ended.
type ending struct {
	Status int       `json:"status"`           // as a shell counts: 128 + n after signal n
	Signal string    `json:"signal,omitempty"` // "SIGKILL", where it was one
	OOM    bool      `json:"oom,omitempty"`    // the system has killed it for want of memory
	Began  time.Time `json:"began"`
	Ended  time.Time `json:"ended"`
}

func (e ending) String() string {
	if e.OOM {
		return fmt.Sprintf("exit status %d, killed since memory ran out,", e.Status)
	}
	return fmt.Sprintf("exit status %d", e.Status)
}

// runFolder names the folder of one attempt. Two evaluators may share a trial's log, and two studies a folder for logs:
// the candidate's ID tells them apart.
func runFolder(c evaluator.Candidate) string {
	if c.ID == "" {
		return olderFolder(c)
	}
	return fmt.Sprintf("%s%s%d-%s", c.Log, evaluator.RunInfix, c.Attempt, c.ID)
}

// leftFolder is runFolder, or where an older parfait has begun the attempt.
func leftFolder(c evaluator.Candidate) string {
	dir := runFolder(c)
	if _, err := os.Lstat(dir); err == nil {
		return dir
	}
	if old := olderFolder(c); old != dir {
		if _, err := os.Lstat(old); err == nil {
			return old
		}
	}
	return dir
}

// olderFolder names the folder of one attempt as it was done before there were IDs in the names, and where a candidate
// has none.
func olderFolder(c evaluator.Candidate) string {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%q %d %q %q", c.Key, c.Attempt, c.Split, c.Tasks) // a hash takes everything
	return fmt.Sprintf("%s%s%d-%016x", c.Log, evaluator.RunInfix, c.Attempt, h.Sum64())
}

// makeRunFolder makes an empty folder for an attempt. drop removes it where it is not beside a log, and so
// of no use to a later runner.
func makeRunFolder(c evaluator.Candidate) (dir string, drop func(), err error) {
	if c.Log == "" {
		if dir, err = os.MkdirTemp("", "parfait-run-*"); err != nil {
			return "", nil, evaluator.Errorf(evaluator.CannotStart, "there is no place for the output of candidate %s: %w", c.Key, err)
		}
		return dir, func() { _ = os.RemoveAll(dir) }, nil
	}
	if dir, err = filepath.Abs(runFolder(c)); err == nil {
		if err = evaluator.Drop(dir); err == nil {
			err = os.MkdirAll(dir, 0o755)
		}
	}
	if err != nil {
		return "", nil, evaluator.Errorf(evaluator.CannotStart, "there is no place for the output of candidate %s: %w", c.Key, err)
	}
	return dir, func() {}, nil
}

func (r record) write(dir string) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return writeWhole(filepath.Join(dir, recordName), b, false) // a power cut ends what it tells of
}

// writeWhole writes a file whole or not at all; with sync it is there after a power cut too.
func writeWhole(path string, b []byte, sync bool) error {
	part := path + ".part"
	f, err := os.Create(part)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil && sync {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(part, path); err != nil || !sync {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// readRecord returns the record of a run's folder; an error that Is os.ErrNotExist where nothing was
// started there.
func readRecord(dir string) (record, error) {
	b, err := os.ReadFile(filepath.Join(dir, recordName))
	if err != nil {
		return record{}, err
	}
	var r record
	if err := json.Unmarshal(b, &r); err != nil {
		return record{}, fmt.Errorf("%s: %w", filepath.Join(dir, recordName), err)
	}
	if r.PID == 1 || r.PID < 0 || r.PID == 0 && r.Token == "" {
		return record{}, fmt.Errorf("%s: %d is no process of ours", filepath.Join(dir, recordName), r.PID)
	}
	return r, nil
}

// readEnd returns how the run has ended, where that is recorded.
func readEnd(dir string) (e ending, ended bool, err error) {
	b, err := os.ReadFile(filepath.Join(dir, endName))
	if errors.Is(err, os.ErrNotExist) {
		return e, false, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &e)
	}
	return e, err == nil, err
}

// tookIn is how long the command of the run in dir took; 0 where that is not known.
func tookIn(dir string) time.Duration {
	e, ended, err := readEnd(dir)
	if err != nil || !ended {
		return 0
	}
	return e.Ended.Sub(e.Began)
}

// halt notes that the run is about to be told to end. Should that fail, and this runner be killed before it is
// done, the next one would take for a failure what was an interruption.
func halt(dir string) { _ = os.WriteFile(filepath.Join(dir, haltName), nil, 0o644) }

// readOwnEnd is readEnd of a run that came to its end by itself: not by a signal, and not because a runner had told it
// to.
func readOwnEnd(dir string) (e ending, ended bool, err error) {
	e, ended, err = readEnd(dir)
	if !ended || e.Status == 0 {
		return e, ended, err
	}
	_, err = os.Stat(filepath.Join(dir, haltName))
	ended = errors.Is(err, os.ErrNotExist) && process.SignalName(e.Status) == ""
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return e, ended, err
}

// environment is what marks the processes of the run.
func (r record) environment() string { return tokenVariable + "=" + r.Token }

// lives says whether a process is still there: the same number, started at the same moment, since the same boot.
func (r record) lives(pid int, start string) (bool, error) {
	boot, err := process.BootID()
	if err != nil || boot != r.Boot || pid == 0 {
		return false, err
	}
	p, ok, err := process.LookUp(pid)
	return ok && !p.Zombie && p.Start == start, err
}

// goesOn says whether somebody will still record the end of the run in dir: its supervisor is there, the very one. It may
// be there after that too, for what the command has left and still prints.
func (r record) goesOn(dir string) bool {
	if _, ended, _ := readEnd(dir); ended {
		return false
	}
	lives, err := r.lives(r.Supervisor, r.SupervisorStart)
	return err == nil && lives && r.ours(dir) && process.HasEnv(r.Supervisor, supervisorVariable+"="+r.SupervisorToken)
}

// stop ends what is left of the run's process group, and returns when nothing of it is left.
func (r record) stop(grace time.Duration) error {
	lives, err := r.lives(r.PID, r.Start)
	if err != nil {
		return err
	}
	if lives {
		return process.EndGroup(r.PID, 0, grace)
	}
	left, err := r.orphans()
	for _, p := range left {
		if e := syscall.Kill(p.PID, syscall.SIGKILL); e != nil && !errors.Is(e, syscall.ESRCH) {
			err = errors.Join(err, e)
		}
	}
	if err != nil || len(left) == 0 {
		return err
	}
	_, err = process.WaitUntilNot(func() (bool, error) { left, err := r.orphans(); return len(left) > 0, err }, process.Patience)
	return err
}

// orphans lists the living processes of r's group after its leader has gone. The number of the group may have been used
// again, so each has to carry r's token in its environment. Where the number is not known, that is all there is
// to know them by.
func (r record) orphans() ([]process.Process, error) {
	boot, err := process.BootID()
	if err != nil || boot != r.Boot {
		return nil, err
	}
	all, err := process.Members(r.PID)
	return slices.DeleteFunc(all, func(p process.Process) bool { return !process.HasEnv(p.PID, r.environment()) }), err
}

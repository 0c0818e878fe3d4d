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
	"strconv"
	"strings"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/process"
)

// Names in a run's folder. The folder lies beside the candidate's log while the candidate is open.
const (
	outName    = "out.json"     // the command's to write
	stdoutName = "stdout"       // everything it prints, written by the process itself
	stderrName = "stderr"       // the same for errors
	recordName = "process.json" // which process it is
	exitName   = "exit"         // its exit status, there once it has ended
	copiedName = "copied"       // how much of stdout and stderr is in the log already
	haltName   = "halt"         // there when a runner has told it to end: only a good ending is then its own
)

// record identifies the process group of a run, so that a later runner can find it, and no other.
type record struct {
	Key     string    `json:"key"`
	Attempt int       `json:"attempt"`
	PID     int       `json:"pid"` // of the leader; the group has the same number
	Start   string    `json:"start"`
	Boot    string    `json:"boot"`
	Token   string    `json:"token"` // PARFAIT_RUN in the environment of all of them
	Command []string  `json:"command"`
	Kept    string    `json:"kept,omitempty"` // the sum under which its report is kept
	Started time.Time `json:"started"`
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
		if err = os.RemoveAll(dir); err == nil {
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
	part := filepath.Join(dir, recordName+".part")
	if err := os.WriteFile(part, b, 0o644); err != nil {
		return err
	}
	return os.Rename(part, filepath.Join(dir, recordName))
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
	if r.PID < 2 {
		return record{}, fmt.Errorf("%s: %d is no process group of ours", filepath.Join(dir, recordName), r.PID)
	}
	return r, nil
}

// readExit returns the exit status that the run left, and whether it left one.
func readExit(dir string) (status int, ended bool, err error) {
	b, err := os.ReadFile(filepath.Join(dir, exitName))
	if errors.Is(err, os.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	status, err = strconv.Atoi(strings.TrimSpace(string(b)))
	return status, err == nil, err
}

// halt notes that the run is about to be told to end. Should that fail, and this runner be killed before it is
// done, the next one would take for a failure what was an interruption.
func halt(dir string) { _ = os.WriteFile(filepath.Join(dir, haltName), nil, 0o644) }

// readEnding returns the exit status that the run left, and whether it came to its end by itself: not by a
// signal, and not because a runner had told it to.
func readEnding(dir string) (status int, ended bool, err error) {
	status, ended, err = readExit(dir)
	if !ended || status == 0 {
		return status, ended, err
	}
	_, err = os.Stat(filepath.Join(dir, haltName))
	ended = errors.Is(err, os.ErrNotExist) && process.SignalName(status) == ""
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return status, ended, err
}

// environment is what marks the processes of the run.
func (r record) environment() string { return tokenVariable + "=" + r.Token }

// leaderLives says whether the process that r tells of is still there: the same number, started at the
// same moment, since the same boot.
func (r record) leaderLives() (bool, error) {
	boot, err := process.BootID()
	if err != nil || boot != r.Boot {
		return false, err
	}
	p, ok, err := process.LookUp(r.PID)
	return ok && !p.Zombie && p.Start == r.Start && p.Group == r.PID, err
}

// orphans lists the living processes of r's group after its leader has gone. The number of the group may
// have been used again, so each has to carry r's token in its environment.
func (r record) orphans() ([]process.Process, error) {
	boot, err := process.BootID()
	if err != nil || boot != r.Boot {
		return nil, err
	}
	all, err := process.Members(r.PID)
	return slices.DeleteFunc(all, func(p process.Process) bool { return !process.HasEnv(p.PID, r.environment()) }), err
}

package study

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"parfait/evaluator/slurm"
	"parfait/history"
)

// Submitted is a runner that Slurm keeps at work.
type Submitted struct {
	Name  string `json:"name"`          // of its job, and of those that follow it
	Job   string `json:"job,omitempty"` // its number, "" where the runner is none
	State string `json:"state"`         // in Slurm's words, or who is at work
	New   bool   `json:"new"`           // false: it was there already
	Log   string `json:"log"`
}

// SubmitRunner has Slurm keep a runner at work as a small job, which submits itself again before its time limit, until
// there is nothing left to do. sbatch are options for it, flags those of the runner. Where a runner is at work already, or
// waits in the queue, that one is told and nothing submitted.
func (s *Study) SubmitRunner(ctx context.Context, sbatch, flags []string) (sub Submitted, err error) {
	id, err := s.store.ownID()
	if err != nil {
		return sub, s.store.Explain(err)
	}
	dir, err := filepath.EvalSymlinks(s.dir)
	if err != nil {
		return sub, err
	}
	log, err := s.runnerLog()
	if err != nil {
		return sub, err
	}
	_ = log.Close() // nothing was written
	sub = Submitted{Name: "parfait-run-" + id, Log: log.Name()}
	if o := readOwner(s.dir); o.alive() {
		h, err := s.load(ctx)
		if err != nil {
			return sub, err
		}
		if h.meta["paused"] != "" {
			err = s.Do(Command{Kind: CommandResume})
		}
		sub.State = fmt.Sprintf("at work as process %d on %s since %s", o.PID, o.Host, o.Started.Local().Format("15:04:05"))
		return sub, err
	}
	self, err := os.Executable()
	if err != nil {
		return sub, err
	}
	command := append([]string{self, "run", dir, "--headless"}, flags...)
	if history.Heartbeats(s.dir) && !strings.Contains(strings.Join(flags, " "), "--lock") {
		command = append(command, "--lock=heartbeat")
	}
	job := slurm.Job{
		Name: sub.Name, Command: command, Dir: dir, Script: filepath.Join(dir, "logs", "runner.sh"),
		Log: filepath.Join(dir, "logs", "runner.log"), Sbatch: sbatch, Bin: s.slurmBin(),
	}
	placed, err := job.Submit(ctx)
	if err != nil {
		return sub, &Error{Code: CodeEvaluator, Where: "--detach=slurm", What: "the runner cannot be submitted", Err: err}
	}
	sub.Job, sub.State, sub.New = placed.Job, placed.Says, !placed.Found
	return sub, nil
}

// slurmBin is where an evaluator has Slurm's programs, "" where none says so.
func (s *Study) slurmBin() string {
	for _, e := range s.spec().Evaluators {
		if o, errs := slurm.ParseOptions(e.Options); e.Kind == "slurm" && len(errs) == 0 && o.Bin != "" {
			return o.Bin
		}
	}
	return ""
}

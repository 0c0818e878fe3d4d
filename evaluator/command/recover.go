//go:build linux || darwin

package command

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"parfait/evaluator"
	"parfait/evaluator/internal/process"
	"parfait/internal/rescue"
)

// Recover looks for the runs that an earlier runner left. One that has ended by itself is adopted, with its
// metrics or its error; one that goes on is stopped, all of its process group, and unknown, as are those
// that left nothing. Only a process that was started at the recorded moment since the recorded boot is
// touched. What a run left is deleted when its result is on record, or there is none and nothing runs.
func (e *commands) Recover(_ context.Context, open []evaluator.Candidate, emit func(evaluator.Event) error) ([]string, error) {
	left := make([]recovered, len(open))
	var wait rescue.Group
	for i, c := range open {
		if c.Log != "" {
			wait.Go(func() { left[i] = e.recoverOne(c) })
		}
	}
	wait.Wait()
	var (
		unknown []string
		errs    []error
	)
	for i, c := range open {
		r := left[i]
		keep := r.runs
		if r.ended {
			ev := evaluator.Event{Key: c.Key, Attempt: c.Attempt, State: evaluator.Done, Metrics: r.metrics, Err: r.err}
			if r.err != nil {
				ev.State, ev.Metrics = evaluator.Failed, nil
			}
			keep = emit(ev) != nil
		} else {
			unknown = append(unknown, c.Key)
			errs = append(errs, r.err)
		}
		if c.Log != "" && !keep {
			errs = append(errs, os.RemoveAll(leftFolder(c)))
		}
	}
	return unknown, errors.Join(errs...)
}

// recovered is what became of a candidate that an earlier runner left.
type recovered struct {
	ended   bool // by itself: metrics or err are its result
	runs    bool // perhaps: it could not be stopped, and the next runner has to try again
	metrics evaluator.Metrics
	err     error
}

func (e *commands) recoverOne(c evaluator.Candidate) recovered {
	dir, err := filepath.Abs(leftFolder(c))
	if err != nil {
		return recovered{err: err}
	}
	rec, err := readRecord(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return recovered{} // it had not begun
	}
	if err != nil {
		return recovered{err: evaluator.Errorf(evaluator.Internal, "candidate %s may still be evaluated: its record is damaged: %w", c.Key, err)}
	}
	_, ended, err := readEnding(dir)
	if !ended {
		halt(dir)
	}
	stopErr := rec.stop(e.options)
	status, ended, exitErr := readEnding(dir)
	boot, bootErr := process.BootID()
	if err := errors.Join(err, stopErr, exitErr, bootErr); err != nil {
		return recovered{runs: true, err: evaluator.Errorf(evaluator.Internal, "candidate %s may still be evaluated by process group %d: %w", c.Key, rec.PID, err)}
	}
	r := recovered{ended: ended}
	if ended {
		r.metrics, r.err = e.options.keptAs(c, rec.Kept).outcome(dir, status)
		if r.err != nil && rec.Boot != boot { // the machine went down: a file may have lost its end
			r = recovered{}
		}
	}
	// A log that cannot be written does not make a result unknown.
	if out, err := follow(dir, c.Log, e.options.LogLimit, func(evaluator.Progress) {}); err == nil {
		out.finish()
		if r.ended {
			out.log.Say("the runner was gone; the evaluation had ended with exit status %d", status)
		} else {
			out.log.Say("the runner was gone; the evaluation was stopped")
		}
		_ = out.close()
	}
	return r
}

// stop ends what is left of a run's process group.
func (r record) stop(o Options) error {
	lives, err := r.leaderLives()
	if err != nil {
		return err
	}
	if lives {
		if err := process.EndGroup(r.PID, r.PID, o.Grace); err != nil {
			return err
		}
		// The leader's input is closed: it notes the exit status and ends by itself.
		if gone, err := process.WaitUntilNot(r.leaderLives, o.Grace); err != nil || gone {
			return err
		}
		if err := process.SignalGroup(r.PID, syscall.SIGKILL); err != nil {
			return err
		}
		_, err = process.WaitUntilNot(r.leaderLives, process.Patience)
		return err
	}
	left, err := r.orphans()
	for _, p := range left {
		if e := syscall.Kill(p.PID, syscall.SIGKILL); e != nil && !errors.Is(e, syscall.ESRCH) {
			err = errors.Join(err, e)
		}
	}
	return err
}

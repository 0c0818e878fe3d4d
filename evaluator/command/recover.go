//go:build linux || darwin

package command

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/process"
	"parfait/internal/rescue"
)

// Recover looks for the runs that an earlier runner left. One that has ended by itself counts, with its metrics or its
// error. One that goes on is left alone and told as running, and taken up when it is submitted; it is known by its
// supervisor's number, the moment at which that was started, and the token in its environment. Everything else is
// stopped, all of its process group, and is unknown, as are those that left nothing. What a run left is deleted when
// its result is on record, or there is none and nothing runs.
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
		ev := evaluator.Event{Key: c.Key, Attempt: c.Attempt, State: evaluator.Running}
		switch {
		case r.ended && r.err != nil:
			ev.State, ev.Err = evaluator.Failed, r.err
		case r.ended:
			ev.State, ev.Metrics = evaluator.Done, r.metrics
		default:
			unknown = append(unknown, c.Key)
			errs = append(errs, r.err)
		}
		if r.ended || r.runs && r.err == nil {
			keep = emit(ev) != nil || r.runs
		}
		if c.Log != "" && !keep {
			errs = append(errs, evaluator.Drop(r.dir))
		}
	}
	return unknown, errors.Join(errs...)
}

// recovered is what became of a candidate that an earlier runner left.
type recovered struct {
	dir     string
	ended   bool // by itself: metrics or err are its result
	runs    bool // it goes on; or perhaps, with err: it could not be stopped, and the next runner has to try again
	metrics evaluator.Metrics
	err     error
}

func (e *commands) recoverOne(c evaluator.Candidate) (r recovered) {
	r.dir, r.err = filepath.Abs(leftFolder(c))
	if r.err != nil {
		return r
	}
	rec, err := readRecord(r.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return r // it had not begun
	}
	if err != nil {
		r.err = evaluator.Errorf(evaluator.Internal, "candidate %s may still be evaluated: its record is damaged: %w", c.Key, err)
		return r
	}
	goesOn := rec.goesOn(r.dir) && evaluator.Kept(r.dir) && !halted(r.dir)
	end, ended, err := readOwnEnd(r.dir) // after that: it may end at any time
	if err == nil && !ended && goesOn {
		r.runs = true
		return r
	}
	boot, bootErr := process.BootID()
	if !ended && rec.ours(r.dir) {
		halt(r.dir)
		err = errors.Join(err, rec.stop(e.options.Grace))
	}
	if err = errors.Join(err, bootErr); err != nil {
		r.runs, r.err = true, evaluator.Errorf(evaluator.Internal, "candidate %s may still be evaluated by process group %d: %w", c.Key, rec.PID, err)
		return r
	}
	log, err := evaluator.OpenLog(c.Log, e.options.LogLimit)
	if err == nil { // a log that cannot be written does not make a result unknown
		defer log.Close()
	}
	if !ended {
		log.Say("the runner was gone; the evaluation was stopped, or had been")
		return r
	}
	r.ended = true
	r.metrics, r.err = e.options.keptAs(c, rec.Kept).outcome(r.dir, end.Status)
	if r.err != nil && rec.Boot != boot { // the machine went down: a file may have lost its end
		return recovered{dir: r.dir}
	}
	log.Say("the runner was gone; the evaluation had ended with %s", end)
	return r
}

// takeUp waits for the end of the candidate's run that an earlier runner has begun, or that has ended without being
// recorded; taken is false where there is none.
func (e *commands) takeUp(ctx context.Context, c evaluator.Candidate, progress func(evaluator.Progress)) (m evaluator.Metrics, taken bool, err error) {
	if c.Log == "" {
		return nil, false, nil
	}
	dir, err := filepath.Abs(runFolder(c))
	if err != nil {
		return nil, false, err
	}
	rec, err := readRecord(dir)
	if err != nil || !rec.ours(dir) {
		return nil, false, nil //nolint:nilerr // what is there is of no use, and makes room
	}
	slot := e.slots.take(rec.Slot)
	defer e.slots.give(slot)
	evaluator.Began(ctx, rec.Started)
	told := time.Time{}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		goesOn := rec.goesOn(dir) && evaluator.Kept(dir)
		end, ended, err := readOwnEnd(dir)
		switch {
		case err != nil:
			return nil, false, evaluator.Errorf(evaluator.Internal, "how the evaluation of candidate %s has ended cannot be read: %w", c.Key, err)
		case ended:
			m, err = e.options.keptAs(c, rec.Kept).outcome(dir, end.Status)
			return m, true, err
		case !goesOn || halted(dir): // begun anew
			evaluator.Began(ctx, time.Now())
			return nil, false, stop(dir, rec, e.options.Grace)
		}
		if info, err := os.Stat(filepath.Join(dir, progressName)); err == nil && info.ModTime() != told {
			told = info.ModTime()
			var p evaluator.Progress
			if b, err := os.ReadFile(filepath.Join(dir, progressName)); err == nil && json.Unmarshal(b, &p) == nil {
				progress(p)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if err := stop(dir, rec, evaluator.Left(ctx, e.options.Grace)); err != nil {
				return nil, true, err
			}
			_, _ = process.WaitUntilNot(func() (bool, error) { // it says what it said last
				return rec.goesOn(dir), nil
			}, evaluator.Left(ctx, process.Patience))
			return nil, true, stopped(dir, ctx.Err())
		}
	}
}

// lookEvery is how often is looked whether a run has ended that an earlier runner has begun.
const lookEvery = 100 * time.Millisecond

// stop ends a run, which is noted first.
func stop(dir string, rec record, grace time.Duration) error {
	halt(dir)
	if err := rec.stop(grace); err != nil {
		return evaluator.Errorf(evaluator.Internal, "%w", err)
	}
	return nil
}

// ours says whether the record is of the run in dir, and not of the one that dir is a copy of.
func (r record) ours(dir string) bool { return r.Dir == dir }

func halted(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, haltName))
	return err == nil
}

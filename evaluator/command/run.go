//go:build linux || darwin

package command

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/placeholder"
	"parfait/evaluator/internal/process"
	"parfait/internal/rescue"
	"parfait/problem"
)

// tokenVariable marks the processes of a run.
const tokenVariable = "PARFAIT_RUN"

// run is one execution of the command.
type run struct {
	options   Options
	candidate evaluator.Candidate
	kept      string // the sum under which its report is kept
	dir       string // the run's folder
	values    map[string]string
	slot      int
	progress  func(evaluator.Progress)
}

// execute runs the command to its end, or until ctx ends. When it returns, the whole process group is gone.
func (r *run) execute(ctx context.Context, slots *slots) (e ending, err error) {
	args := r.options.command(r.candidate)
	for i, a := range args {
		args[i] = placeholder.Expand(a, r.values)
	}
	if err := r.options.program(args[0]).Find(); err != nil {
		if r.options.Harness != nil {
			err = fmt.Errorf("%w; install it (pip install 'lm_eval[hf]'), or say where it is with the option program: [/path/to/venv/bin/lm_eval]", err)
		}
		return e, evaluator.Errorf(evaluator.CannotStart, "%w", err)
	}
	o, err := r.order(args)
	if err == nil {
		e, err = r.obeyed(ctx, slots, o)
	}
	var own *evaluator.Error
	if err != nil && ctx.Err() == nil && !errors.As(err, &own) {
		err = evaluator.Errorf(evaluator.CannotStart, "%s could not be started for candidate %s: %w", args[0], r.candidate.Key, err)
	}
	return e, err
}

// order is what a supervisor is told.
func (r *run) order(args []string) (o order, err error) {
	token := rand.Text()
	o = order{
		Dir: r.dir, Args: args, LogLimit: r.options.LogLimit, Grace: r.options.Grace,
		Env:    append(append(os.Environ(), environment(r.options, r.values)...), tokenVariable+"="+token),
		Record: record{Key: r.candidate.Key, Attempt: r.candidate.Attempt, Split: r.candidate.Split, Dir: r.dir, Token: token, Slot: r.slot, Command: args, Kept: r.kept},
	}
	if o.Cwd, err = filepath.Abs(r.options.Dir); err == nil && r.candidate.Log != "" {
		o.Log, err = filepath.Abs(r.candidate.Log)
	}
	return o, err
}

// obeyed has a supervisor run the command.
func (r *run) obeyed(ctx context.Context, slots *slots, o order) (e ending, err error) {
	if ctx.Err() != nil {
		return e, ctx.Err()
	}
	sv, fresh, err := slots.supervisor(r.slot)
	if err != nil {
		return e, err
	}
	err = sv.tell(o)
	var trouble *unrecorded
	if errors.As(err, &trouble) {
		return e, err
	}
	if err != nil && !fresh { // it had been killed since the last
		slots.lost(r.slot)
		if sv, fresh, err = slots.supervisor(r.slot); err == nil {
			err = sv.tell(o)
		}
	}
	if err != nil {
		slots.lost(r.slot)
		return e, errSupervisor()
	}
	said := make(chan answer)
	gone := make(chan struct{})
	defer close(gone)
	rescue.Go(func() {
		defer close(said)
		for {
			var a answer
			if sv.in.Decode(&a) != nil {
				return
			}
			select {
			case said <- a:
			case <-gone:
				return
			}
			if a.Ended != nil || a.Failed != nil {
				return
			}
		}
	})
	var rec record // once it has begun
	ended := ctx.Done()
	var late <-chan time.Time
	for {
		select {
		case a, ok := <-said:
			switch {
			case !ok:
				slots.lost(r.slot)
				return e, r.orphaned(rec, fresh)
			case a.Begun != nil:
				if rec = *a.Begun; ended == nil {
					err = errors.Join(err, r.halt(ctx, rec))
				}
			case a.Progress != nil:
				r.progress(*a.Progress)
			case a.Failed != nil:
				return e, a.Failed.error()
			case a.Ended != nil:
				return r.cut(ctx, *a.Ended, err)
			}
		case <-ended:
			ended = nil
			if rec.PID != 0 {
				err = r.halt(ctx, rec)
			}
			timer := time.NewTimer(evaluator.Left(ctx, r.options.Grace) + process.Patience)
			defer timer.Stop()
			late = timer.C
		case <-late:
			slots.lost(r.slot)
			if rec.PID == 0 { // it may have begun without a word
				rec, _ = readRecord(r.dir)
				err = rec.stop(r.options.Grace)
			}
			return e, errors.Join(err, evaluator.Errorf(evaluator.Internal, "the end of process group %d was not recorded within %v of being told to end", rec.PID, process.Patience))
		}
	}
}

// halt tells the run to end, which is noted first.
func (r *run) halt(ctx context.Context, rec record) error {
	if _, ended, _ := readEnd(r.dir); ended {
		return nil
	}
	halt(r.dir)
	if err := rec.stop(evaluator.Left(ctx, r.options.Grace)); err != nil {
		return evaluator.Errorf(evaluator.Internal, "%w", err)
	}
	return nil
}

// cut is what has come of a run that has ended: where it had by itself before it was told to, what it came to, which was
// paid for.
func (r *run) cut(ctx context.Context, e ending, err error) (ending, error) {
	if err != nil || ctx.Err() == nil {
		return e, err
	}
	if _, own, err := readOwnEnd(r.dir); own && err == nil {
		if _, err := os.Stat(filepath.Join(r.dir, haltName)); err != nil {
			return e, nil //nolint:nilerr // nobody has told it to
		}
	}
	return e, stopped(r.dir, ctx.Err())
}

// stopped tells what a run that had to be stopped said last.
func stopped(dir string, err error) error {
	if said := lastIn(filepath.Join(dir, stderrName), "stderr"); said.words != "" && err != nil {
		return &evaluator.Error{Problem: problem.Problem{Code: evaluator.Interrupted, What: "the last it said was " + said.reason + said.ending()}, Cause: err}
	}
	return err
}

// orphaned ends a run whose supervisor has gone. How it would have ended nobody knows.
func (r *run) orphaned(rec record, fresh bool) error {
	if rec.Token == "" { // it has not said that it began
		var err error
		if rec, err = readRecord(r.dir); err != nil || rec.Ordered {
			if fresh {
				return errSupervisor()
			}
			return supervisorKilled
		}
	}
	if err := rec.stop(r.options.Grace); err != nil {
		return errors.Join(supervisorKilled, evaluator.Errorf(evaluator.Internal, "%w", err))
	}
	return supervisorKilled
}

// supervisorKilled is no fault of the candidate's.
var supervisorKilled = &evaluator.Error{
	Problem: problem.Problem{Code: evaluator.Killed, What: "the process that supervises the evaluation was ended by SIGKILL, as the system does where memory runs out; the evaluation was ended with it"},
	Signal:  "SIGKILL",
}

func (o Options) program(name string) process.Program {
	_, ownPath := o.Env["PATH"]
	return process.Program{Name: name, Dir: o.Dir, OwnPath: ownPath}
}

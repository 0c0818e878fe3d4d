//go:build linux || darwin

// Package command measures candidates with a command of the user's: a script, lm-eval, anything that runs
// on this machine.
//
// In come a command line with placeholders and the candidates; for each candidate one process group is
// started, supervised and, when its time is over, killed as a whole. Out come the metrics that it wrote as
// JSON, its progress, and its output in the candidate's log. A small process of ours stands between, which outlives
// the runner with the command: what a runner leaves that is killed itself is taken up by the next one, whether it
// has ended or goes on, and never a process that only happens to have its number.
//
// It knows nothing of studies; the options' names are those of study.yaml.
package command

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/option"
)

// Options say what to run and how. The zero value of each but Command is a good one.
type Options struct {
	Command  []string          // program and arguments, with placeholders; no shell is involved
	Parallel int               // commands at once, 0: a device each, or 1
	Timeout  time.Duration     // for one candidate, 0: none
	Tries    int               // of a candidate, see evaluator.Limits
	Grace    time.Duration     // between SIGTERM and SIGKILL, 0: 10 s
	Dir      string            // working directory, "": the runner's
	Env      map[string]string // set beside the runner's own environment, with placeholders
	Devices  []string          // CUDA_VISIBLE_DEVICES of the slots, in turn; empty: as it is
	Model    bool              // the model is wanted, although {model} is in neither Command nor Env
	Form     evaluator.Form    // of the model, "": a folder
	MaxRank  int               // of an adapter's modules, 0: whatever they have
	// Splits that it can measure. Empty: validation, and test where {split} is in Command or Env.
	Splits []evaluator.Split
	// Metrics says where a task's figure is, where it is not under the task's name: a key of flat JSON, or
	// of an lm-eval result the metric ("exact_match,strict-match") or task and metric ("gsm8k_cot/acc,none").
	Metrics  map[string]string
	LogLimit int64 // bytes of output that are kept in the log, 0: evaluator.MaxLog

	// Harness makes it a run of lm-eval's own command line; nil for any other program.
	Harness *Harness
}

// Harness is what a program gets and gives that is lm-eval itself.
type Harness struct {
	// Tasks has where the figure of a task is: lm-eval's task, and perhaps "/" and the metric ("gsm8k_cot/exact_match").
	// A task that is not in it has lm-eval's name. {tasks} stands for these tasks of lm-eval's.
	Tasks map[string]string
	// Run is what {tasks} stands for instead; nil: the tasks that are asked for.
	Run []string
	// Items are, for each split, the items of lm-eval's tasks that belong to it, as --samples has them; nil: all belong to
	// all.
	Items map[evaluator.Split]map[string][]int
}

// New checks the options and makes the evaluator. Everything wrong with them is reported at once.
func New(o Options) (evaluator.Evaluator, error) {
	if err := errors.Join(o.set().Check()...); err != nil {
		return nil, err
	}
	o.Parallel = cmp.Or(o.Parallel, len(o.Devices), 1)
	o.Grace = cmp.Or(o.Grace, 10*time.Second)
	o.Complete()
	e := &commands{options: o, slots: slots{used: make([]bool, o.Parallel), supervisors: make([]*supervised, o.Parallel)}}
	e.blocking = evaluator.Blocking(evaluator.Limits{
		InFlight: o.Parallel, Files: 2 * o.Parallel, NeedsModel: o.Model, Form: o.Form, MaxRank: o.MaxRank, Elsewhere: option.Elsewhere(o.Command), Splits: o.Splits, Timeout: o.Timeout, Tries: o.Tries,
	}, e.measure)
	return e, nil
}

// commands is the evaluator.
type commands struct {
	options  Options
	blocking evaluator.Evaluator
	slots    slots
}

func (e *commands) Limits() evaluator.Limits { return e.blocking.Limits() }

// Close ends the supervisors.
func (e *commands) Close() error {
	e.slots.close()
	return nil
}

// Submit cleans up after a candidate when its final event is on record: until then a runner that follows
// this one could need what it left.
func (e *commands) Submit(ctx context.Context, batch []evaluator.Candidate, emit func(evaluator.Event) error) error {
	if emit == nil {
		return e.blocking.Submit(ctx, batch, nil)
	}
	folders := map[string]string{}
	for _, c := range batch {
		if c.Log == "" {
			continue
		}
		if dir, err := filepath.Abs(runFolder(c)); err == nil {
			folders[c.Key] = dir
		}
	}
	return e.blocking.Submit(ctx, batch, func(ev evaluator.Event) error {
		err := emit(ev)
		if dir := folders[ev.Key]; ev.State.Final() && dir != "" && err == nil {
			_ = evaluator.Drop(dir) // what stays is found by nobody: attempts have folders of their own
		}
		return err
	})
}

func (e *commands) measure(ctx context.Context, c evaluator.Candidate, progress func(evaluator.Progress)) (m evaluator.Metrics, err error) {
	if m, taken, err := e.takeUp(ctx, c, progress); taken || err != nil {
		return m, err
	}
	k := e.options.kept(c)
	if m, ok := k.read(); ok {
		return m, nil
	}
	slot := e.slots.take(-1)
	defer e.slots.give(slot)
	dir, drop, err := makeRunFolder(c)
	if err != nil {
		return nil, err
	}
	defer drop()
	model, release, err := e.options.ModelPath(ctx, c)
	if err != nil {
		return nil, err
	}
	defer release()
	values, err := e.options.values(c, model, filepath.Join(dir, outName), slot)
	if err != nil {
		return nil, err
	}
	if e.options.Model && c.Log != "" && c.ID != "" && c.Written == "" {
		if values["model"], err = evaluator.Keep(dir, c.ID, model); err != nil {
			return nil, evaluator.Errorf(evaluator.CannotStart, "the merged model of candidate %s cannot be kept: %w", c.Key, err)
		}
	}
	r := &run{options: e.options, candidate: c, kept: k.sum, dir: dir, values: values, slot: slot, progress: progress}
	end, err := r.execute(ctx, &e.slots)
	if err != nil {
		return nil, err
	}
	return k.outcome(dir, end.Status)
}

// outcome says what an evaluation that ended with the given status came to.
func (k kept) outcome(dir string, status int) (evaluator.Metrics, error) {
	if status != 0 {
		return nil, exitError(k.options, k.candidate, dir, status)
	}
	m, err := k.metrics(dir)
	return k.candidate.Time(m, tookIn(dir)), err
}

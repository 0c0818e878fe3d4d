//go:build linux || darwin

// Package slurm measures candidates as tasks of Slurm's job arrays, with a command of the user's.
//
// In come a command line with placeholders, options for sbatch, and the candidates; what is asked for together goes out
// as one array. Out come the metrics that the command wrote, its output in the candidate's log, and as progress what
// the queue says of its task.
//
// The cluster is believed little. A task is known by the id of what it measures, never by a job's number, which a
// controller that crashed gives again. What is about to be submitted is on disk before sbatch is called, and where
// that is there already the queue is asked first. An error of squeue means that nothing is known. The only proof that
// something was measured is a file which the task has linked to its final name, so that the first of two tasks wins
// where Slurm has run one twice. A task is lost when there is no such file and the queue has said twice, some time
// apart, that the task is over or not there.
//
// So nothing is lost with the runner either: the next one takes up the tasks that wait, run or have ended, when it is
// asked for the same again.
//
// It knows nothing of studies; the options' names are those of study.yaml.
package slurm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/command"
)

// Lost is the failure of a candidate whose task Slurm has lost again and again.
const Lost evaluator.Code = "lost"

// DefaultThrottle is Options.Throttle where nobody says.
const DefaultThrottle = 8

// Options say what to run and how. The zero value of each but Command.Command and Folder is a good one.
type Options struct {
	// Command is run on a node, in Dir; its Parallel, Timeout and Grace mean nothing here.
	Command command.Options
	Sbatch  []string // options of sbatch: --partition, --gres, --time, …
	// Throttle is how many candidates are in the cluster at once, over all jobs and arrays; 0: DefaultThrottle.
	Throttle int
	Group    int           // candidates that a task measures one after another, 0: 1
	There    bool          // a task merges its candidate itself, by the recipe
	NodeDir  string        // where, on its node; "": $SLURM_TMPDIR, $TMPDIR or /tmp
	Program  string        // parfait, which merges there; "": this one
	Poll     time.Duration // between two calls of squeue, 0: 15 s
	Lost     time.Duration // between the two answers of the queue after which a task is lost, 0: 30 s
	Tries    int           // tasks for a candidate, at most, where they are lost; 0: 5
	Bin      string        // folder with sbatch, squeue, scancel and scontrol, "": as in $PATH
	Folder   string        // for what has to outlive the runner, in a file system that the nodes share
}

// New checks the options, asks sbatch whether it takes its own (a controller or nodes that are away are asked later, by
// submitting), and makes the evaluator. Everything wrong is reported at once, before anything is paid for.
func New(o Options) (evaluator.Evaluator, error) {
	if err := errors.Join(o.set().Check()...); err != nil {
		return nil, err
	}
	folder, err := filepath.Abs(o.Folder)
	if err != nil {
		return nil, err
	}
	if real, err := filepath.EvalSymlinks(folder); err == nil {
		folder = real
	}
	o.Folder = folder
	o.complete()
	if o.There && !o.Command.Model {
		return nil, evaluator.Errorf(evaluator.BadOptions, "materialise: there, and nobody wants a model: let the command mention {model}")
	}
	e := &cluster{options: o, tools: tools{bin: o.Bin}, waits: map[string]*wait{}, wake: make(chan struct{}, 1), blame: map[string]int{}}
	r := e.request()
	if err := e.tools.check(context.Background(), r); err != nil {
		return nil, err
	}
	e.taken = r.taken
	if o.There {
		if err := e.bring(); err != nil {
			return nil, err
		}
	}
	e.blocking = evaluator.Blocking(evaluator.Limits{
		InFlight: o.Throttle, NeedsModel: o.Command.Model && !o.There, Merges: o.There, Form: o.Command.Form, MaxRank: o.Command.MaxRank, Elsewhere: true, Splits: o.Command.Splits,
	}, e.measure)
	return e, nil
}

// complete sets what was left at zero.
func (o *Options) complete() {
	o.Throttle = cmp.Or(o.Throttle, DefaultThrottle)
	o.Group = cmp.Or(o.Group, 1)
	o.Tries = cmp.Or(o.Tries, 5)
	o.Poll = cmp.Or(o.Poll, 15*time.Second)
	o.Lost = cmp.Or(o.Lost, 30*time.Second)
	o.Command.Complete()
}

// cluster is the evaluator.
type cluster struct {
	options  Options
	tools    tools
	blocking evaluator.Throttled

	wake chan struct{} // has the tender look at once

	mu    sync.Mutex
	study string           // the first part of the ids
	waits map[string]*wait // candidates that somebody waits for, by id
	tends bool             // the tender is at work
	chore bool             // it has to ask the queue once, whoever waits
	left  int              // tasks that go on without this runner

	merging merging // what is merged there

	// The tender's own.
	blame   map[string]int // how many tasks each node has lost
	largest int            // array, in tasks; 0: not asked yet
	again   time.Time      // when more may be submitted, where that has to wait
	taken   bool           // sbatch has taken the options
}

func (e *cluster) Limits() evaluator.Limits { return e.blocking.Limits() }

// Throttle changes Options.Throttle; nothing that is in the cluster is taken back.
func (e *cluster) Throttle(n int) { e.blocking.Throttle(n) }

// Submit cleans up after a candidate when its final event is on record, unless its task goes on.
func (e *cluster) Submit(ctx context.Context, batch []evaluator.Candidate, emit func(evaluator.Event) error) error {
	if emit == nil {
		return e.blocking.Submit(ctx, batch, nil)
	}
	ids := map[string]string{}
	for _, c := range batch {
		ids[c.Key] = idOf(c)
	}
	return e.blocking.Submit(ctx, batch, func(ev evaluator.Event) error {
		if res, ok := e.run(ids[ev.Key]).result(); ok && ev.State.Final() {
			ev.Elapsed = res.held() // the queue costs nothing
		}
		err := emit(ev)
		if ev.State.Final() && err == nil && !leaving(ev.Err) {
			_ = evaluator.Drop(e.run(ids[ev.Key]).dir) // the next sweep finds what stays
		}
		return err
	})
}

// leaving says whether err comes from the end of the program, which ends nothing in the cluster.
func leaving(err error) bool {
	var l *evaluator.Leaving
	return errors.As(err, &l)
}

func (e *cluster) measure(ctx context.Context, c evaluator.Candidate, progress func(evaluator.Progress)) (evaluator.Metrics, error) {
	if m, ok := e.options.Command.Known(c); ok {
		return m, nil
	}
	r := e.run(idOf(c))
	if res, ok := r.result(); ok { // from before
		return e.outcome(ctx, c, r, res)
	}
	release, err := e.prepare(ctx, c, r)
	if err != nil {
		return nil, err
	}
	defer release()
	w := &wait{run: r, candidate: c, progress: progress, ended: make(chan struct{})}
	w.task, _ = r.task() // a runner before this one may have submitted it
	e.follow(w)
	select {
	case <-w.ended:
	case <-ctx.Done():
		return nil, e.leave(ctx, w)
	}
	res, ok := r.result()
	if !ok {
		return nil, evaluator.Errorf(evaluator.Internal, "the result of candidate %s has gone from %s", c.Key, r)
	}
	return e.outcome(ctx, c, r, res)
}

// leave gives a candidate up whose context has ended. Where that is because the program is leaving, the task goes on:
// the next runner takes it up.
func (e *cluster) leave(ctx context.Context, w *wait) error {
	e.unfollow(w)
	if !leaving(context.Cause(ctx)) {
		e.withdraw(w)
	} else if _, ok := w.run.task(); ok {
		e.mu.Lock()
		e.left++
		e.mu.Unlock()
	}
	return ctx.Err()
}

// prepare makes the folder of a candidate that is not in the cluster yet, with what a task needs. The lease on its
// model is held until release is called.
func (e *cluster) prepare(ctx context.Context, c evaluator.Candidate, r run) (release func(), err error) {
	if r.prepared() {
		return func() {}, nil
	}
	fail := func(err error) (func(), error) {
		return nil, evaluator.Errorf(evaluator.CannotStart, "candidate %s cannot be handed to Slurm: %w", c.Key, err)
	}
	if err := r.make(); err != nil {
		return fail(err)
	}
	model := modelMark
	release = func() {}
	switch {
	case e.mergesThere(c):
		err = e.hasProgram()
		if err == nil && len(c.Recipe) == 0 {
			err = evaluator.Errorf(evaluator.NoModel, "it has no recipe to be merged by there")
		}
		if err == nil {
			err = r.write(recipeName, c.Recipe)
		}
	case e.options.Command.Model:
		if model, release, err = c.ModelPath(ctx, e.options.Command.Form); err != nil {
			return nil, err
		}
		model, err = evaluator.Keep(r.dir, r.id, model)
	default:
		if model, release, err = c.ModelPath(ctx, ""); err != nil {
			return nil, err
		}
	}
	text := ""
	if err == nil {
		text, err = e.script(c, model)
	}
	if err == nil {
		err = r.write(sumName, []byte(e.options.Command.Sum(c)))
	}
	if err == nil {
		err = r.write(commandName, []byte(text))
	}
	if err != nil {
		release()
		return fail(err)
	}
	return release, nil
}

// outcome says what a finished candidate came to.
func (e *cluster) outcome(ctx context.Context, c evaluator.Candidate, r run, res result) (evaluator.Metrics, error) {
	r.log(c, res)
	if res.Code != "" {
		return nil, evaluator.Errorf(res.Code, "%s", res.Error)
	}
	if e.mergesThere(c) {
		if err := e.compare(ctx, c, r, res); err != nil {
			return nil, err
		}
	}
	m, err := e.options.Command.Outcome(c, r.sum(), filepath.Join(r.dir, res.Try), res.Status)
	m = c.Time(m, res.took())
	if err == nil && e.options.There && c.Written != "" && e.options.Command.Form == evaluator.Folder && c.Looked != nil {
		c.Looked() // an export is measured as it lies
	}
	if err == nil || !errors.Is(err, evaluator.Killed) {
		return m, err
	}
	return m, evaluator.Errorf(evaluator.Killed, "%w\n(task %s on %s; where memory ran out, ask for more of it: --mem=… in the evaluator's sbatch)", err, res.Job, res.Node)
}

// Recover tells of the candidates whose results are there. The others are unknown; their tasks wait or run on, and are
// taken up when they are asked for again.
func (e *cluster) Recover(ctx context.Context, open []evaluator.Candidate, emit func(evaluator.Event) error) (unknown []string, err error) {
	for _, c := range open {
		r := e.run(idOf(c))
		res, ok := r.result()
		if !ok {
			unknown = append(unknown, c.Key)
			continue
		}
		ev := evaluator.Event{Key: c.Key, Attempt: c.Attempt, State: evaluator.Done}
		ev.Elapsed = res.held()
		if ev.Metrics, ev.Err = e.outcome(ctx, c, r, res); ev.Err != nil {
			ev.State, ev.Metrics = evaluator.Failed, nil
		}
		if emit(ev) == nil {
			err = errors.Join(err, evaluator.Drop(r.dir))
		}
	}
	return unknown, err
}

// Sweep deletes what is left of questions that nobody will ask again, and has their tasks cancelled.
func (e *cluster) Sweep(wanted func(id string) bool) error {
	entries, err := os.ReadDir(e.options.Folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var errs []error
	for _, entry := range entries {
		id, isRun := strings.CutPrefix(entry.Name(), runPrefix)
		e.mu.Lock()
		e.chore = e.chore || isRun || strings.HasPrefix(entry.Name(), arrayPrefix)
		e.mu.Unlock()
		if isRun && !wanted(id) {
			errs = append(errs, evaluator.Drop(e.run(id).dir))
		}
		if isRun {
			e.know(id)
		}
	}
	e.tend()
	return errors.Join(append(errs, err)...)
}

// know learns from an id whose study this is.
func (e *cluster) know(id string) {
	study, _, _ := strings.Cut(id, "-")
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.study == "" {
		e.study = study
	}
}

// jobName is the name of all jobs of the study.
func (e *cluster) jobName() string { return fmt.Sprintf("parfait-%s", e.study) }

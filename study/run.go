package study

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"parfait/evaluator"
	"parfait/merge"
	"parfait/search"
)

// RunOptions say how to run; they change the time that it takes and nothing else.
type RunOptions struct {
	Workers int               // candidates at once in each evaluator, 0: as study.yaml says
	Note    func(text string) // what a person should know, a line each; may be nil
}

// failsMost is how many trials may fail in a row before the runner pauses and asks for a look.
const failsMost = 5

// Run takes the run lock and measures what the strategy and people ask for, until the budget is spent,
// the strategy has no more to ask, a stop is asked for, or ctx ends. Before anything is measured,
// everything that can be checked is. What was running when it ends runs again later, as a new attempt.
func (s *Study) Run(ctx context.Context, o RunOptions) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lock, err := takeLock(ctx, s.dir)
	if err != nil {
		return err
	}
	defer s.changed()
	defer lock.release()
	r, err := s.newRunner(ctx, o)
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.recover(ctx); err != nil {
		return err
	}
	return r.loop(ctx)
}

// runner is the one process that evaluates. Only its loop touches its fields.
type runner struct {
	*Study
	options  RunOptions
	strategy search.Strategy
	lanes    []*lane
	pools    map[evaluator.Form]*pool // of the forms that evaluators need
	hist     *history
	jobs     map[int]*job // trials that are open in some lane
	events   chan laneEvent
	asked    chan askResult // the strategy's answer, computed beside the loop
	asking   bool
	fails    int
	upcoming chan upcomingQuestion
	ended    chan struct{}
}

// lane is one evaluator with the tasks that it measures.
type lane struct {
	name  string
	eval  evaluator.Evaluator
	tasks []string
	busy  int
}

// job is a trial that is being measured.
type job struct {
	cancel context.CancelFunc
	ctx    context.Context
	open   map[*lane]bool // lanes that are measuring it now
	failed string
	saved  time.Time // when progress was last recorded
}

type laneEvent struct {
	lane *lane
	id   int
	evaluator.Event
}

type askResult struct {
	batch    int
	seen     []int
	proposal search.Proposal
	err      error
}

type upcomingQuestion struct {
	but   int
	reply chan []Trial
}

func (s *Study) newRunner(ctx context.Context, o RunOptions) (*runner, error) {
	r := &runner{Study: s, options: o, pools: map[evaluator.Form]*pool{}, jobs: map[int]*job{}, events: make(chan laneEvent, 64), asked: make(chan askResult, 1), upcoming: make(chan upcomingQuestion), ended: make(chan struct{})}
	var err error
	if r.strategy, err = search.New(s.spec.Search.Strategy, s.spec.Search.Options); err != nil {
		return nil, inputError("search", "%s", err)
	}
	forms := map[evaluator.Form]bool{}
	for name, spec := range s.spec.Evaluators {
		l := &lane{name: name}
		for _, t := range s.spec.Tasks {
			if t.Evaluator == name {
				l.tasks = append(l.tasks, t.Name)
			}
		}
		if len(l.tasks) == 0 {
			continue
		}
		if l.eval, err = spec.build(s.dir, o.Workers); err != nil {
			return nil, &Error{Code: CodeEvaluator, Where: "evaluators." + name, What: "cannot be used", Err: err}
		}
		if lim := l.eval.Limits(); !slices.Contains(lim.Splits, evaluator.Validation) {
			return nil, &Error{Code: CodeEvaluator, Where: "evaluators." + name, What: "cannot measure the validation split, which the search needs"}
		} else if lim.NeedsModel {
			forms[cmp.Or(lim.Form, evaluator.Folder)] = true
		}
		r.lanes = append(r.lanes, l)
	}
	slices.SortFunc(r.lanes, func(a, b *lane) int {
		return slices.Index(s.taskNames(), a.tasks[0]) - slices.Index(s.taskNames(), b.tasks[0])
	})
	if err := os.MkdirAll(filepath.Join(s.dir, "logs"), 0o755); err != nil {
		return nil, err
	}
	for _, form := range []evaluator.Form{evaluator.Folder, evaluator.Adapter} {
		if forms[form] {
			if err := r.addPool(ctx, form); err != nil {
				return nil, err
			}
		}
	}
	id, err := s.spec.identity()
	if err != nil {
		return nil, err
	}
	for k, v := range map[string]string{"identity": mustJSON(id), "stop": "", "paused": "", "note": ""} {
		if err := s.store.setMeta(k, v); err != nil {
			return nil, historyError(s.dir, err)
		}
	}
	r.hist, err = s.store.load(ctx)
	return r, historyError(s.dir, err)
}

func (s *Study) taskNames() []string {
	out := make([]string, len(s.spec.Tasks))
	for i, t := range s.spec.Tasks {
		out[i] = t.Name
	}
	return out
}

// addPool plans merges of one form, which says everything that is wrong with the models.
func (r *runner) addPool(ctx context.Context, form evaluator.Form) error {
	spec := r.spec.mergeSpec(r.dir)
	if form == evaluator.Adapter {
		spec.Form = merge.FormAdapter
	}
	plan, err := merge.NewPlan(ctx, spec)
	if err != nil {
		return err
	}
	p, err := newPool(plan, r.Study, form, r.askUpcoming)
	if err == nil {
		err = r.sameInputs(plan)
	}
	if err != nil {
		return errors.Join(err, plan.Close())
	}
	for _, w := range plan.Warnings() {
		r.note("%s", w.Error())
	}
	r.pools[form] = p
	return nil
}

func (r *runner) close() {
	close(r.ended)
	for _, p := range r.pools {
		if err := p.close(); err != nil {
			r.note("candidates: %v", err)
		}
	}
}

func (r *runner) note(format string, args ...any) {
	if r.options.Note != nil {
		r.options.Note(fmt.Sprintf(format, args...))
	}
}

// recover settles what an earlier runner left open: results that an evaluator still knows are recorded,
// the others wait again as a new attempt.
func (r *runner) recover(ctx context.Context) error {
	for _, l := range r.lanes {
		var open []evaluator.Candidate
		for _, t := range r.hist.trials {
			if t.State == evaluator.Running && len(l.missing(t)) > 0 {
				open = append(open, r.candidate(ctx, l, t))
			}
		}
		if len(open) == 0 {
			continue
		}
		found := make(chan evaluator.Event, 4*len(open))
		if _, err := l.eval.Recover(ctx, open, func(e evaluator.Event) { found <- e }); err != nil {
			return &Error{Code: CodeEvaluator, Where: "evaluators." + l.name, What: "cannot say what became of the trials that were running", Err: err}
		}
		close(found)
		for e := range found {
			if e.State == evaluator.Done {
				if err := r.store.record(trialOf(e.Key), e.Metrics, "", ""); err != nil {
					return historyError(r.dir, err)
				}
				r.note("trial %d: its result was still there", trialOf(e.Key))
			}
		}
	}
	var err error
	if r.hist, err = r.store.load(ctx); err != nil {
		return historyError(r.dir, err)
	}
	for _, t := range r.hist.trials {
		if t.State != evaluator.Running {
			continue
		}
		if r.complete(t) {
			err = r.store.record(t.ID, nil, evaluator.Done, "")
		} else {
			err = r.store.reopen(t.ID)
		}
		if err != nil {
			return historyError(r.dir, err)
		}
	}
	r.hist, err = r.store.load(ctx)
	return historyError(r.dir, err)
}

// missing are the lane's tasks that t has no metric of.
func (l *lane) missing(t Trial) []string {
	var out []string
	for _, task := range l.tasks {
		if _, ok := t.Metrics[task]; !ok {
			out = append(out, task)
		}
	}
	return out
}

func (r *runner) complete(t Trial) bool {
	return !slices.ContainsFunc(r.lanes, func(l *lane) bool { return len(l.missing(t)) > 0 })
}

// loop is the runner: it dispatches, waits for something to happen, records it, and again.
func (r *runner) loop(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var version int64
	for {
		end, err := r.step(ctx)
		if err == nil && end && len(r.jobs) == 0 {
			return nil
		}
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, r.drain(ctx))
		}
		select {
		case <-ctx.Done():
		case e := <-r.events:
			err = r.take(ctx, e)
		case a := <-r.asked:
			err = r.answered(a)
		case q := <-r.upcoming:
			q.reply <- r.waiting(q.but)
		case <-tick.C:
			v, verr := r.store.version(ctx)
			if verr == nil && v == version && !r.commanded.Swap(false) {
				continue
			}
			version = v
			err = r.refresh(ctx)
		}
		if err != nil {
			return errors.Join(err, r.drain(ctx))
		}
	}
}

// refresh rereads the history, because somebody commanded something, and cancels what was forgotten.
func (r *runner) refresh(ctx context.Context) error {
	h, err := r.store.load(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return historyError(r.dir, err)
	}
	if r.hist.meta["paused"] != "" && h.meta["paused"] == "" {
		r.fails = 0
	}
	r.hist = h
	for _, t := range h.trials {
		if j := r.jobs[t.ID]; j != nil && t.State == evaluator.Cancelled {
			j.cancel()
		}
	}
	return nil
}

// step starts what may be started now. It says whether there is nothing left to do.
func (r *runner) step(ctx context.Context) (end bool, err error) {
	if ctx.Err() != nil {
		return false, nil
	}
	if r.hist.meta["stop"] != "" {
		if len(r.jobs) > 0 {
			for _, j := range r.jobs {
				j.cancel()
			}
		}
		return true, nil
	}
	if r.hist.meta["paused"] != "" {
		return false, nil
	}
	if err := r.dispatch(ctx); err != nil {
		return false, err
	}
	if r.asking || r.ask(ctx) {
		return false, nil
	}
	return !slices.ContainsFunc(r.hist.trials, func(t Trial) bool { return !t.State.Final() }), nil
}

// trial returns the runner's copy of a trial; ids are dense from 1.
func (r *runner) trial(id int) *Trial {
	i, ok := slices.BinarySearchFunc(r.hist.trials, id, func(t Trial, id int) int { return t.ID - id })
	if !ok {
		return nil
	}
	return &r.hist.trials[i]
}

// drain waits for everything that was started, after ctx ended or something broke, and makes what did not
// finish wait for the next runner.
func (r *runner) drain(ctx context.Context) error {
	for _, j := range r.jobs {
		j.cancel()
	}
	var errs error
	for len(r.jobs) > 0 {
		select {
		case e := <-r.events:
			if err := r.take(ctx, e); err != nil {
				errs = errors.Join(errs, err)
			}
		case q := <-r.upcoming:
			q.reply <- nil
		}
	}
	if r.asking {
		<-r.asked
	}
	return errs
}

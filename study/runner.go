package study

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"parfait/evaluator"
	"parfait/history"
	"parfait/internal/rescue"
	"parfait/merge"
	"parfait/merge/codes"
	"parfait/search"
)

// RunOptions say how to run; they change the time that it takes and nothing else.
type RunOptions struct {
	Lock    LockMode          // how to make sure that no other runner is at work
	Workers int               // candidates at once in each evaluator, 0: as study.yaml says
	Note    func(text string) // what a person should know, a line each; may be nil; called by one goroutine at a time

	Simulate *Simulation // nil: as the world is

	patience time.Duration // with evaluators that do not end when they are told to, 0: maxPatience
	memory   *memory       // nil: this machine's
	hold     time.Duration // before it is tried again what trouble has kept from being started, 0: firstHold
}

// maxFailures is how many trials may fail in a row before the runner pauses and asks for a look.
const maxFailures = 5

// maxPatience is how long the end of a run waits for evaluators that do not end when they are told to.
const maxPatience = time.Minute

// progressEvery is how often progress is recorded, of all trials at once.
const progressEvery = time.Second

// Run takes the run lock and measures what the strategy and people ask for, until the budget is spent,
// the strategy has no more to ask, a stop is asked for, or ctx ends. Before anything is measured,
// everything that can be checked is. What was running when it ends runs again later, as a new attempt.
func (s *Study) Run(ctx context.Context, o RunOptions) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := s.limited(); err != nil {
		return err
	}
	if err := s.undamaged(ctx); ctx.Err() != nil {
		return nil // it was ended before it had begun
	} else if err != nil { // before anything is written
		return err
	}
	if o.Lock == LockHeartbeat {
		if err := s.GoByHeartbeat(); err != nil {
			return err
		}
	}
	if o.Simulate != nil {
		s.store.Now = o.Simulate.Now
	}
	if err := s.store.Begin(); err != nil { // before anything else appears in the folder: see signs
		return s.store.Explain(err)
	}
	s.runs.Store(true)
	defer s.runs.Store(false)
	beat := readOwner(s.dir).beat
	lock, err := takeLockBy(ctx, s.dir, o.Lock, s.store.Replaced, cancel)
	if err != nil {
		return err
	}
	if o.Lock == LockAuto {
		if err := s.store.Heartbeat(false); err != nil {
			lock.release()
			return s.store.Explain(err)
		}
	}
	defer s.changed()
	defer lock.release()
	defer func() {
		switch cause := context.Cause(ctx); {
		case CodeOf(cause) != "":
			err = errors.Join(cause, err)
		case cause != nil && errors.Is(err, ctx.Err()):
			err = nil // it was ended before it had begun
		}
		if c := CodeOf(err); err != nil && c != CodeBusy && c != CodeDamaged {
			_ = s.store.setMeta("note", map[string]string{"note": clip(strings.Join(strings.Fields(err.Error()), " "), maxNote)}) // for those who look on
		}
	}()
	r, err := s.newRunner(ctx, o)
	if err != nil {
		return err
	}
	defer r.close()
	r.beat = beat
	going, err := r.recover(ctx)
	if err != nil {
		return err
	}
	if err := lock.ready(); err != nil {
		return err
	}
	r.goOn(going)
	r.sayLimits()
	defer r.saySpent()
	defer r.sayIdle()
	return r.guardedLoop(ctx)
}

// guardedLoop is loop. After a panic, which is its error, what was started is ended as after any other error.
func (r *runner) guardedLoop(ctx context.Context) error {
	err := rescue.Call(func() error { return r.loop(ctx) })
	if p := (*rescue.Panic)(nil); errors.As(err, &p) {
		err = errors.Join(err, rescue.Call(func() error { return r.drain(ctx) }))
	}
	return err
}

// runner is the one process that evaluates. Only its loop touches its fields.
type runner struct {
	*Study
	options   RunOptions
	strategy  search.Strategy
	ids       questionIDs
	executors []*executor
	pools     map[evaluator.Form]*pool // of the forms that evaluators need
	memory    memory
	reserved  int64        // bytes of it for pools
	clean     *record      // as it was read last
	hist      *record      // the same, with what has happened since
	jobs      map[int]*job // trials that are open in some executor
	unwritten []unwritten  // what has happened and is not on record yet
	fails     int          // in a row
	said      string       // why the newest failed
	troubles  troubles
	asking    bool
	thought   time.Duration // of the strategy, the last time, until what it said was on record
	waitedAt  int           // how many trials had finished when it waited last
	usage     usage
	ledger    ledger
	limitedBy string    // why nothing new is begun, "" while anything is
	beat      time.Time // the last of the runner before
	stale     bool      // the history has changed under hist

	progress map[int]evaluator.Progress // not recorded yet
	recorded time.Time

	work  context.Context // of everything that is measured and asked for
	halt  context.CancelFunc
	ended chan struct{}

	events   chan executorEvent
	asked    chan askResult // the strategy's answer, computed beside the loop
	upcoming chan upcomingQuestion
	noting   sync.Mutex
}

func (s *Study) newRunner(ctx context.Context, o RunOptions) (_ *runner, err error) {
	r := &runner{
		Study: s, options: o, pools: map[evaluator.Form]*pool{}, jobs: map[int]*job{}, progress: map[int]evaluator.Progress{},
		ended: make(chan struct{}), events: make(chan executorEvent, 64), asked: make(chan askResult, 1), upcoming: make(chan upcomingQuestion),
		memory: memoryOf(o.memory),
	}
	r.work, r.halt = context.WithCancel(ctx)
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	// study.yaml was checked when the study was opened; others may have run it since.
	if err = r.load(ctx); err != nil {
		return nil, err
	}
	if r.hist.damaged != nil {
		return nil, r.hist.damaged
	}
	if err := s.lack(r.hist); err != nil {
		return nil, err
	}
	r.ledger.spent = spentOf(r.hist.meta)
	if r.strategy, err = r.newStrategy(); err != nil {
		return nil, inputError("search", "%s", err)
	}
	if err := os.MkdirAll(filepath.Join(s.dir, "logs"), 0o755); err != nil {
		return nil, err
	}
	if r.executors, err = s.executors(o); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(r.hist.trials, func(t Trial) bool { return !t.State.Final() }) {
		err = s.canMeasure(CommandEvaluate)
	} else if r.budget(r.hist.meta) == 0 {
		r.note("there is nothing to run: the budget is 0, and nobody has asked for a trial")
	}
	if err != nil {
		return nil, err
	}
	for _, x := range r.executors {
		if !x.offers(evaluator.Validation) {
			return nil, &Error{Code: CodeEvaluator, Where: "evaluators." + x.name, What: "cannot measure the validation split, which the search needs"}
		}
	}
	if n := s.throttled(r.hist.meta); n > 0 && o.Workers == 0 {
		r.setThrottles(n)
	}
	if err := r.tooFewFiles(); err != nil {
		return nil, err
	}
	if err := r.addPools(ctx); err != nil {
		return nil, err
	}
	if r.ids, err = s.questionIDs(r.hist.meta["inputs"]); err != nil {
		return nil, err
	}
	q := s.asked.Load()
	// Whether the strategy has more to ask is asked again: what it knows and its options may have changed.
	err = s.store.setMeta("run", map[string]string{"identity": q.identity, "asked": q.sum(), "asked_budget": strconv.Itoa(q.spec.Search.Budget), "stop": "", "drain": "", "paused": "", "note": "", "exhausted": "", "limit": ""})
	r.changed()
	return r, s.store.Explain(err)
}

// addPools plans merges in the forms that evaluators need, which says everything that is wrong with the
// models.
func (r *runner) addPools(ctx context.Context) error {
	left, err := r.reclaim(r.memory)
	if err != nil {
		if CodeOf(err) == CodeForeign {
			return err
		}
		return &Error{Code: CodeSpace, Where: r.candidates(), What: "what an earlier run left cannot be deleted", Err: err}
	}
	r.leaves(left)
	for _, w := range r.spec().Doubts() {
		r.note("%s", w.Error())
	}
	checked := false
	for _, x := range r.executors {
		lim := x.eval.Limits()
		form := cmp.Or(lim.Form, evaluator.Folder)
		if !lim.NeedsModel && !lim.Merges || r.pools[form] != nil {
			continue
		}
		rank := maxRank(r.executors)
		if lim.Merges {
			rank = lim.MaxRank
		}
		plan, err := merge.NewPlan(ctx, r.mergeSpec(form, rank))
		if err != nil {
			return err
		}
		for _, w := range plan.Warnings() {
			r.note("%s", w.Error())
		}
		if !lim.NeedsModel { // it merges as it would here, of the same
			if err := errors.Join(r.sameInputs(plan, r.hist), plan.Close()); err != nil {
				return err
			}
			checked = true
			continue
		}
		at := r.place(plan, form)
		p, err := newPool(plan, r.Study, form, at, func(but int) []Trial { return r.askUpcoming(form, but) }, r.note)
		if err == nil {
			err = r.sameInputs(plan, r.hist)
		}
		if err != nil {
			return errors.Join(err, plan.Close())
		}
		if at.why != "" {
			r.note("%s", at.why)
		}
		r.pools[form] = p
	}
	if len(r.pools) > 0 || checked {
		return nil
	}
	// Nothing is merged here, and the models may be elsewhere. Those that no export could merge are known now.
	plan, err := merge.NewPlan(ctx, r.mergeSpec(evaluator.Folder, 0))
	if err == nil {
		return plan.Close()
	}
	if errors.Is(err, merge.Problem{Code: codes.Quantised}) {
		return err
	}
	return nil
}

// close ends everything that the runner has started. Evaluators that are still at work are abandoned.
func (r *runner) close() {
	r.halt()
	close(r.ended)
	for _, x := range r.executors {
		if x.busy > 0 {
			continue // it may hang, and ends with this process
		}
		if err := x.close(r.work, r.patience()); err != nil {
			r.note("evaluator %s: %v", x.name, err)
		}
	}
	for _, p := range r.pools {
		if err := p.close(); err != nil {
			r.note("candidates: %v", err)
		}
	}
	if _, err := r.reclaim(r.memory); err != nil && CodeOf(err) != CodeForeign { // which ended the run
		r.note("candidates: %v", err)
	}
}

// note tells a person; deletions beside the loop do so too.
func (r *runner) note(format string, args ...any) {
	r.noting.Lock()
	defer r.noting.Unlock()
	if r.options.Note != nil {
		r.options.Note(fmt.Sprintf(format, args...))
	}
}

// loop is the runner: it dispatches, waits for something to happen, records it, and again.
func (r *runner) loop(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var version history.Version
	for {
		end, err := r.step(ctx)
		r.usage.pass(r.now(), r)
		r.ledger.pass(r.now(), r.busy() > 0)
		if err == nil && end && len(r.jobs) == 0 {
			if v, verr := r.store.Version(ctx); verr == nil && v == version && !r.commanded.Load() && !r.stale {
				return r.drain(ctx) // of what was being asked for, where it was told to start nothing new
			}
			r.stale = true // somebody may have asked for more in the last moment
		}
		if err != nil || ctx.Err() != nil || r.hist.meta["stop"] != "" {
			return errors.Join(err, r.drain(ctx))
		}
		select {
		case <-ctx.Done():
		case e := <-r.events:
			r.takeAll(e)
		case a := <-r.asked:
			err = r.answered(ctx, a)
		case q := <-r.upcoming:
			q.reply <- r.waiting(q.form, q.but)
		case <-tick.C:
			r.saveProgress()
			v, verr := r.store.Version(ctx)
			if r.commanded.Swap(false) || v != version || verr != nil || r.stale {
				version, err = v, r.refresh(ctx)
			}
		}
		if err != nil {
			return errors.Join(err, r.drain(ctx))
		}
	}
}

// load reads the history. What happens is entered into a copy, so that what was read stays what is on record.
func (r *runner) load(ctx context.Context) error {
	h, err := r.loadSince(ctx, r.clean)
	if err != nil {
		return err
	}
	own := *h
	own.trials, own.meta = slices.Clone(h.trials), maps.Clone(h.meta)
	r.clean, r.hist = h, &own
	return nil
}

// refresh rereads the history, because somebody commanded something, and cancels what was forgotten. A
// history that cannot be read for a moment is read again at the next tick.
func (r *runner) refresh(ctx context.Context) error {
	paused, throttle := r.hist.meta["paused"], r.hist.meta["throttle"]
	err := r.load(ctx)
	if r.stale = err != nil; r.stale {
		if ctx.Err() != nil || history.Passing(err) {
			return nil
		}
		return err
	}
	if paused != "" && r.hist.meta["paused"] == "" {
		r.fails = 0
	}
	r.rethrottle(throttle)
	for id, j := range r.jobs {
		if t := r.hist.trial(id); t == nil || t.State != evaluator.Running || t.Attempt != j.attempt {
			if j.cancel(); len(j.open) == 0 {
				r.drop(id, j)
			}
		}
	}
	return nil
}

// step starts what may be started now, and records what has happened. It says whether there is nothing left to do.
func (r *runner) step(ctx context.Context) (end bool, err error) {
	if r.hist.meta["drain"] != "" && r.hist.meta["stop"] == "" && ctx.Err() == nil {
		for id, j := range r.jobs {
			if len(j.open) == 0 { // between two evaluators, or held
				j.cancel()
				r.settle(r.hist.trial(id), j, outcome{})
			}
		}
		return true, r.flush(ctx)
	}
	if ctx.Err() != nil || r.hist.meta["stop"] != "" || r.paused() {
		return false, r.flush(ctx)
	}
	if held, err := r.held(); held || err != nil {
		return false, errors.Join(err, r.flush(ctx)) // the wait may be long
	}
	limited := r.atLimit()
	if err := r.dispatch(ctx, limited); err != nil {
		return false, err
	}
	if limited {
		return !r.asking, nil
	}
	if r.asking || r.ask() {
		return false, nil
	}
	return r.hist.finished() == len(r.hist.trials) && !r.paused(), nil // which what was recorded just now may have done
}

// paused says whether the run holds until a person lets it go on.
func (r *runner) paused() bool {
	p := r.hist.meta["paused"]
	return p != "" && p != pausedByTrouble
}

// drain waits for everything that was started, after a stop, the end of ctx, or because something broke,
// and makes what did not finish wait for the next runner. An evaluator that does not end is left behind,
// its trials recorded as running, so that the next runner asks it what became of them.
func (r *runner) drain(ctx context.Context) error {
	r.halt()
	var errs error
	for id, j := range r.jobs {
		if j.cancel(); len(j.open) == 0 { // between two evaluators
			r.settle(r.hist.trial(id), j, outcome{})
		}
	}
	errs = errors.Join(errs, r.flush(ctx))
	most := withLeave(ctx, r.patience())
	patience := time.NewTimer(most)
	defer patience.Stop()
	for len(r.jobs) > 0 || r.asking {
		select {
		case e := <-r.events:
			r.takeAll(e)
			errs = errors.Join(errs, r.flush(ctx))
		case q := <-r.upcoming:
			q.reply <- nil
		case <-r.asked:
			r.asking = false
		case <-patience.C:
			return errors.Join(errs, r.abandoned(most))
		}
	}
	return errs
}

func (r *runner) patience() time.Duration { return cmp.Or(r.options.patience, maxPatience) }

// abandoned says who did not end.
func (r *runner) abandoned(most time.Duration) error {
	busy := map[string]bool{}
	for _, j := range r.jobs {
		for x := range j.open {
			busy["evaluators."+x.name] = true
		}
	}
	if r.asking {
		busy["search.strategy"] = true
	}
	return &Error{
		Code: CodeEvaluator, Where: strings.Join(slices.Sorted(maps.Keys(busy)), ", "),
		What: fmt.Sprintf("did not end within %v of being told to, and is left behind", most.Round(time.Millisecond)),
		Fix:  "look whether something of it is still running",
	}
}

package study

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"parfait/evaluator"
	"parfait/history"
	"parfait/internal/rescue"
	"parfait/search"
)

func (r *runner) complete(t Trial) bool {
	return !slices.ContainsFunc(r.executors, func(x *executor) bool { return len(x.missing(t)) > 0 })
}

// job is an attempt of a trial that is being measured.
type job struct {
	attempt int
	ctx     context.Context
	cancel  context.CancelFunc
	open    map[*executor][]string  // executors that measure it now: which tasks
	since   map[*executor]time.Time // when they began, until they have said what came of it
	failed  string                  // why, where one failed
	setup   bool                    // it is study.yaml's doing
	again   bool                    // it was interrupted, and waits for its next attempt

	trouble map[*executor]trouble // that is not the trial's doing; it is measured again when the executor has returned
	blamed  int                   // how often that was only a suspicion
	tries   int                   // evaluations that were begun
	begun   time.Time             // the last of them
	held    bool                  // it has met trouble, and waits
	renewed time.Time             // when it was begun again after that, with nothing measured before; zero: it was not
}

// goesOn says whether executors that have not measured it yet may.
func (j *job) goesOn() bool { return j.failed == "" && !j.again && j.ctx.Err() == nil }

// executorEvent is an evaluator's event on its way to the loop.
type executorEvent struct {
	executor *executor
	id       int
	evaluator.Event
	taken chan error // gets nil when it is on record; nil where nobody waits for that

	disk     diskSeen              // where it has failed: by now there may be room again
	returned []evaluator.Candidate // nil; or nothing but that the executor has cleaned up after these
}

type upcomingQuestion struct {
	form  evaluator.Form
	but   int
	reply chan []Trial
}

// next are the trials that x could measure, in the order in which it should: what people ask for
// comes first.
func (r *runner) next(x *executor) []Trial {
	var out []Trial
	for _, t := range r.hist.open() {
		if t.State.Final() {
			continue
		}
		j := r.jobs[t.ID]
		open := j == nil && t.State == evaluator.Waiting || j != nil && j.attempt == t.Attempt && j.goesOn() && j.open[x] == nil
		if open && len(x.missing(t)) > 0 {
			out = append(out, t)
		}
	}
	slices.SortStableFunc(out, func(a, b Trial) int { return min(a.Batch, 0) - min(b.Batch, 0) })
	return out
}

// dispatch feeds every executor that has room; with begun only what other executors have measured already.
func (r *runner) dispatch(ctx context.Context, begun bool) error {
	todo := make([][]Trial, len(r.executors))
	var fresh []Trial
	may := r.mayStart()
	if !begun {
		may = min(may, r.affordable())
	}
	for i, x := range r.executors {
		todo[i] = r.next(x)
		if begun {
			todo[i] = slices.DeleteFunc(todo[i], func(t Trial) bool { return r.jobs[t.ID] == nil })
		}
		todo[i] = todo[i][:max(0, min(max(1, x.eval.Limits().InFlight)-x.busy, len(todo[i]), may))]
		may -= len(todo[i])
		for _, t := range todo[i] {
			if r.jobs[t.ID] == nil && !slices.ContainsFunc(fresh, func(o Trial) bool { return o.ID == t.ID }) {
				fresh = append(fresh, t)
			}
		}
	}
	if err := r.begin(ctx, fresh); err != nil {
		return err
	}
	for i, x := range r.executors {
		started := slices.DeleteFunc(todo[i], func(t Trial) bool { return r.jobs[t.ID] == nil })
		lim := x.eval.Limits()
		n := 1 // each can then be cancelled alone, unless the evaluator gains by whole batches
		if lim.Batch > lim.InFlight {
			n = lim.Batch
		}
		for batch := range slices.Chunk(started, n) {
			r.submit(x, batch)
		}
	}
	return nil
}

// begin opens a job for each trial that is still wanted, once it is on record that it runs.
func (r *runner) begin(ctx context.Context, trials []Trial) error {
	if len(trials) == 0 {
		return r.flush(ctx)
	}
	started := map[int]bool{}
	r.write(unwritten{Entry: history.Entry{Kind: "started", Make: func(c *history.Change) error { return start(c, trials, started) }}})
	if err := r.flush(ctx); err != nil {
		return err
	}
	for _, t := range trials {
		if !started[t.ID] {
			r.stale = true
			continue
		}
		own := r.hist.trial(t.ID)
		own.State, own.Started = evaluator.Running, r.now().UTC()
		r.open(t)
	}
	r.changed()
	return nil
}

// open opens a job for a trial that runs.
func (r *runner) open(t Trial) *job {
	j := &job{attempt: t.Attempt, open: map[*executor][]string{}, since: map[*executor]time.Time{}, trouble: map[*executor]trouble{}}
	j.ctx, j.cancel = context.WithCancel(r.work)
	r.jobs[t.ID] = j
	return j
}

// renew has the trial's time begin now, where it has waited and nothing is measured yet: what it waited is not its own.
func (j *job) renew(t Trial) {
	if j.held && len(j.open) == 0 && !t.partMeasured() {
		j.renewed = time.Now().UTC()
	}
	j.held = false
}

// submit starts a batch on x.
func (r *runner) submit(x *executor, trials []Trial) {
	batch := make([]evaluator.Candidate, len(trials))
	ctx := r.work // a batch is cancelled as a whole, by the end of the run
	for i, t := range trials {
		j := r.jobs[t.ID]
		j.renew(t)
		batch[i] = r.candidate(j.ctx, x, t)
		j.open[x] = slices.Concat(batch[i].Tasks, batch[i].Timed)
		j.tries, j.begun, j.since[x] = j.tries+1, time.Now(), r.now()
		x.busy++
		if len(trials) == 1 {
			ctx = j.ctx
		}
	}
	x.batches.Go(func() {
		var mu sync.Mutex
		final := map[string]bool{}
		emit := func(e evaluator.Event) error {
			mu.Lock()
			defer mu.Unlock()
			final[e.Key] = final[e.Key] || e.State.Final()
			return r.send(executorEvent{executor: x, id: trialOf(e.Key), Event: e, disk: r.diskAfter(batch, e)})
		}
		err := rescue.Call(func() error { return x.eval.Submit(ctx, batch, emit) })
		if p := (*rescue.Panic)(nil); errors.As(err, &p) {
			err = fmt.Errorf("evaluator %s: %w", x.name, err)
		}
		last := evaluator.Event{State: evaluator.Failed, Err: err}
		switch {
		case ctx.Err() != nil:
			last = evaluator.Event{State: evaluator.Cancelled, Err: ctx.Err()}
		case err == nil:
			last.Err = fmt.Errorf("evaluator %s ended without a result", x.name)
		}
		for _, c := range batch { // whatever an evaluator does, each candidate ends
			mu.Lock()
			open := !final[c.Key]
			mu.Unlock()
			if open {
				last.Key, last.Attempt = c.Key, c.Attempt
				_ = emit(last) // where it cannot be recorded, the next runner asks again
			}
		}
		_ = r.send(executorEvent{executor: x, returned: batch})
	})
}

// candidate is a trial as x sees it.
func (r *runner) candidate(ctx context.Context, x *executor, t Trial) evaluator.Candidate {
	c := evaluator.Candidate{
		Key: fmt.Sprintf("%s/%d", r.name(), t.ID), Attempt: t.Attempt, Split: evaluator.Validation,
		At: coefficients(r.space(), t.X), Log: t.Log,
	}
	x.asks(&c, x.missing(t))
	c.Recipe, _ = r.recipeJSON(t.X) // without one where it cannot be: its merge fails with the reason
	ids := r.ids.about(x.eval.Limits())
	c.ID, c.Merge = ids.of(strconv.Itoa(t.ID), c, r.hist.retries[t.ID]), ids.merge(c)
	c.Digests = func(ctx context.Context, form evaluator.Form) (map[string]string, error) {
		return r.digests(ctx, form, x.eval.Limits().MaxRank, t.X)
	}
	if len(r.pools) > 0 {
		c.Model = func(mctx context.Context, form evaluator.Form) (evaluator.Lease, error) {
			if ctx.Err() != nil {
				return evaluator.Lease{}, ctx.Err()
			}
			p := r.pools[form]
			if p == nil {
				return evaluator.Lease{}, &Error{Code: CodeEvaluator, Where: "evaluators." + x.name, What: fmt.Sprintf("asks for a model as %q, which it had not announced", form)}
			}
			return p.model(mctx, t)
		}
	}
	return c
}

// coefficients are all numbers of the merge at x, as evaluators are told them.
func coefficients(space search.Space, x []float64) []evaluator.Coefficient {
	numbers := space.Numbers()
	out := make([]evaluator.Coefficient, len(numbers))
	for i, n := range numbers {
		out[i] = evaluator.Coefficient{Name: n.Name, Value: n.At(x)}
	}
	return out
}

func trialOf(key string) int {
	id, _ := strconv.Atoi(key[strings.LastIndexByte(key, '/')+1:])
	return id
}

// errEnded says that nobody listens any more.
var errEnded = errors.New("the run has ended")

// send hands an event to the loop, and returns nil with a final one when it is on record: an evaluator may
// then throw away what it would need to know the result after a crash.
func (r *runner) send(e executorEvent) error {
	if e.State.Final() {
		e.taken = make(chan error, 1)
	}
	select {
	case r.events <- e:
	case <-r.ended:
		return errEnded
	}
	if e.taken == nil {
		return nil
	}
	select {
	case err := <-e.taken:
		return err
	case <-r.ended:
		return errEnded
	}
}

// askUpcoming is called by a pool, from an evaluator's goroutine.
func (r *runner) askUpcoming(form evaluator.Form, but int) []Trial {
	reply := make(chan []Trial, 1)
	select {
	case r.upcoming <- upcomingQuestion{form, but, reply}:
		return <-reply
	case <-r.ended:
		return nil
	}
}

// waiting are the trials whose model will be needed next, after that of trial but: those that have been
// started, then those that wait.
func (r *runner) waiting(form evaluator.Form, but int) []Trial {
	var out []Trial
	add := func(t Trial) {
		if t.ID != but && !slices.ContainsFunc(out, func(o Trial) bool { return o.ID == t.ID }) {
			out = append(out, t)
		}
	}
	for _, x := range r.executors {
		if !x.needs(form) {
			continue
		}
		for _, t := range r.hist.open() {
			if j := r.jobs[t.ID]; j != nil && j.open[x] != nil {
				add(t)
			}
		}
	}
	for _, x := range r.executors {
		if x.needs(form) {
			for _, t := range r.next(x) {
				add(t)
			}
		}
	}
	return out
}

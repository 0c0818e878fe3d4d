package study

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parfait/evaluator"
	"parfait/search"
)

// ask has the strategy propose the next batch, where it is time: batch j is computed from the completed
// batches up to j−2, with batch j−1 entered as pending, so that the number of workers changes nothing.
func (r *runner) ask(ctx context.Context) bool {
	next := r.hist.lastBatch() + 1
	asked, seen := 0, []int{}
	q := search.Question{
		Space: r.space, Tasks: searchTasks(r.spec.Tasks), Batch: next, Budget: r.budget(r.hist.meta), Seed: r.spec.Search.Seed,
	}
	for _, t := range r.hist.trials {
		switch {
		case t.Batch >= 0 && t.Batch == next-1:
			asked++
			q.Pending = append(q.Pending, t.X)
		case t.Batch >= 0:
			asked++
			if !t.State.Final() {
				return false
			}
			q.Done = append(q.Done, point(t, r.spec.Tasks))
		case t.State == evaluator.Done:
			seen = append(seen, t.ID)
			q.Done = append(q.Done, point(t, r.spec.Tasks))
		}
	}
	q.Asked, q.N = asked, min(r.spec.Search.Batch, q.Budget-asked)
	if q.N <= 0 || r.hist.meta["exhausted"] != "" {
		return false
	}
	r.asking = true
	go func() {
		a := askResult{batch: next, seen: seen}
		defer func() {
			if p := recover(); p != nil {
				a.err = fmt.Errorf("strategy %s: batch %d: %v", r.spec.Search.Strategy, next, p)
			}
			r.asked <- a
		}()
		a.proposal, a.err = r.strategy.Ask(ctx, q)
	}()
	return true
}

// answered records the strategy's proposal.
func (r *runner) answered(a askResult) error {
	r.asking = false
	if a.err != nil {
		if errors.Is(a.err, context.Canceled) {
			return nil
		}
		return a.err
	}
	var err error
	if len(a.proposal.X) == 0 {
		why := a.proposal.Stop
		if why == "" {
			why = "the strategy has no more to ask"
		}
		r.note("%s", why)
		err = r.store.setMeta("exhausted", why)
		r.hist.meta["exhausted"] = why
	} else {
		trials := make([]newTrial, len(a.proposal.X))
		for i, x := range a.proposal.X {
			trials[i] = newTrial{x: x, origin: "search"}
			if i < len(a.proposal.Why) {
				trials[i].why = a.proposal.Why[i]
			}
		}
		if err = r.store.addBatch(a.batch, a.seen, trials); err == nil {
			r.hist, err = r.store.load(context.Background())
		}
	}
	r.changed()
	return historyError(r.dir, err)
}

// next are the trials that the lane could measure, in the order in which it should: what people ask for
// comes first.
func (r *runner) next(l *lane) []Trial {
	var out []Trial
	for _, t := range r.hist.trials {
		j := r.jobs[t.ID]
		open := t.State == evaluator.Waiting || (j != nil && t.State == evaluator.Running && !j.open[l] && j.failed == "")
		if open && len(l.missing(t)) > 0 {
			out = append(out, t)
		}
	}
	slices.SortStableFunc(out, func(a, b Trial) int { return min(a.Batch, 0) - min(b.Batch, 0) })
	return out
}

// dispatch feeds every lane that has room.
func (r *runner) dispatch(ctx context.Context) error {
	for _, l := range r.lanes {
		lim := l.eval.Limits()
		room := max(1, lim.InFlight) - l.busy
		todo := r.next(l)
		todo = todo[:max(0, min(room, len(todo)))]
		for len(todo) > 0 {
			n := 1 // each can then be cancelled alone, unless the evaluator gains by whole batches
			if lim.Batch > lim.InFlight {
				n = min(lim.Batch, len(todo))
			}
			if err := r.submit(ctx, l, todo[:n]); err != nil {
				return err
			}
			todo = todo[n:]
		}
	}
	return nil
}

// submit starts a batch on a lane.
func (r *runner) submit(ctx context.Context, l *lane, trials []Trial) error {
	batch := make([]evaluator.Candidate, len(trials))
	var last context.Context
	for i, t := range trials {
		j := r.jobs[t.ID]
		if j == nil {
			if err := r.store.setRunning(t.ID); err != nil {
				return historyError(r.dir, err)
			}
			own := r.trial(t.ID)
			own.State, own.Started = evaluator.Running, time.Now().UTC()
			j = &job{open: map[*lane]bool{}}
			j.ctx, j.cancel = context.WithCancel(ctx)
			r.jobs[t.ID] = j
		}
		j.open[l] = true
		l.busy++
		last = j.ctx
		batch[i] = r.candidate(j.ctx, l, t)
	}
	r.changed()
	if len(trials) > 1 {
		last = ctx // a batch is cancelled as a whole, by the end of the run
	}
	go func(ctx context.Context) {
		final := map[string]bool{}
		emit := func(e evaluator.Event) {
			if e.State.Final() {
				final[e.Key] = true
			}
			r.send(laneEvent{l, trialOf(e.Key), e})
		}
		err := func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = fmt.Errorf("evaluator %s: %v", l.name, p)
				}
			}()
			return l.eval.Submit(ctx, batch, serial(emit))
		}()
		if err == nil {
			err = fmt.Errorf("evaluator %s ended without a result", l.name)
		}
		for _, c := range batch { // whatever an evaluator does, each candidate ends
			if !final[c.Key] {
				r.send(laneEvent{l, trialOf(c.Key), evaluator.Event{Key: c.Key, Attempt: c.Attempt, State: evaluator.Failed, Err: err}})
			}
		}
	}(last)
	return nil
}

// serial makes emit safe to call from several goroutines.
func serial(emit func(evaluator.Event)) func(evaluator.Event) {
	gate := make(chan struct{}, 1)
	return func(e evaluator.Event) {
		gate <- struct{}{}
		emit(e)
		<-gate
	}
}

// candidate is a trial as lane l sees it.
func (r *runner) candidate(ctx context.Context, l *lane, t Trial) evaluator.Candidate {
	c := evaluator.Candidate{
		Key: fmt.Sprintf("%s/%d", r.Snapshot().Name, t.ID), Attempt: t.Attempt, Tasks: l.missing(t), Split: evaluator.Validation,
		At: coefficients(r.Names(), t.X), Log: r.logPath(t.ID),
	}
	if len(r.pools) > 0 {
		c.Model = func(mctx context.Context, form evaluator.Form) (evaluator.Lease, error) {
			if ctx.Err() != nil {
				return evaluator.Lease{}, ctx.Err()
			}
			p := r.pools[form]
			if p == nil {
				return evaluator.Lease{}, &Error{Code: CodeEvaluator, Where: l.name, What: fmt.Sprintf("asks for a model as %q, which it had not announced", form)}
			}
			return p.model(mctx, t)
		}
	}
	return c
}

func coefficients(names []string, x []float64) []evaluator.Coefficient {
	out := make([]evaluator.Coefficient, len(names))
	for i, n := range names {
		out[i] = evaluator.Coefficient{Name: n, Value: x[i]}
	}
	return out
}

func trialOf(key string) int {
	id, _ := strconv.Atoi(key[strings.LastIndexByte(key, '/')+1:])
	return id
}

// send hands an event to the loop; after the run nobody listens any more.
func (r *runner) send(e laneEvent) {
	select {
	case r.events <- e:
	case <-r.ended:
	}
}

// askUpcoming is called by the pool, from an evaluator's goroutine.
func (r *runner) askUpcoming(but int) []Trial {
	reply := make(chan []Trial, 1)
	select {
	case r.upcoming <- upcomingQuestion{but, reply}:
		return <-reply
	case <-r.ended:
		return nil
	}
}

// waiting are the trials whose model will be needed next.
func (r *runner) waiting(but int) []Trial {
	var out []Trial
	for _, l := range r.lanes {
		if !l.eval.Limits().NeedsModel {
			continue
		}
		for _, t := range r.next(l) {
			if t.ID != but && !slices.ContainsFunc(out, func(o Trial) bool { return o.ID == t.ID }) {
				out = append(out, t)
			}
		}
	}
	// Trials that were started beside this one have their turn before those that wait.
	for id := range r.jobs {
		if id != but && !slices.ContainsFunc(out, func(o Trial) bool { return o.ID == id }) {
			out = append(out, *r.trial(id))
		}
	}
	slices.SortStableFunc(out, func(a, b Trial) int { return a.ID - b.ID })
	return out
}

// take records what an evaluator says.
func (r *runner) take(ctx context.Context, e laneEvent) error {
	j, t := r.jobs[e.id], r.trial(e.id)
	if j == nil || t == nil || !j.open[e.lane] || e.Attempt != t.Attempt {
		return nil // late news of an attempt that is over
	}
	if !e.State.Final() {
		if e.Progress != (evaluator.Progress{}) && time.Since(j.saved) > time.Second {
			j.saved = time.Now()
			r.changed()
			return historyError(r.dir, r.store.setProgress(e.id, e.Progress))
		}
		return nil
	}
	delete(j.open, e.lane)
	e.lane.busy--
	var err error
	switch {
	case e.State == evaluator.Done:
		if err = r.persist(ctx, func() error { return r.store.record(e.id, e.Metrics, "", "") }); err == nil {
			t.Metrics = merged(t.Metrics, e.Metrics)
		}
	case j.failed == "":
		j.failed = "cancelled"
		if e.State == evaluator.Failed {
			j.failed = fmt.Sprint(e.Err)
		}
		if CodeOf(e.Err) == CodeSpace {
			err = r.pause(fmt.Sprint(e.Err))
			j.failed = "cancelled" // the trial is not to blame: it waits
		}
	}
	if err != nil {
		return err
	}
	if len(j.open) > 0 || (j.failed == "" && !r.complete(*t)) {
		return nil
	}
	return r.settle(ctx, t, j)
}

func merged(a, b map[string]Metric) map[string]Metric {
	out := map[string]Metric{}
	for _, m := range []map[string]Metric{a, b} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

// settle gives a trial its final state, or makes it wait again where it was interrupted.
func (r *runner) settle(ctx context.Context, t *Trial, j *job) error {
	delete(r.jobs, t.ID)
	j.cancel()
	defer r.changed()
	for _, p := range r.pools {
		id := t.ID
		p.done(id, func(err error) { r.note("trial %d: its model could not be deleted: %v", id, err) })
	}
	var err error
	switch {
	case t.State == evaluator.Cancelled: // by a command
		return nil
	case j.failed == "":
		r.fails = 0
		t.State, t.Ended = evaluator.Done, time.Now().UTC()
		err = r.persist(ctx, func() error { return r.store.record(t.ID, nil, evaluator.Done, "") })
	case j.failed == "cancelled":
		t.State, t.Attempt = evaluator.Waiting, t.Attempt+1
		err = r.persist(ctx, func() error { return r.store.reopen(t.ID) })
	default:
		t.State, t.Error, t.Ended = evaluator.Failed, j.failed, time.Now().UTC()
		r.note("trial %d failed: %s", t.ID, j.failed)
		err = r.persist(ctx, func() error { return r.store.record(t.ID, nil, evaluator.Failed, j.failed) })
		if r.fails++; err == nil && r.fails >= failsMost {
			err = r.pause(fmt.Sprintf("%d trials failed in a row, the last with: %s", r.fails, firstLine(j.failed)))
		}
	}
	return err
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// pause holds the run and says why; a person lets it go on.
func (r *runner) pause(why string) error {
	r.fails = 0
	r.note("paused: %s", why)
	r.hist.meta["paused"], r.hist.meta["note"] = "1", why
	err := r.store.setMeta("note", why)
	if err == nil {
		err = r.store.setMeta("paused", "1")
	}
	r.changed()
	return historyError(r.dir, err)
}

// persist writes, and while the disk is full waits and tries again: what was measured is not lost for
// want of a few bytes, unless the run is ended.
func (r *runner) persist(ctx context.Context, write func() error) error {
	err := write()
	for said := false; full(err); err = write() {
		if !said {
			r.note("the disk is full: a result waits to be recorded; free some space")
			said = true
		}
		select {
		case <-ctx.Done():
			return historyError(r.dir, err)
		case <-time.After(time.Second):
		}
	}
	return historyError(r.dir, err)
}

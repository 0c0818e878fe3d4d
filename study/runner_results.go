package study

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"parfait/evaluator"
	"parfait/history"
)

// What is kept of texts that evaluators write, in bytes; the logs have all of it.
const (
	maxError = 4 << 10
	maxNote  = 500
)

// unwritten is something that has happened and is not on record yet: it is written with what else has happened
// meanwhile, with one wait for the disk.
type unwritten struct {
	history.Entry
	then func(err error) error // called once it is on record, or cannot be; may be nil
}

// write has something recorded with the next flush.
func (r *runner) write(u unwritten) { r.unwritten = append(r.unwritten, u) }

// flush records what has happened, in its order.
func (r *runner) flush(ctx context.Context) error {
	var errs error
	for len(r.unwritten) > 0 { // what comes after one may be written too
		todo := r.unwritten
		r.unwritten = nil
		entries := make([]history.Entry, len(todo))
		for i, u := range todo {
			entries[i] = u.Entry
		}
		each := make([]error, len(todo))
		err := r.persist(ctx, func() error {
			said, err := r.store.WriteAll(entries...)
			copy(each, said)
			return err
		})
		errs = errors.Join(errs, err)
		for i, u := range todo {
			this := errors.Join(err, r.store.Explain(each[i]))
			if u.then != nil {
				this = u.then(this)
			}
			if err == nil {
				errs = errors.Join(errs, this)
			}
		}
		r.changed()
	}
	return errs
}

// takeAll takes what evaluators say: first, and what came meanwhile.
func (r *runner) takeAll(first executorEvent) {
	r.take(first)
	for {
		select {
		case e := <-r.events:
			r.take(e)
		default:
			return
		}
	}
}

// take has recorded what an evaluator says.
func (r *runner) take(e executorEvent) {
	taken := func(err error) {
		if e.taken != nil {
			e.taken <- err
		}
	}
	if e.returned != nil {
		r.returned(e.executor, e.returned)
		return
	}
	j := r.jobs[e.id]
	if j == nil || e.Attempt != j.attempt || j.open[e.executor] == nil {
		taken(nil) // late news of an attempt that is over
		return
	}
	if !e.State.Final() {
		if e.Progress != (evaluator.Progress{}) {
			r.progress[e.id] = e.Progress
		}
		taken(nil)
		return
	}
	if since, running := j.since[e.executor]; running {
		r.ledger.charge(cmp.Or(e.Elapsed, r.now().Sub(since)))
		delete(j.since, e.executor)
	}
	metrics, bad := e.Metrics, r.judge(j.open[e.executor], e.Event)
	if bad != nil {
		metrics = nil
		if r.troubled(e, j, bad) {
			taken(nil)
			return
		}
	}
	delete(j.open, e.executor)
	e.executor.busy--
	o := outcome{evaluator: e.executor.name, metrics: metrics, taken: taken}
	switch {
	case bad == nil:
		r.relieved()
	case j.ctx.Err() != nil:
		j.again = true // whatever it says: it was told to end
	case j.failed == "":
		j.failed = clip(j.said(bad), maxError)
		j.setup = setup(bad)
		if j.blamed > 0 {
			r.relieved() // what was waited for was this trial's own doing
		}
	}
	r.settle(r.hist.trial(e.id), j, o)
	if j.setup && o.metrics == nil { // before anything else is started
		r.note("trial %d failed: %s", e.id, j.failed)
		r.pause(fmt.Sprintf("trial %d: %s; put study.yaml right first", e.id, firstLine(j.failed)))
	}
}

// setup says whether study.yaml has to be changed: until then nothing else can be measured.
func setup(err error) bool {
	var e *evaluator.Error
	return errors.As(err, &e) && e.Setup
}

// outcome is what one evaluator has said of a trial.
type outcome struct {
	evaluator string
	metrics   evaluator.Metrics // nil: nothing was measured
	taken     func(error)       // is told when it is on record; may be nil
}

// settle has recorded the metrics that have come, or why there are none, and gives the trial its final state where
// no more will come, or makes it wait for its next attempt where it was interrupted. A trial that has failed
// is still running while other evaluators measure it, with its error.
func (r *runner) settle(t *Trial, j *job, o outcome) {
	now := *t
	if o.metrics != nil {
		now.add(Measurement{Attempt: j.attempt, Evaluator: o.evaluator, Split: evaluator.Validation, At: r.now().UTC(), Metrics: o.metrics})
	}
	switch {
	case len(j.open) > 0:
		now.Error = j.failed
	case j.failed != "" && now.since > 0: // what was measured before stands
		now.State, now.Error, now.Ended = evaluator.Done, j.failed, r.now().UTC()
	case j.failed != "":
		now.State, now.Error, now.Ended = evaluator.Failed, j.failed, r.now().UTC()
	case r.complete(now):
		now.State, now.Ended = evaluator.Done, r.now().UTC()
	case !j.goesOn():
		now.State, now.Attempt = evaluator.Waiting, t.Attempt+1
	}
	if now.State.Final() {
		now.since = 0
		if !j.renewed.IsZero() {
			now.Started = j.renewed
		}
	}
	over := now.State != evaluator.Running
	if over {
		r.end(t.ID, j)
	}
	if !over && o.metrics == nil && now.Error == t.Error {
		if o.taken != nil {
			o.taken(nil)
		}
		return
	}
	res := result{trial: t.ID, attempt: j.attempt, evaluator: o.evaluator, metrics: o.metrics, to: now.State, why: now.Error, renewed: j.renewed}
	*t = now
	current := false
	r.ledger.pass(r.now(), r.busy() > 0)
	sum := r.ledger.spent.String()
	r.write(unwritten{
		Entry: history.Entry{Kind: res.kind(), Make: func(c *history.Change) (err error) {
			if current, err = res.record(c); current && err == nil {
				err = c.Set("spent", sum)
			}
			return err
		}},
		then: func(err error) error {
			if o.taken != nil {
				o.taken(err)
			}
			if over {
				r.release(res.trial, res.to == evaluator.Failed)
			}
			switch {
			case err != nil:
			case !current, res.to == evaluator.Waiting: // forgotten meanwhile, or another attempt: as it is on record
				r.stale = true
			case res.to == evaluator.Done:
				r.fails = 0
			case res.to == evaluator.Failed && !j.setup:
				r.failed(res)
			}
			return err
		},
	})
}

// drop ends a job, whatever came of it.
func (r *runner) drop(id int, j *job) {
	r.end(id, j)
	r.release(id, false)
}

// end ends a job; its models stay until it is on record.
func (r *runner) end(id int, j *job) {
	delete(r.jobs, id)
	delete(r.progress, id)
	j.cancel()
}

// release lets the models of a trial go; of one that has failed they may be asked for again.
func (r *runner) release(id int, again bool) {
	for _, p := range r.pools {
		let := p.done
		if again {
			let = p.keep
		}
		let(id, func(err error) { r.note("trial %d: its model could not be deleted: %v", id, err) })
	}
}

// failed pauses where nothing seems to work: a few failures in a row, or a whole first batch.
func (r *runner) failed(f result) {
	r.fails++
	if why := firstLine(f.why); why == r.said {
		r.note("trial %d failed likewise", f.trial)
	} else {
		r.note("trial %d failed: %s", f.trial, f.why)
		r.said = why
	}
	if r.fails >= maxFailures {
		r.pause(fmt.Sprintf("%d trials failed in a row", r.fails) + theLast + firstLine(f.why))
		return
	}
	if t := r.hist.trial(f.trial); t == nil || t.Batch != 0 {
		return
	}
	for _, o := range r.hist.trials {
		if o.State == evaluator.Done || o.Batch == 0 && !o.State.Final() {
			return
		}
	}
	r.pause("every trial so far failed" + theLast + firstLine(f.why))
}

// theLast stands before the newest failure where several are counted.
const theLast = ", the last with: "

// pause holds the run and says why; a person lets it go on.
func (r *runner) pause(why string) {
	why = clip(why, maxNote)
	r.fails = 0
	short, _, _ := strings.Cut(why, theLast) // it was said
	r.note("paused: %s", short)
	r.hist.meta["paused"], r.hist.meta["note"] = "1", why
	r.write(unwritten{Entry: history.Entry{Kind: "paused", Make: func(c *history.Change) error {
		return errors.Join(c.Set("note", why), c.Set("paused", "1"))
	}}})
}

// retryEvery is how often a write that may succeed later is tried again.
const retryEvery = 250 * time.Millisecond

// persist writes, and where that fails for a reason that may pass (the disk is full, the file system is
// away, somebody holds the history) waits and tries again until it succeeds or the run is ended: what was
// measured is not lost for want of a few bytes.
func (r *runner) persist(ctx context.Context, write func() error) error {
	err := write()
	w := r.waits("a result waits to be recorded")
	for ; history.Passing(err); err = write() {
		why := r.store.Explain(err)
		if w.say(why.Error()); CodeOf(why) == CodeSpace {
			r.troubles.full = time.Now()
		}
		select {
		case <-ctx.Done():
			return r.store.Explain(err)
		case <-time.After(retryEvery):
		}
	}
	if err == nil {
		w.over()
	}
	return r.store.Explain(err)
}

// saveProgress records the progress there has been, of all trials at once. Nothing depends on it: what
// cannot be written now is tried again with the next.
func (r *runner) saveProgress() {
	if len(r.progress) == 0 || time.Since(r.recorded) < progressEvery {
		return
	}
	if r.store.setProgress(r.progress) == nil {
		clear(r.progress)
		r.changed()
	}
	r.recorded = time.Now()
}

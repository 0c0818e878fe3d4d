package study

import (
	"context"
	"fmt"
	"maps"
	"time"

	"parfait/evaluator"
)

// What is kept of texts that evaluators write, in bytes; the logs have all of it.
const (
	maxError = 4 << 10
	maxNote  = 500
)

// take records what an evaluator says.
func (r *runner) take(ctx context.Context, e executorEvent) (err error) {
	if e.taken != nil {
		defer func() { e.taken <- err }()
	}
	if e.returned != nil {
		return r.returned(ctx, e.executor, e.returned)
	}
	j := r.jobs[e.id]
	if j == nil || e.Attempt != j.attempt || j.open[e.executor] == nil {
		return nil // late news of an attempt that is over
	}
	if !e.State.Final() {
		if e.Progress != (evaluator.Progress{}) {
			r.progress[e.id] = e.Progress
		}
		return nil
	}
	metrics, bad := e.Metrics, r.judge(j.open[e.executor], e.Event)
	if bad != nil {
		metrics = nil
		if r.troubled(e.id, j, e.executor, bad) {
			return nil
		}
	}
	delete(j.open, e.executor)
	e.executor.busy--
	switch {
	case bad == nil:
		r.relieved()
	case j.ctx.Err() != nil:
		j.again = true // whatever it says: it was told to end
	case j.failed == "":
		j.failed = clip(j.said(bad), maxError)
	}
	return r.settle(ctx, r.hist.trial(e.id), j, metrics)
}

// settle records the metrics that have come, or why there are none, and gives the trial its final state where
// no more will come, or makes it wait for its next attempt where it was interrupted. A trial that has failed
// is still running while other evaluators measure it, with its error.
func (r *runner) settle(ctx context.Context, t *Trial, j *job, metrics evaluator.Metrics) error {
	measured := *t
	measured.Metrics = maps.Clone(t.Metrics)
	maps.Copy(measured.Metrics, metrics)
	switch {
	case len(j.open) > 0:
		measured.Error = j.failed
	case j.failed != "":
		measured.State, measured.Error, measured.Ended = evaluator.Failed, j.failed, time.Now().UTC()
	case r.complete(measured):
		measured.State, measured.Ended = evaluator.Done, time.Now().UTC()
	case !j.goesOn():
		measured.State, measured.Attempt = evaluator.Waiting, t.Attempt+1
	}
	if measured.State != evaluator.Running {
		r.drop(t.ID, j)
	} else if metrics == nil && measured.Error == t.Error {
		return nil
	}
	defer r.changed()
	var current bool
	if err := r.persist(ctx, func() (err error) {
		current, err = r.store.record(t.ID, j.attempt, metrics, measured.State, measured.Error)
		return err
	}); err != nil {
		return err
	}
	if !current { // forgotten meanwhile
		r.stale = true
		return nil
	}
	*t = measured
	switch t.State {
	case evaluator.Done:
		r.fails = 0
	case evaluator.Failed:
		return r.failed(ctx, t)
	}
	return nil
}

// drop ends a job, whatever came of it.
func (r *runner) drop(id int, j *job) {
	delete(r.jobs, id)
	delete(r.progress, id)
	j.cancel()
	for _, p := range r.pools {
		p.done(id, func(err error) { r.note("trial %d: its model could not be deleted: %v", id, err) })
	}
}

// failed pauses where nothing seems to work: a few failures in a row, or a whole first batch.
func (r *runner) failed(ctx context.Context, t *Trial) error {
	r.fails++
	r.note("trial %d failed: %s", t.ID, t.Error)
	if r.fails >= maxFailures {
		return r.pause(ctx, fmt.Sprintf("%d trials failed in a row, the last with: %s", r.fails, firstLine(t.Error)))
	}
	if t.Batch != 0 {
		return nil
	}
	for _, o := range r.hist.trials {
		if o.State == evaluator.Done || o.Batch == 0 && !o.State.Final() {
			return nil
		}
	}
	return r.pause(ctx, "every trial so far failed, the last with: "+firstLine(t.Error))
}

// pause holds the run and says why; a person lets it go on.
func (r *runner) pause(ctx context.Context, why string) error {
	why = clip(why, maxNote)
	r.fails = 0
	r.note("paused: %s", why)
	r.hist.meta["paused"], r.hist.meta["note"] = "1", why
	defer r.changed()
	return r.persist(ctx, func() error { return r.store.setMeta(map[string]string{"note": why, "paused": "1"}) })
}

// retryEvery is how often a write that may succeed later is tried again.
const retryEvery = 250 * time.Millisecond

// persist writes, and where that fails for a reason that may pass (the disk is full, the file system is
// away, somebody holds the history) waits and tries again until it succeeds or the run is ended: what was
// measured is not lost for want of a few bytes.
func (r *runner) persist(ctx context.Context, write func() error) error {
	err := write()
	w := r.waits("a result waits to be recorded")
	for ; passing(err); err = write() {
		w.say(historyError(r.store.path, err).Error())
		select {
		case <-ctx.Done():
			return historyError(r.store.path, err)
		case <-time.After(retryEvery):
		}
	}
	if err == nil {
		w.over()
	}
	return historyError(r.store.path, err)
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

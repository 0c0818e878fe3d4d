package study

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"parfait/evaluator"
	"parfait/history"
)

// goingOn are the trials that an earlier runner left and evaluators still measure, each in the attempt that it was in.
type goingOn map[int][]*executor

// recover settles what an earlier runner left open: results that an evaluator still knows are recorded, evaluations
// that go on without it are returned, the others wait again as a new attempt. Killed at any moment it leaves what the
// next one can settle: what an evaluator tells is on record before it is thrown away, of a failure as of metrics, and
// no trial gets its state before all evaluators were asked.
func (r *runner) recover(ctx context.Context) (goingOn, error) {
	going, held := goingOn{}, map[int]time.Duration{}
	for _, x := range r.executors {
		if err := r.recoverFrom(ctx, x, going, held); err != nil {
			return nil, err
		}
	}
	for i := range r.hist.trials {
		t := &r.hist.trials[i]
		if t.State != evaluator.Running || going[t.ID] != nil {
			continue
		}
		open := 0
		for _, x := range r.executors {
			if len(x.missing(*t)) > 0 {
				open++
			}
		}
		j := &job{attempt: t.Attempt, ctx: r.work, cancel: func() {}, failed: t.Error, again: true}
		if took := held[t.ID]; took > 0 {
			j.renewed = r.now().Add(-took).UTC() // nobody ran when it ended
		}
		r.ledger.bury(t, open, r.beat)
		r.settle(t, j, outcome{})
	}
	if err := r.flush(ctx); err != nil {
		return nil, err
	}
	r.changed()
	r.sweep(going)
	r.sweepExecutors()
	return going, r.load(ctx)
}

// goOn has the evaluators take up what goes on without a runner, before anything else is started.
func (r *runner) goOn(going goingOn) {
	for i := range r.hist.trials {
		t := r.hist.trials[i]
		if going[t.ID] == nil || t.State != evaluator.Running {
			continue
		}
		r.note("trial %d: it is still being measured, and goes on", t.ID)
		j := r.open(t)
		j.failed = t.Error
		r.ledger.bury(&t, 0, r.now())
		for _, x := range going[t.ID] {
			r.submit(x, []Trial{t})
			j.since[x] = t.Started
		}
	}
}

// sweep deletes what evaluators have left beside the logs and nobody needs: a runner that was killed
// between recording and deleting leaves it for good.
func (r *runner) sweep(going goingOn) {
	logs := filepath.Join(r.dir, "logs")
	found, _ := filepath.Glob(filepath.Join(logs, "trial-*.log"+evaluator.RunInfix+"*"))
	linked := plainFolder(logs, "") != nil // what is behind a link may be somebody else's
	var needed []string
	for _, t := range r.hist.trials {
		for _, x := range going[t.ID] {
			needed = append(needed, "-"+r.candidate(r.work, x, t).ID)
		}
	}
	var left []string
	for _, path := range found {
		switch {
		case linked || !ownRun(filepath.Base(path), r.ids.study):
			left = append(left, path)
		case slices.ContainsFunc(needed, func(end string) bool { return strings.HasSuffix(path, end) }):
		default:
			if err := evaluator.Drop(path); err != nil {
				r.note("logs: %v", err)
			}
		}
	}
	r.leaves(left)
}

// sweepExecutors says to the evaluators whose evaluations go on without a runner which questions may still be asked.
func (r *runner) sweepExecutors() {
	wanted := map[string]bool{} // of all: two of a kind may keep what they leave at one place
	for _, x := range r.executors {
		for _, t := range r.hist.trials {
			if !t.State.Final() && len(x.missing(t)) > 0 {
				wanted[r.candidate(r.work, x, t).ID] = true
			}
		}
	}
	for _, x := range r.executors {
		if s, ok := x.eval.(evaluator.Sweeper); ok {
			if err := s.Sweep(func(id string) bool { return wanted[id] || !r.ids.ofTrial(id) }); err != nil {
				r.note("evaluator %s: what it left of earlier runs could not be cleared: %v", x.name, err)
			}
		}
	}
}

// recoverFrom asks an evaluator what became of the trials that were running in it, and records what it knows. Those that it
// still measures are added to going; how long the others took, where it knows that and nothing was measured of them
// before, to held.
func (r *runner) recoverFrom(ctx context.Context, x *executor, going goingOn, held map[int]time.Duration) error {
	var open []evaluator.Candidate
	for _, t := range r.hist.trials {
		if t.State == evaluator.Running && len(x.missing(t)) > 0 {
			open = append(open, r.candidate(ctx, x, t))
		}
	}
	if len(open) == 0 {
		return nil
	}
	var mu sync.Mutex
	_, err := x.eval.Recover(ctx, open, func(e evaluator.Event) error {
		mu.Lock()
		defer mu.Unlock()
		i := slices.IndexFunc(open, func(c evaluator.Candidate) bool { return c.Key == e.Key && c.Attempt == e.Attempt })
		switch {
		case i < 0 || e.State == evaluator.Cancelled:
			return nil
		case !e.State.Final():
			if id := trialOf(e.Key); !slices.Contains(going[id], x) {
				going[id] = append(going[id], x)
			}
			return nil
		}
		c := open[i]
		if id := trialOf(e.Key); slices.Contains(going[id], x) { // it has ended since
			if going[id] = slices.DeleteFunc(going[id], func(o *executor) bool { return o == x }); len(going[id]) == 0 {
				delete(going, id)
			}
		}
		open = slices.Delete(slices.Clone(open), i, i+1) // the evaluator has the other
		if t := r.hist.trial(trialOf(e.Key)); e.Elapsed > 0 && (held[t.ID] > 0 || !t.partMeasured()) {
			held[t.ID] = max(held[t.ID], e.Elapsed)
		}
		return r.takeRecovered(ctx, x, c, e)
	})
	mu.Lock()
	defer mu.Unlock()
	if err != nil {
		return &Error{Code: CodeEvaluator, Where: "evaluators." + x.name, What: "cannot say what became of the trials that were running", Err: err}
	}
	return nil
}

// takeRecovered records a result that an earlier runner did not live to see.
func (r *runner) takeRecovered(ctx context.Context, x *executor, c evaluator.Candidate, e evaluator.Event) error {
	t := r.hist.trial(trialOf(c.Key))
	if e.State == evaluator.Failed && nobodysFault(e.Err) {
		r.note("trial %d: it failed while nobody ran, and may not be to blame: it is measured again", t.ID)
		return nil
	}
	r.note("trial %d: its result was still there", t.ID)
	metrics, failed := e.Metrics, t.Error
	if err := r.judge(slices.Concat(c.Tasks, c.Timed), e); err != nil {
		metrics = nil
		failed = cmp.Or(failed, clip(err.Error(), maxError))
	} else {
		r.ledger.charge(cmp.Or(e.Elapsed, r.beat.Sub(t.Started)))
	}
	res := result{trial: t.ID, attempt: t.Attempt, evaluator: x.name, metrics: metrics, to: evaluator.Running, why: failed}
	if err := r.persist(ctx, func() error {
		return r.store.Write(res.kind(), func(c *history.Change) error { _, err := res.record(c); return err })
	}); err != nil {
		return err
	}
	t.Error = failed
	if metrics != nil {
		t.add(Measurement{Attempt: t.Attempt, Evaluator: x.name, Split: evaluator.Validation, At: time.Now().UTC(), Metrics: metrics})
	}
	return nil
}

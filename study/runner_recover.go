package study

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"parfait/evaluator"
	"parfait/history"
)

// recover settles what an earlier runner left open: results that an evaluator still knows are recorded,
// the others wait again as a new attempt. Killed at any moment it leaves what the next one can settle: what an
// evaluator tells is on record before it is thrown away, of a failure as of metrics, and no trial gets its
// state before all evaluators were asked.
func (r *runner) recover(ctx context.Context) error {
	for _, x := range r.executors {
		if err := r.recoverFrom(ctx, x); err != nil {
			return err
		}
	}
	for i := range r.hist.trials {
		t := &r.hist.trials[i]
		if t.State != evaluator.Running {
			continue
		}
		j := &job{attempt: t.Attempt, ctx: r.work, cancel: func() {}, failed: t.Error, again: true}
		r.settle(t, j, outcome{})
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	r.sweep()
	r.sweepExecutors()
	var err error
	r.hist, err = r.load(ctx)
	return err
}

// sweep deletes what evaluators have left beside the logs, now that nothing is open: a runner that was killed
// between recording and deleting leaves it for good.
func (r *runner) sweep() {
	logs := filepath.Join(r.dir, "logs")
	found, _ := filepath.Glob(filepath.Join(logs, "trial-*.log"+evaluator.RunInfix+"*"))
	linked := plainFolder(logs, "") != nil // what is behind a link may be somebody else's
	var left []string
	for _, path := range found {
		if linked || !ownRun(filepath.Base(path), r.ids.study) {
			left = append(left, path)
		} else if err := os.RemoveAll(path); err != nil {
			r.note("logs: %v", err)
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

// recoverFrom asks an evaluator what became of the trials that were running in it, and records what it knows.
func (r *runner) recoverFrom(ctx context.Context, x *executor) error {
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
		if i < 0 || !e.State.Final() || e.State == evaluator.Cancelled {
			return nil
		}
		c := open[i]
		open = slices.Delete(slices.Clone(open), i, i+1) // the evaluator has the other
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
	r.note("trial %d: its result was still there", t.ID)
	metrics, failed := e.Metrics, t.Error
	if err := r.judge(c.Tasks, e); err != nil {
		metrics = nil
		failed = cmp.Or(failed, clip(err.Error(), maxError))
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

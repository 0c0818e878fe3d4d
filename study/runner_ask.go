package study

import (
	"context"
	"errors"
	"fmt"

	"parfait/evaluator"
	"parfait/history"
	"parfait/internal/rescue"
	"parfait/search"
)

// askResult is what the strategy says.
type askResult struct {
	batch    int
	saw      saw
	question search.Question
	proposal search.Proposal
	err      error
}

// ask has the strategy propose the next batch, where it is time: batch j is computed from the completed
// batches up to j−2, with batch j−1 entered as pending, so that the number of workers changes nothing.
func (r *runner) ask() bool {
	q, seen, ok := r.question()
	if !ok {
		return false
	}
	r.asking = true
	rescue.Go(func() {
		a := askResult{batch: q.Batch, saw: seen, question: q}
		defer func() {
			r.asked <- a
		}()
		a.err = rescue.Call(func() (err error) {
			a.proposal, err = r.strategy.Ask(r.work, q)
			return err
		})
	})
	return true
}

// question is what the strategy is asked for the next batch, where it may be asked already.
func (r *runner) question() (q search.Question, seen saw, ok bool) {
	next := len(r.hist.batches)
	q = search.Question{
		Space: r.space(), Tasks: searchTasks(r.spec().Tasks), Batch: next, Budget: r.budget(r.hist.meta), Seed: r.spec().Search.Seed, Surrogate: r.spec().Surrogate,
	}
	for _, t := range r.hist.trials {
		if t.Batch >= 0 {
			q.Asked++
			if t.Batch < next-1 && !t.State.Final() {
				return q, seen, false
			}
		}
	}
	q.N = min(r.spec().Search.Batch, q.Budget-q.Asked)
	if q.N <= 0 || r.hist.meta["exhausted"] != "" {
		return q, seen, false
	}
	var done, pending []int
	for _, t := range r.hist.trials {
		switch {
		case t.Batch >= 0 && t.Batch == next-1:
			pending, q.Pending = append(pending, t.ID), append(q.Pending, t.X)
		case t.Batch >= 0 || t.State == evaluator.Done:
			done, q.Done = append(done, t.ID), append(q.Done, point(t, r.spec().Tasks))
		}
	}
	return q, saw{ranges(done), ranges(pending), q.Seed}, true
}

// answered records the strategy's proposal.
func (r *runner) answered(ctx context.Context, a askResult) error {
	r.asking = false
	if a.err != nil {
		if r.work.Err() != nil {
			return nil
		}
		return noAnswer(r.spec().Search.Strategy, a.batch, a.err)
	}
	defer r.changed()
	if why := a.proposal.Stop; why != "" {
		r.note("%s", why)
		r.hist.meta["exhausted"] = why
		return r.persist(ctx, func() error { return r.store.setMeta("exhausted", map[string]string{"exhausted": why}) })
	}
	// Where the strategy waits, its batch is empty: the next is asked for once all that is pending has finished.
	if err := r.persist(ctx, func() error {
		return r.store.Write("batch", func(c *history.Change) error { return addBatch(c, a.batch, a.saw, a.proposal) })
	}); err != nil {
		return err
	}
	return r.refresh(ctx)
}

// noAnswer says why a strategy cannot go on. One that breaks its contract is named by the error itself, and
// nothing that it proposed is in the history.
func noAnswer(strategy string, batch int, err error) error {
	var e *search.Error
	if errors.As(err, &e) && e.Code == search.BrokenContract {
		return &Error{
			Where: fmt.Sprintf("search, batch %d", batch), What: "the strategy is at fault, and what it proposed is not measured", Err: err,
			Fix: "the trials so far are safe: choose another strategy in study.yaml, or mend this one",
		}
	}
	return fmt.Errorf("strategy %s has no answer for batch %d: %w", strategy, batch, err)
}

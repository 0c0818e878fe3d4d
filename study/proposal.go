package study

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"parfait/evaluator"
	"parfait/search"
)

// askResult is what the strategy says.
type askResult struct {
	batch    int
	seen     []int // trials asked for by people that it knew of
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
	go func() {
		a := askResult{batch: q.Batch, seen: seen, question: q}
		defer func() {
			if p := recover(); p != nil {
				a.err = fmt.Errorf("%v (this is a fault of the program; the trials are safe)", p)
			}
			r.asked <- a
		}()
		a.proposal, a.err = r.strategy.Ask(r.work, q)
	}()
	return true
}

// question is what the strategy is asked for the next batch, where it may be asked already.
func (r *runner) question() (q search.Question, seen []int, ok bool) {
	next := r.hist.batch + 1
	q = search.Question{
		Space: r.space, Tasks: searchTasks(r.spec.Tasks), Batch: next, Budget: r.budget(r.hist.meta), Seed: r.spec.Search.Seed, Surrogate: r.spec.Surrogate,
	}
	for _, t := range r.hist.trials {
		if t.Batch >= 0 {
			q.Asked++
			if t.Batch < next-1 && !t.State.Final() {
				return q, nil, false
			}
		}
	}
	q.N = min(r.spec.Search.Batch, q.Budget-q.Asked)
	if q.N <= 0 || r.hist.meta["exhausted"] != "" {
		return q, nil, false
	}
	seen = []int{}
	for _, t := range r.hist.trials {
		switch {
		case t.Batch >= 0 && t.Batch == next-1:
			q.Pending = append(q.Pending, t.X)
		case t.Batch >= 0:
			q.Done = append(q.Done, point(t, r.spec.Tasks))
		case t.State == evaluator.Done:
			seen = append(seen, t.ID)
			q.Done = append(q.Done, point(t, r.spec.Tasks))
		}
	}
	return q, seen, true
}

// answered records the strategy's proposal.
func (r *runner) answered(ctx context.Context, a askResult) error {
	r.asking = false
	if a.err == nil {
		a.err = sound(a.question, a.proposal)
	}
	if a.err != nil {
		if r.work.Err() != nil {
			return nil
		}
		return fmt.Errorf("strategy %s has no answer for batch %d: %w", r.spec.Search.Strategy, a.batch, a.err)
	}
	defer r.changed()
	if len(a.proposal.X) == 0 && len(a.question.Pending) == 0 {
		why := a.proposal.Stop
		if why == "" {
			why = "the strategy has no more to ask"
		}
		r.note("%s", why)
		r.hist.meta["exhausted"] = why
		return r.persist(ctx, func() error { return r.store.setMeta(map[string]string{"exhausted": why}) })
	}
	// An empty batch: what is pending may tell the strategy more, and the next is asked for with all of it.
	trials := make([]newTrial, len(a.proposal.X))
	for i, x := range a.proposal.X {
		trials[i] = newTrial{x: x, origin: "search"}
		if i < len(a.proposal.Why) {
			trials[i].why = a.proposal.Why[i]
		}
	}
	if err := r.persist(ctx, func() error { return r.store.addBatch(a.batch, a.seen, trials) }); err != nil {
		return err
	}
	return r.refresh(ctx)
}

// sound says why a proposal cannot be recorded: what is in the history stays there.
func sound(q search.Question, p search.Proposal) error {
	if len(p.X) > q.N {
		return fmt.Errorf("it proposes %d points where %d were asked for", len(p.X), q.N)
	}
	for _, x := range p.X {
		if len(x) != len(q.Space.Coefficients) || slices.ContainsFunc(x, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) {
			return errors.New("it proposes a point that is none: " + fmt.Sprint(x))
		}
	}
	return nil
}

package study

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"time"

	"parfait/evaluator"
	"parfait/history"
	"parfait/internal/rescue"
	"parfait/search"
)

// askResult is what the strategy says.
type askResult struct {
	batch    int
	saw      saw
	ended    int       // trials that had finished
	begun    time.Time // to think
	question search.Question
	proposal search.Proposal
	err      error
}

// ask has the strategy propose the next trials, where it is time.
func (r *runner) ask() bool {
	q, seen, ok := r.question()
	if !ok {
		return false
	}
	r.asking = true
	a := askResult{batch: q.Batch, saw: seen, ended: r.hist.finished(), begun: r.now(), question: q}
	when := r.spec().Search.StopWhen
	rescue.Go(func() {
		defer func() { r.asked <- a }()
		a.err = rescue.Call(func() (err error) {
			if a.proposal.Stop, err = when.enough(r.work, q); a.proposal.Stop != "" || err != nil {
				return err
			}
			a.proposal, err = r.strategy.Ask(r.work, q)
			return err
		})
	})
	return true
}

// question is what the strategy is asked next, where it may be asked already.
func (r *runner) question() (q search.Question, seen saw, ok bool) {
	spec := r.spec().Search
	q = search.Question{
		Space: r.space(), Tasks: searchTasks(r.spec().Tasks), Batch: len(r.hist.batches), Budget: r.budget(r.hist.meta), Seed: spec.Seed, Surrogate: r.spec().Surrogate, Focus: r.focusOf(r.hist.meta),
	}
	q.Asked = r.hist.searched
	var pending func(Trial) bool
	if spec.Order == OrderFree {
		pending, q.N = r.freely(q.Batch)
	} else {
		pending, q.N = r.inOrder(q.Batch)
	}
	q.N = min(q.N, q.Budget-q.Asked)
	if q.N <= 0 || r.hist.meta["exhausted"] != "" {
		return q, seen, false
	}
	done, open := ask(&q, r.hist.trials, r.spec().Tasks, pending)
	return q, saw{Done: ranges(done), Pending: ranges(open), N: q.N, Budget: q.Budget, Seed: q.Seed, Focus: q.Focus, Floors: search.Floors(q.Tasks)}, true
}

// ask puts into q what is known of the trials: those that are pending, and those that have finished. It returns their
// numbers.
func ask(q *search.Question, trials []Trial, tasks []Task, pending func(Trial) bool) (done, open []int) {
	for _, t := range trials {
		switch {
		case pending(t):
			open, q.Pending = append(open, t.ID), append(q.Pending, t.X)
		case t.Batch >= 0 && t.State.Final() || t.State == evaluator.Done:
			done, q.Done = append(done, t.ID), append(q.Done, point(t, tasks))
		}
	}
	return done, open
}

// inOrder is for batches that follow from each other: batch j from the completed batches up to j−2 and what people had
// measured by then, with batch j−1 pending, whatever has come of it, so that the number of workers changes nothing. n is
// 0 where a batch before those is not completed.
func (r *runner) inOrder(next int) (pending func(Trial) bool, n int) {
	for _, t := range r.hist.open() {
		if t.Batch >= 0 && t.Batch < next-1 && !t.State.Final() {
			return nil, 0
		}
	}
	return func(t Trial) bool { return t.Batch >= 0 && t.Batch == next-1 }, r.batch()
}

// freely is for proposals that are made whenever a slot is free: from all that has finished, with all that has not
// pending. n is how many slots will have nothing to do; at the start it is a batch.
func (r *runner) freely(next int) (pending func(Trial) bool, n int) {
	ended := r.hist.finished()
	open := len(r.hist.trials) - ended
	pending = func(t Trial) bool { return !t.State.Final() }
	switch {
	case next == 0:
		return pending, r.batch()
	case len(r.hist.batches[next-1].Trials) == 0 && r.waitedAt == ended && open > 0:
		return pending, 0 // it waits for something to finish
	}
	ahead := r.ahead()
	if n = r.slots() + ahead - open; 2*n < ahead {
		n = 0 // enough wait: fewer questions, of more
	}
	return pending, n
}

// batch is how many trials are asked for at once.
func (r *runner) batch() int {
	if n := r.spec().Search.Batch; n > 0 {
		return n
	}
	return max(4, r.slots())
}

// slots is how many trials can be measured at once.
func (r *runner) slots() int {
	n := 1
	for _, x := range r.executors {
		n = max(n, x.eval.Limits().InFlight)
	}
	return n
}

// ahead is how many trials are to wait for a slot at most, so that none idles while the strategy thinks: twice as many as
// finish meanwhile, one at least where a slot would wait for a hundredth of its time, and of many slots a few, since
// then something has always just finished: one more of hundreds that are pending tells little, and each question
// takes its time.
func (r *runner) ahead() int {
	var spent time.Duration
	n, slots := 0, r.slots()
	for i := len(r.hist.trials) - 1; i >= 0 && n < recent; i-- {
		if took, known := r.hist.trials[i].took(); known && r.hist.trials[i].State == evaluator.Done {
			spent += took
			n++
		}
	}
	if n == 0 || spent <= 0 {
		return 0
	}
	share := float64(n) * float64(r.thought) / float64(spent) // of an evaluation, that the strategy thinks
	ahead := max(2*int(math.Round(float64(slots)*share)), slots/manySlots)
	if share > waitingShare {
		ahead = max(ahead, 1)
	}
	return min(slots, ahead)
}

const (
	waitingShare = 0.01 // of an evaluation: what a slot may wait for the strategy
	manySlots    = 16   // as many slots have one trial ahead of them
)

// recent is how many trials say how long one takes.
const recent = 16

// answered records the strategy's proposal.
func (r *runner) answered(ctx context.Context, a askResult) error {
	r.asking = false
	defer func() { r.thought = r.now().Sub(a.begun) }()
	if a.proposal.Wait != "" {
		r.waitedAt = a.ended
	}
	if a.err != nil {
		if r.work.Err() != nil {
			return nil
		}
		return noAnswer(r.spec().Search.Strategy, a.batch, a.err)
	}
	defer r.changed()
	if why := a.proposal.Stop; why != "" {
		r.note("%s", why)
		said := map[string]string{"exhausted": why}
		if a.question.Focus != nil && a.question.Focus.Pick != nil {
			said[metaSettle] = "" // it is known, or cannot be
		}
		maps.Copy(r.hist.meta, said)
		return r.persist(ctx, func() error { return r.store.setMeta("exhausted", said) })
	}
	// Where the strategy waits, its batch is empty.
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

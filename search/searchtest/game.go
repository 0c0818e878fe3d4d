package searchtest

import (
	"context"
	"fmt"
	"slices"

	"parfait/search"
)

// game is a study without files: what a strategy is asked, and what its points are worth.
type game struct {
	name     string
	space    search.Space
	tasks    []search.Task
	people   [][]float64 // points that people asked for before: the last is still pending
	begun    [][]float64 // points that another strategy asked for before
	rhythm   rhythm
	budget   int // of the questions; 0: none, and the suite ends the game
	measure  func(x []float64, nth int) search.Point
	onePlace bool // the space is a single point, so that any strategy may end early
	thorough bool // its questions are put again
}

// rhythm is how a strategy is asked.
type rhythm struct {
	name  string
	batch int  // so many points, before the ones asked for last have finished
	drain bool // or after
	slots int  // or one point whenever fewer than so many are open
}

const (
	budget = 20 // of games that have one; the others end when more than so many points were asked for
	seed   = 7
)

// play asks until the strategy stops or, where there is no budget, has gone on for long enough, and returns what
// was asked and answered.
func (g game) play(ctx context.Context, s Subject) ([]asked, error) {
	strategy, err := s.held()
	if err != nil {
		return nil, err
	}
	t := table{game: g, q: search.Question{Space: g.space, Tasks: g.tasks, N: max(g.rhythm.batch, 1), Budget: g.budget, Seed: seed}}
	t.open()
	var all []asked
	for g.budget > 0 || t.q.Asked <= budget {
		q := t.question()
		before := fmt.Sprint(q)
		p, err := strategy.Ask(ctx, q)
		if err != nil {
			return nil, err
		}
		if after := fmt.Sprint(q); after != before || writtenBehind(q.Pending) {
			return nil, search.Breach(s.Info.Name, search.Untouched, "batch %d: %s, was %s", q.Batch, after, before)
		}
		all = append(all, asked{q, p})
		if p.Stop != "" {
			return all, g.ended(s, q, p)
		}
		t.take(p)
	}
	return all, nil
}

// writtenBehind says whether somebody has appended to xs where it has room for more.
func writtenBehind(xs [][]float64) bool {
	return slices.ContainsFunc(xs[len(xs):cap(xs)], func(x []float64) bool { return x != nil })
}

// ended holds the end to the contract.
func (g game) ended(s Subject, q search.Question, p search.Proposal) error {
	if q.Asked == 0 && len(g.people) == 0 || q.Asked < budget && s.Info.Ends == "" && !g.onePlace {
		return search.Breach(s.Info.Name, search.Patient, "it stops after %d points with a budget of %d: %s", q.Asked, q.Budget, p.Stop)
	}
	return nil
}

// table is a game that is being played.
type table struct {
	game
	q       search.Question
	batches []int // of the pending points
	points  int   // finished
}

// open enters what was asked for before.
func (t *table) open() {
	for _, x := range t.begun {
		t.finish(x, 0)
		t.q.Asked, t.q.Batch = t.q.Asked+1, 1
	}
	for _, x := range t.people {
		t.q.Pending, t.batches = append(t.q.Pending, x), append(t.batches, -1)
	}
	t.finishFirst(max(len(t.people)-1, 0))
}

// question is what is asked next: a copy, so that a strategy that writes into it harms nothing but itself.
func (t *table) question() search.Question {
	q := t.q
	q.Done = slices.Clone(t.q.Done)
	for i, p := range q.Done {
		q.Done[i].X, q.Done[i].Y = slices.Clone(p.X), slices.Clone(p.Y)
	}
	q.Pending = make([][]float64, len(t.q.Pending), len(t.q.Pending)+budget)
	for i, x := range t.q.Pending {
		q.Pending[i] = slices.Clone(x)
	}
	return q
}

// take enters an answer and finishes what its time has come for.
func (t *table) take(p search.Proposal) {
	if t.rhythm.batch > 0 {
		t.finishFirst(len(t.q.Pending))
	}
	for _, point := range p.Points {
		t.q.Pending, t.batches = append(t.q.Pending, slices.Clone(point.X)), append(t.batches, t.q.Batch)
	}
	t.q.Batch++
	t.q.Asked += len(p.Points)
	if t.rhythm.drain {
		t.finishFirst(len(t.q.Pending))
	}
	if t.rhythm.slots > 0 && (p.Wait != "" || len(t.q.Pending) >= t.rhythm.slots) {
		k := t.points * 5 % len(t.q.Pending) // not in the order in which they were asked for
		t.q.Pending[0], t.q.Pending[k] = t.q.Pending[k], t.q.Pending[0]
		t.batches[0], t.batches[k] = t.batches[k], t.batches[0]
		t.finishFirst(1)
	}
}

func (t *table) finishFirst(n int) {
	for i, x := range t.q.Pending[:n] {
		t.finish(x, t.batches[i])
	}
	t.q.Pending, t.batches = slices.Clone(t.q.Pending[n:]), slices.Clone(t.batches[n:])
}

// finish measures a point.
func (t *table) finish(x []float64, batch int) {
	p := t.measure(x, t.points)
	p.X, p.Batch = x, batch
	t.q.Done = append(t.q.Done, p)
	t.points++
}

package search

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"parfait/problem"
)

// Clause is one rule of the contract between a strategy and whoever asks it. What it proposes costs hours of
// evaluation, so that a strategy that breaks a clause is stopped before any of it is measured.
type Clause string

// The clauses. Hold checks every answer against the first nine; the others show only when a strategy is asked
// more than once, which package searchtest does.
const (
	OneAnswer Clause = "it answers with points, with Wait or with Stop, and with one of them"
	Count     Clause = "it proposes no more points than are asked for"
	Reason    Clause = "it says why it proposes each point"
	Numbers   Clause = "a point has one finite number a coefficient"
	InRange   Clause = "every coefficient lies within its range"
	OnSimplex Clause = "proportions are not negative and sum to one"
	Novel     Clause = "a point was not asked for before, or is said to be a repeat"
	Repeats   Clause = "what is said to be a repeat was asked for before"
	Waits     Clause = "it waits only while something is pending"

	Pure      Clause = "the same question gets the same answer, however often and from however many at once"
	Untouched Clause = "the question stays as it is"
	Obedient  Clause = "once its context has ended, it answers as without or with the context's error"
	Patient   Clause = "it spends the budget, unless its Info says why it may end before"
)

// Clauses lists the contract.
func Clauses() []Clause {
	return []Clause{OneAnswer, Count, Reason, Numbers, InRange, OnSimplex, Novel, Repeats, Waits, Pure, Untouched, Obedient, Patient}
}

// Hold holds a strategy to the contract: the question is checked before it is asked (BadQuestion, and nothing
// is asked once the budget is spent), with N no more than the budget leaves, and an answer that breaks a clause
// is an error (BrokenContract) that names the strategy and the clause. New returns strategies that are held.
func Hold(i Info, s Strategy) Strategy { return held{i, s} }

type held struct {
	Info
	of Strategy
}

// Ask implements Strategy.
func (h held) Ask(ctx context.Context, q Question) (Proposal, error) {
	if err := ctx.Err(); err != nil {
		return Proposal{}, err
	}
	if err := errors.Join(q.check(), q.suits(h.Info), q.follows(h.Info)); err != nil {
		return Proposal{}, err
	}
	if q.N < 1 {
		return Proposal{}, fail(BadQuestion, "%d points are asked for: ask for one at least", q.N)
	}
	left, spent := q.left()
	if left == 0 {
		return Proposal{Stop: spent}, nil
	}
	q.N = min(q.N, left)
	p, err := h.answer(ctx, &q)
	if err == nil {
		err = h.judge(&q, p)
	}
	if err != nil {
		return Proposal{}, err
	}
	return p, nil
}

// answer is the strategy's, or, where a pick is to be settled, what settles it.
func (h held) answer(ctx context.Context, q *Question) (Proposal, error) {
	if q.Focus != nil && q.Focus.Pick != nil {
		return settle(ctx, q)
	}
	return h.of.Ask(ctx, *q)
}

// tolerance is how far arithmetic may carry a coefficient out of its range, or proportions off their sum.
const tolerance = 1e-9

// judge says which clause an answer breaks.
func (h held) judge(q *Question, p Proposal) error {
	answers := 0
	for _, given := range []bool{len(p.Points) > 0, p.Wait != "", p.Stop != ""} {
		if given {
			answers++
		}
	}
	switch {
	case answers != 1:
		return Breach(h.Name, OneAnswer, "%d points, Wait %q, Stop %q", len(p.Points), p.Wait, p.Stop)
	case len(p.Points) > q.N:
		return Breach(h.Name, Count, "%d points where %d were asked for", len(p.Points), q.N)
	case p.Wait != "" && len(q.Pending) == 0:
		return Breach(h.Name, Waits, "nothing is pending, and it waits: %s", p.Wait)
	}
	taken := q.taken()
	for _, point := range p.Points {
		if err := h.judgePoint(q, point, taken); err != nil {
			return err
		}
		taken = append(taken, point.X)
	}
	return nil
}

func (h held) judgePoint(q *Question, p Proposed, taken [][]float64) error {
	known := func() bool {
		return slices.ContainsFunc(taken, func(y []float64) bool { return q.Space.same(p.X, y) })
	}
	switch {
	case p.Why == "":
		return Breach(h.Name, Reason, "none for %v", p.X)
	case len(p.X) != len(q.Space.Coefficients):
		return Breach(h.Name, Numbers, "%v has %d, the space has %d coefficients", p.X, len(p.X), len(q.Space.Coefficients))
	case slices.ContainsFunc(p.X, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }):
		return Breach(h.Name, Numbers, "%v", p.X)
	}
	for i, c := range q.Space.Coefficients {
		if p.X[i] < c.Lo-tolerance || p.X[i] > c.Hi+tolerance {
			return Breach(h.Name, InRange, "%s is %g, its range is %g to %g", c.Name, p.X[i], c.Lo, c.Hi)
		}
	}
	switch {
	case !q.Space.Bounds().Contains(p.X, tolerance):
		return Breach(h.Name, OnSimplex, "%v", p.X)
	case !p.Repeat && known():
		return Breach(h.Name, Novel, "%v", p.X)
	case p.Repeat && !known():
		return Breach(h.Name, Repeats, "%v", p.X)
	}
	return nil
}

// Breach is the error of a strategy that breaks a clause: BrokenContract.
func Breach(strategy string, c Clause, format string, args ...any) *Error {
	text := fmt.Sprintf("strategy %q breaks its contract, which says that %s: ", strategy, c) + fmt.Sprintf(format, args...)
	return &Error{Problem: problem.Problem{Code: BrokenContract, What: text}, Clause: c}
}

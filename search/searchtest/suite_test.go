package searchtest

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"

	"parfait/search"
)

// broken are strategies that break one clause each, of one that keeps them all.
var broken = map[search.Clause]func(right search.Strategy) search.Strategy{
	search.OneAnswer: changed(func(_ search.Question, p *search.Proposal) { p.Points, p.Wait, p.Stop = nil, "", "" }),
	search.Count: changed(func(q search.Question, p *search.Proposal) {
		for len(p.Points) <= q.N && len(p.Points) > 0 {
			p.Points = append(p.Points, p.Points[0])
		}
	}),
	search.Reason:  changed(func(_ search.Question, p *search.Proposal) { last(p).Why = "" }),
	search.Numbers: changed(func(_ search.Question, p *search.Proposal) { last(p).X[0] = math.NaN() }),
	search.InRange: changed(func(q search.Question, p *search.Proposal) { last(p).X[0] = q.Space.Coefficients[0].Hi + 1e-3 }),
	search.OnSimplex: changed(func(q search.Question, p *search.Proposal) {
		if len(q.Space.Simplex) > 0 {
			for _, i := range q.Space.Simplex[0] {
				last(p).X[i] = 0.3
			}
		}
	}),
	search.Novel: changed(func(q search.Question, p *search.Proposal) {
		if len(q.Done) > 0 {
			last(p).X = slices.Clone(q.Done[0].X)
		}
	}),
	search.Repeats: changed(func(_ search.Question, p *search.Proposal) { last(p).Repeat = true }),
	search.Waits:   changed(func(q search.Question, p *search.Proposal) { *p = search.Proposal{Wait: "in no mood"} }),
	search.Pure:    func(right search.Strategy) search.Strategy { return &moody{Strategy: right} },
	search.Untouched: changed(func(q search.Question, _ *search.Proposal) {
		if len(q.Pending) > 0 {
			_ = append(q.Pending, q.Pending[0]) // where it has room for one more
		}
	}),
	search.Obedient: func(right search.Strategy) search.Strategy { return hasty{right} },
	search.Patient: changed(func(q search.Question, p *search.Proposal) {
		if q.Asked > q.Budget/2 {
			*p = search.Proposal{Stop: "that will do"}
		}
	}),
}

// last is the last point of a proposal, or one that nobody sees where it has none.
func last(p *search.Proposal) *search.Proposed {
	if len(p.Points) == 0 {
		return &search.Proposed{X: make([]float64, 100)}
	}
	return &p.Points[len(p.Points)-1]
}

type change struct {
	search.Strategy
	change func(search.Question, *search.Proposal)
}

func changed(f func(search.Question, *search.Proposal)) func(search.Strategy) search.Strategy {
	return func(right search.Strategy) search.Strategy { return change{right, f} }
}

func (c change) Ask(ctx context.Context, q search.Question) (search.Proposal, error) {
	p, err := c.Strategy.Ask(ctx, q)
	c.change(q, &p)
	return p, err
}

// moody answers the seventh question as if the seed were another.
type moody struct {
	search.Strategy
	mu sync.Mutex
	n  int
}

func (m *moody) Ask(ctx context.Context, q search.Question) (search.Proposal, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.n++; m.n == 7 {
		q.Seed++
	}
	return m.Strategy.Ask(ctx, q)
}

// hasty answers with whatever it has when its time is over.
type hasty struct{ search.Strategy }

func (h hasty) Ask(ctx context.Context, q search.Question) (search.Proposal, error) {
	p, err := h.Strategy.Ask(ctx, q)
	if ctx.Err() != nil {
		return search.Proposal{Stop: "out of time"}, nil
	}
	return p, err
}

// breaks says whether err is that of a strategy that breaks clause c.
func breaks(err error, c search.Clause) bool {
	var e *search.Error
	return errors.As(err, &e) && e.Code == search.BrokenContract && e.Clause == c
}

func subject(wrong func(search.Strategy) search.Strategy) Subject {
	info := search.Info{Name: "tested"}
	return Subject{Info: info, New: func() (search.Strategy, error) {
		right, err := search.New("direct", map[string]any{"algorithm": "random"})
		return wrong(right), err
	}}
}

// The suite catches a strategy that breaks a clause, whichever it is, and says which; one that breaks none
// passes.
func TestSuiteCatchesEveryBreach(t *testing.T) {
	for _, c := range search.Clauses() {
		wrong, ok := broken[c]
		if !ok {
			t.Errorf("no broken strategy shows that the suite catches what breaks this: %s", c)
			continue
		}
		if err := Check(t.Context(), subject(wrong)); !breaks(err, c) {
			t.Errorf("%s: the suite says %v", c, err)
		}
	}
	if err := Check(t.Context(), subject(func(s search.Strategy) search.Strategy { return s })); err != nil {
		t.Errorf("a right strategy: %v", err)
	}
}

// asks are the kinds of question that the suite is to ask.
var asks = map[string]func(q search.Question) bool{
	"the first":                        func(q search.Question) bool { return q.Asked == 0 && len(q.Pending) == 0 },
	"the first, a person's is pending": func(q search.Question) bool { return q.Asked == 0 && len(q.Pending) > 0 },
	"some are pending":                 func(q search.Question) bool { return q.Asked > 0 && len(q.Pending) > 0 },
	"none is pending after the start":  func(q search.Question) bool { return q.Asked > 0 && len(q.Pending) == 0 },
	"one by one":                       func(q search.Question) bool { return q.N == 1 },
	"no budget":                        func(q search.Question) bool { return q.Budget == 0 },
	"no budget, none is pending":       func(q search.Question) bool { return q.Budget == 0 && q.Asked > 0 && len(q.Pending) == 0 },
	"no budget, one by one":            func(q search.Question) bool { return q.Budget == 0 && q.Asked > 0 && q.N == 1 },
	"a point measured twice": func(q search.Question) bool {
		return len(q.Done) > 2 && slices.Equal(q.Done[1].X, q.Done[2].X)
	},
	"one coefficient": func(q search.Question) bool { return len(q.Space.Coefficients) == 1 },
	"one place": func(q search.Question) bool {
		return !slices.ContainsFunc(q.Space.Coefficients, func(c search.Coefficient) bool { return c.Lo < c.Hi })
	},
	"one goal":           func(q search.Question) bool { return optimised(q) == 1 },
	"no goals":           func(q search.Question) bool { return optimised(q) == 0 },
	"no tasks":           func(q search.Question) bool { return len(q.Tasks) == 0 },
	"another began":      func(q search.Question) bool { return q.Batch == 1 && q.Asked == 4 },
	"all failed":         func(q search.Question) bool { return len(q.Done) > 0 && !worked(q) },
	"a goal unmeasured":  func(q search.Question) bool { return len(q.Tasks) > 0 && never(q, measures(1)) },
	"a guard unmeasured": func(q search.Question) bool { return len(q.Tasks) > 0 && never(q, measures(2)) },
	"no point has all goals": func(q search.Question) bool {
		return len(q.Done) > 3 && !never(q, measures(0)) && !never(q, measures(1)) &&
			never(q, func(p search.Point) bool { return measures(0)(p) && measures(1)(p) })
	},
	"nothing measured": func(q search.Question) bool {
		return never(q, func(p search.Point) bool { return measures(0)(p) || measures(1)(p) || measures(2)(p) })
	},
	"a rate of one": func(q search.Question) bool {
		return slices.ContainsFunc(q.Done, func(p search.Point) bool { return measures(0)(p) && p.Y[0].Value == 1 })
	},
}

func optimised(q search.Question) int {
	n := 0
	for _, t := range q.Tasks {
		if t.Optimise {
			n++
		}
	}
	return n
}

func never(q search.Question, is func(search.Point) bool) bool {
	return worked(q) && !slices.ContainsFunc(q.Done, is)
}

// worked says whether any point did not fail.
func worked(q search.Question) bool {
	return slices.ContainsFunc(q.Done, func(p search.Point) bool { return !p.Failed })
}

func measures(task int) func(search.Point) bool {
	return func(p search.Point) bool { return !p.Failed && task < len(p.Y) && !math.IsNaN(p.Y[task].Value) }
}

// Whatever the kind of question, the suite asks it: a strategy that has no answer to it is caught.
func TestSuiteAsksEveryKindOfQuestion(t *testing.T) {
	for name, of := range asks {
		silent := changed(func(q search.Question, p *search.Proposal) {
			if of(q) {
				*p = search.Proposal{}
			}
		})
		if err := Check(t.Context(), subject(silent)); !breaks(err, search.OneAnswer) {
			t.Errorf("%s: the suite says %v", name, err)
		}
	}
	tired := changed(func(q search.Question, p *search.Proposal) {
		if len(q.Pending) == 0 && q.Asked > 0 {
			*p = search.Proposal{Wait: "tired"}
		}
	})
	if err := Check(t.Context(), subject(tired)); !breaks(err, search.Waits) {
		t.Errorf("one that waits with none pending after the start: the suite says %v", err)
	}
	spent := changed(func(q search.Question, p *search.Proposal) {
		if q.Budget == 0 && q.Asked > 0 {
			*p = search.Proposal{Stop: "0 of 0 are left"}
		}
	})
	if err := Check(t.Context(), subject(spent)); !breaks(err, search.Patient) {
		t.Errorf("one that takes no budget for a spent one: the suite says %v", err)
	}
}

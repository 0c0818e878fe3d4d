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

func subject(breaks func(search.Strategy) search.Strategy) Subject {
	info := search.Info{Name: "tested"}
	return Subject{Info: info, New: func() (search.Strategy, error) {
		right, err := search.New("direct", map[string]any{"algorithm": "random"})
		return breaks(right), err
	}}
}

// The suite catches a strategy that breaks a clause, whichever it is, and says which; one that breaks none
// passes.
func TestSuiteCatchesEveryBreach(t *testing.T) {
	for _, c := range search.Clauses() {
		breaks, ok := broken[c]
		if !ok {
			t.Errorf("no broken strategy shows that the suite catches what breaks this: %s", c)
			continue
		}
		var e *search.Error
		if err := Check(t.Context(), subject(breaks)); !errors.As(err, &e) || e.Code != search.BrokenContract || e.Clause != c {
			t.Errorf("%s: the suite says %v", c, err)
		}
	}
	if err := Check(t.Context(), subject(func(s search.Strategy) search.Strategy { return s })); err != nil {
		t.Errorf("a right strategy: %v", err)
	}
}

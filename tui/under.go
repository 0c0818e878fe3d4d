package tui

import (
	"context"
	"fmt"
	"maps"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/study"
)

// under is the front of what the person asks for: traced in the background under their floors, the rival that is to be
// beaten and what is aspired to, the newest question at a time. Until it is there, what is asked for is chosen from the points
// that there are.
type under struct {
	trace  traceOf
	needed func(s explore.State, a *study.Analysis) bool // the study's own front is another
	of     *study.Analysis                               // what was asked last: of the study's own analysis,
	wish   wish                                          // this
	stop   context.CancelFunc                            // ends the work; nil where there is none
	again  *explore.Move                                 // to an end of the front, made meanwhile: it has another one
}

// traceOf is State.Under; tests put their own.
type traceOf func(ctx context.Context, a *study.Analysis, s explore.State) (*study.Analysis, error)

// newUnder asks the surrogates.
func newUnder() under {
	return under{
		trace: func(ctx context.Context, a *study.Analysis, s explore.State) (*study.Analysis, error) {
			return s.Under(ctx, a)
		},
		needed: func(s explore.State, a *study.Analysis) bool { return !s.Traced(a) },
	}
}

// wish is the part of a state that a front is traced under.
type wish struct {
	floors, aspiration map[string]float64
	beats              string
}

func wishOf(s explore.State) wish { return wish{s.Floors, s.Aspiration, s.Beats} }

func (w wish) same(v wish) bool {
	return w.beats == v.beats && maps.Equal(w.floors, v.floors) && maps.Equal(w.aspiration, v.aspiration)
}

type underMsg struct {
	of    *study.Analysis
	wish  wish
	front *study.Analysis
	err   error
}

// retrace starts the work where something else is asked for, and ends what was worked on.
func (e *explorer) retrace() tea.Cmd {
	u := &e.under
	if e.snap == nil || e.snap.Analysis == nil || len(e.state.X) == 0 {
		return nil
	}
	own, asked := e.snap.Analysis, wishOf(e.state)
	if u.of == own && u.wish.same(asked) {
		return nil
	}
	if u.stop != nil {
		u.stop()
	}
	if !u.wish.same(asked) {
		u.again = nil
	}
	u.of, u.wish, u.stop = own, asked, nil
	if !u.needed(e.state, own) {
		u.again = nil
		if e.traced != nil {
			e.traced = nil
			e.state = e.state.On(own)
			e.look()
			return e.moved()
		}
		return nil
	}
	ctx, stop := context.WithCancel(e.ctx)
	u.stop = stop
	trace, s := u.trace, e.state
	return e.work("trace the front", func() tea.Msg {
		defer stop()
		m := underMsg{of: own, wish: asked}
		m.front, m.err = trace(ctx, own, s)
		if ctx.Err() != nil {
			return nil // something else was asked for
		}
		return m
	})
}

// tracedUnder takes the front that was traced, and says what it has.
func (e *explorer) tracedUnder(m underMsg) tea.Cmd {
	if m.of != e.snap.Analysis || !m.wish.same(wishOf(e.state)) {
		return nil
	}
	again := e.under.again
	e.under.stop, e.under.again = nil, nil
	if m.err != nil {
		return func() tea.Msg { return failed(m.err) }
	}
	had := e.read.Infeasible != "" || len(e.read.Broken) > 0
	e.traced, e.tracedOf = m.front, m.of
	e.state = e.state.On(m.front)
	if again != nil {
		e.state, _ = explore.Apply(m.front, e.state, *again)
	}
	e.look()
	switch n := len(m.front.Front); {
	case e.read.Infeasible != "":
		e.note = note{e.read.Infeasible, bad}
	case had:
		words := fmt.Sprintf("the front is traced under what is asked for: %d points, between those that have numbers", n)
		if n == 1 {
			words = "one point of the front is as asked for, between those that have numbers"
		}
		e.note = note{words, good}
	}
	return e.moved()
}

package tui

import (
	"context"
	"slices"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/study"
)

// near is the refinement of the front around the point in hand: worked out in the background, one at a time, for
// where the point is then.
type near struct {
	find refineOf
	of   *study.Analysis // what was asked last
	x    []float64
	busy bool
}

// refineOf is explore.State.Refine; tests put their own.
type refineOf func(s explore.State, ctx context.Context, a *study.Analysis) ([]study.FrontPoint, error)

type nearMsg struct {
	of     *study.Analysis
	points []study.FrontPoint
	err    error
}

// refine starts the work where the point in hand has moved and the next step along the front would be wider than what
// is known. The step itself never waits: it goes to a point with a number until there are others.
func (e *explorer) refine() tea.Cmd {
	a, n := e.analysis(), &e.near
	if a == nil || n.busy || n.of == a && slices.Equal(n.x, e.state.X) {
		return nil
	}
	n.of, n.x = a, e.state.X
	if !explore.Coarse(a, e.state) {
		return nil
	}
	n.busy = true
	find, state := n.find, e.state
	return e.work("refine the front", func() tea.Msg {
		m := nearMsg{of: a}
		// A panic would leave it busy for ever.
		m.err = safely("refine the front", func() (err error) {
			m.points, err = find(state, e.ctx, a)
			return err
		})
		return m
	})
}

// refined takes what was worked out. There is nothing to draw: the points are there to step to.
func (e *explorer) refined(m nearMsg) tea.Cmd {
	e.near.busy = false
	if m.err != nil && e.ctx.Err() == nil {
		return func() tea.Msg { return failed(m.err) }
	}
	if m.of == e.analysis() {
		e.state.Near = m.points
	}
	return nil
}

package tui

import (
	tea "charm.land/bubbletea/v2"

	"parfait/study"
)

// quadratics are the Q² of quadratics on the same trials, a task: where they are as good as the surrogate,
// the landscape is as simple as one. They are fitted where the surrogate is looked at, one at a time.
type quadratics struct {
	of, asked *study.Analysis
	q2        []float64
	busy      bool
}

type quadraticMsg struct {
	of *study.Analysis
	q2 []float64
}

// maxQuadratic is the number of coefficients above which none is fitted: with two dozen of them it would
// take half a minute. `parfait trust` takes the time.
const maxQuadratic = 16

// refresh starts the fit where the trials are others than those that were fitted.
func (q *quadratics) refresh(e *explorer) tea.Cmd {
	a := e.analysis()
	if a == nil || a == q.asked || q.busy || len(a.Space.Coefficients) > maxQuadratic {
		return nil
	}
	q.asked, q.busy = a, true
	return e.work("fit quadratics", func() tea.Msg {
		fits, err := a.Quadratic(e.ctx)
		if err != nil { // there is nothing to compare with: `parfait trust` says why
			return quadraticMsg{of: a}
		}
		m := quadraticMsg{of: a}
		for _, t := range fits {
			m.q2 = append(m.q2, t.Q2)
		}
		return m
	})
}

// fitted takes what was fitted.
func (q *quadratics) fitted(m quadraticMsg) { q.busy, q.of, q.q2 = false, m.of, m.q2 }

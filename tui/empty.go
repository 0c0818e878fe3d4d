package tui

import (
	"fmt"

	"parfait/evaluator"
	"parfait/study"
	"parfait/tui/chart"
)

// measuredTrials is how many trials have results.
func (s *props) measuredTrials() int {
	n := 0
	for i := range s.snap.Trials {
		if s.snap.Trials[i].State == evaluator.Done {
			n++
		}
	}
	return n
}

// working says whether there is enough for a front that is not there yet.
func (s *props) working() bool {
	return s.analysis() == nil && s.snap.Problem == "" && s.measuredTrials() >= study.LeastTrials
}

// starts says how a run begins: viewers wait for somebody else.
func (s *props) starts() string {
	if s.viewer {
		return "an operator starts the runner"
	}
	return "s starts a runner"
}

// hint says why there is no front yet, and what to do.
func (s *props) hint() string {
	a := s.snap.Activity
	n := s.measuredTrials()
	switch {
	case s.snap.Problem != "":
		return s.within(s.snap.Problem)
	case s.working():
		return fmt.Sprintf("Working out the front of %d measured trials…", n)
	case a.Runner == study.Waits:
		return "The run waits, and goes on by itself: " + printable(a.Note)
	case a.Done == 0 && a.Runner == study.Sampling:
		return "The first trials are being measured. A front needs three of them."
	case a.Done == 0 && s.viewer:
		return "Nothing is measured yet. When an operator starts the runner, merges are measured and the front appears here."
	case a.Done == 0 && a.Search == 0:
		return "Nothing is measured yet, and the budget is 0. What was measured elsewhere comes in with parfait trials --import."
	case a.Done == 0:
		return "Nothing is measured yet. Press s to start a runner: it samples coefficients and measures each merge on your tasks."
	case a.Failed == a.Done && a.Failed > 0:
		return "Every trial has failed. Press 3 and look into the log of one; R measures it again once its cause is gone."
	case n == 1:
		return "One trial is measured. A front needs three."
	}
	return fmt.Sprintf("%d trials are measured. A front needs three.", n)
}

// message writes a text into the middle of an empty pane.
func message(c *chart.Canvas, text string) {
	w, h := c.Size()
	lines := wrapWithin(text, min(w-2, 50), h)
	for i, line := range lines {
		centred(c, (h-len(lines))/2+i, line, muted)
	}
}

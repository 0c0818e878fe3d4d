package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/search"
	"parfait/study"
)

// between is what was built of the models: the lines between every two of them, and the tree of a nested
// merge. Both are worked out in the background, one at a time, the newest request last.
type between struct {
	lines []search.Line
	holes [][]explore.Hole // of lines
	tree  []*search.Branch
	rows  []explore.BranchRow
	err   error

	line, task, branch int // selected

	shown, asked betweenKey
	busy         bool
}

// betweenKey says which trials lines and tree were made from. Measurements never change, so that their number says
// whether a finished trial has a further one.
type betweenKey struct {
	known                          bool
	asked, final, measured, budget int
}

type betweenMsg struct {
	key   betweenKey
	lines []search.Line
	holes [][]explore.Hole
	tree  []*search.Branch
	rows  []explore.BranchRow
	err   error
}

// treeOf finds the merge tree; tests put their own.
type treeOf func(context.Context, *study.Snapshot) ([]*search.Branch, error)

func treeOfStudy(ctx context.Context, s *study.Snapshot) ([]*search.Branch, error) {
	return s.Tree(ctx)
}

// refresh starts the work where trials have come that are not shown.
func (b *between) refresh(e *explorer) tea.Cmd {
	key := betweenKey{known: true, asked: len(e.snap.Trials), budget: e.snap.Activity.Search}
	for i := range e.snap.Trials {
		if e.snap.Trials[i].State.Final() {
			key.final++
		}
		key.measured += len(e.snap.Trials[i].Measurements)
	}
	if key == b.asked || b.busy {
		return nil
	}
	b.asked, b.busy = key, true
	snap := e.snap
	return e.work("look between the models", func() tea.Msg {
		m := betweenMsg{key: key}
		// A panic would leave it busy for ever.
		m.err = safely("look between the models", func() (err error) {
			if m.lines, err = snap.Lines(); err != nil {
				return err
			}
			m.holes = explore.Holes(snap.Tasks, m.lines)
			if m.tree, err = e.treeOf(e.ctx, snap); err == nil {
				m.rows = explore.Branches(snap, m.tree)
			}
			return err
		})
		return m
	})
}

// found takes what was worked out.
func (b *between) found(m betweenMsg) {
	b.busy, b.shown, b.err = false, m.key, m.err
	if m.err == nil {
		b.lines, b.holes, b.tree, b.rows = m.lines, m.holes, m.tree, m.rows
	}
}

// hole is the barrier of a line on a task; not known of a task that study.yaml has had only since.
func (b *between) hole(line, task int) explore.Hole {
	if line >= len(b.holes) || task >= len(b.holes[line]) {
		return explore.Hole{}
	}
	return b.holes[line][task]
}

// worst is the place of the selected line where the selected task is worst beneath the straight line; the
// middle where it is nowhere.
func (b *between) worst(tasks []study.Task) (name string, x []float64) {
	if b.line >= len(b.lines) || b.task >= len(tasks) {
		return "", nil
	}
	l := b.lines[b.line]
	if len(l.Points) < 3 {
		return "", nil
	}
	h := b.hole(b.line, b.task)
	for _, p := range l.Points[1 : len(l.Points)-1] {
		if h.Height > 0 && p.At == h.At {
			return "the bottom of the barrier between " + l.A + " and " + l.B, p.X
		}
	}
	p := l.Points[len(l.Points)/2]
	return "a point between " + l.A + " and " + l.B, p.X
}

func noLines(e *explorer, m *modelsView) string {
	if len(m.between.lines) == 0 && e.snap.Spec.Search.Strategy != "barrier" {
		return "nothing was measured between two models: the strategy barrier does that"
	}
	return ""
}

func noTree(e *explorer) string {
	if s := e.snap.Spec.Search.Strategy; s != "nested" {
		return "the strategy " + s + " builds no tree: nested does"
	}
	return ""
}

package tui

import (
	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/study"
)

// received takes a newer snapshot: progress at most so many times a second, what somebody did at once.
func (e *explorer) received(s *study.Snapshot) tea.Cmd {
	switch {
	case s == nil:
		return nil
	case !e.rests:
		e.rests, e.late = true, nil
		return tea.Batch(e.arrived(s), e.after(second/framesASecond, restedMsg{}))
	case somebodyDid(e.snap, s):
		e.late = nil
		return e.arrived(s)
	}
	e.late = s
	return nil
}

// rested draws what came meanwhile.
func (e *explorer) rested() tea.Cmd {
	s := e.late
	if e.late = nil; s == nil {
		e.rests = false
		return nil
	}
	return tea.Batch(e.arrived(s), e.after(second/framesASecond, restedMsg{}))
}

// somebodyDid says whether more than the run's own progress lies between two snapshots: a trial asked for,
// tried again or forgotten, the budget, the runner, a pick, an export.
func somebodyDid(before, after *study.Snapshot) bool {
	a, b := before.Activity, after.Activity
	return a.Budget != b.Budget || a.Runner != b.Runner || b.Failed < a.Failed || b.Done < a.Done ||
		len(before.Picks) != len(after.Picks) || len(before.Exports) != len(after.Exports)
}

// arrived takes a newer snapshot.
func (e *explorer) arrived(s *study.Snapshot) tea.Cmd {
	before := e.snap
	e.snap = s
	if a := e.analysis(); a != nil && (before.Analysis != s.Analysis || len(e.state.X) == 0) {
		e.state = explore.Rebase(a, e.state)
	}
	e.look()
	if s.Problem != "" && s.Problem != before.Problem { // the header has no room for all of it
		e.note = note{e.within(s.Problem), bad}
	}
	var bell tea.Cmd
	if before.Activity.Runner == study.Sampling && s.Activity.Runner == study.Finished {
		bell = e.finished()
	}
	return tea.Batch(bell, e.entered())
}

// finished tells that a run has come to its end.
func (e *explorer) finished() tea.Cmd {
	e.note = note{"the run is finished: " + e.snap.Name, good}
	switch e.o.Notify {
	case "bell":
		return tea.Raw("\a")
	case "osc9":
		return tea.Raw("\x1b]9;parfait: " + printable(e.snap.Name) + " is finished\a")
	}
	return nil
}

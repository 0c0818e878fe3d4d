package tui

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/study"
	"parfait/tui/chart"
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
// tried again or forgotten, the budget, the runner, a pick, an export, another place to look at.
func somebodyDid(before, after *study.Snapshot) bool {
	a, b := before.Activity, after.Activity
	return a.Budget != b.Budget || a.Runner != b.Runner || b.Failed < a.Failed || b.Done < a.Done ||
		len(before.Picks) != len(after.Picks) || len(before.Exports) != len(after.Exports) || !reflect.DeepEqual(before.Focus, after.Focus)
}

// arrived takes a newer snapshot.
func (e *explorer) arrived(s *study.Snapshot) tea.Cmd {
	before := e.snap
	e.snap = s
	if before.Spec != s.Spec {
		e.edited(before)
	}
	if a := e.analysis(); a != nil && (before.Analysis != s.Analysis || len(e.state.X) == 0) {
		e.state = explore.Rebase(a, e.state)
	}
	e.look()
	switch {
	case unnumbered(s.Problem) == unnumbered(before.Problem): // it was said; only trials are counted on
	case s.Problem == "" && before.Problem != "":
		e.note = note{"what was wrong is put right", good}
	default: // the header has no room for all of it
		e.note = note{e.problem(e.w - 2), bad}
	}
	var bell tea.Cmd
	if before.Activity.Runner == study.Sampling && s.Activity.Runner == study.Finished {
		bell = e.finished()
	}
	return tea.Batch(bell, e.view.refresh(e))
}

// edited takes another study.yaml, in the place of that of the snapshot before.
func (e *explorer) edited(before *study.Snapshot) {
	e.state = explore.Edited(before, e.snap, e.state)
	was := props{snap: before}
	if !slices.Equal(was.columns(), e.columns()) || !slices.Equal(before.Spec.Models, e.snap.Spec.Models) || before.Spec.Base != e.snap.Spec.Base {
		shown := e.view.info().scope
		e.views = makeViews()
		e.view = e.viewAt(shown)
		e.askViews()
	}
	e.note = note{"study.yaml was edited: this is what it asks now", good}
}

// unnumbered is text without its figures.
func unnumbered(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, text)
}

// problem says what is wrong in w cells, and how to read all of it where that is too long.
func (e *explorer) problem(w int) string {
	const more = " (! shows all)"
	text := strings.Join(strings.Fields(e.within(e.snap.Problem)), " ")
	if chart.Width(text) <= w {
		return text
	}
	return chart.Clip(text, w-len(more)) + more
}

// nothingWrong says why there is no problem to read.
func nothingWrong(e *explorer) string {
	if e.wrong() == "" {
		return "nothing is wrong"
	}
	return ""
}

// wrong is what is wrong with the study, or what its run waits for.
func (e *explorer) wrong() string {
	if e.snap.Problem == "" && e.snap.Activity.Runner == study.Waits {
		return "the run waits, and goes on by itself: " + e.snap.Activity.Note
	}
	return e.snap.Problem
}

// readProblem shows what is wrong, whole.
func readProblem(e *explorer) tea.Cmd {
	e.above = &reading{title: "What is wrong", lines: e.broken(e.wrong())}
	return nil
}

// finished tells that a run has come to its end.
func (e *explorer) finished() tea.Cmd {
	e.note = note{"the run is finished: " + cmp.Or(e.snap.Activity.Note, e.snap.Name), good}
	switch e.o.Notify {
	case "bell":
		return tea.Raw("\a")
	case "osc9":
		return tea.Raw("\x1b]9;parfait: " + printable(e.snap.Name) + " is finished\a")
	}
	return nil
}

package tui

import (
	tea "charm.land/bubbletea/v2"
)

// screenActions are about the screen, in every pane.
func screenActions() []action {
	out := []action{
		{ID: "screen.tab", Scopes: panes, Keys: []string{"tab"}, Quiet: true, Title: "the next pane", Hint: "pane", Bar: 5, disabled: onePane, do: func(e *explorer) tea.Cmd { return e.nextPane(1) }},
		{ID: "screen.back-tab", Scopes: panes, Keys: []string{"shift+tab"}, Title: "the previous pane", disabled: onePane, do: func(e *explorer) tea.Cmd { return e.nextPane(-1) }},
		{ID: "screen.palette", Scopes: panes, Keys: []string{":"}, Title: "find what to do", Hint: "find", do: openPalette},
		{ID: "screen.help", Scopes: panes, Keys: []string{"?"}, Title: "the keys of this place", Hint: "help", do: func(e *explorer) tea.Cmd {
			e.above = &help{of: e.focus}
			return nil
		}},
		{ID: "screen.escape", Scopes: panes, Keys: []string{"esc"}, Title: "back to the view's own pane; no more hints", do: escape},
		{ID: "screen.problem", Scopes: panes, Keys: []string{"!"}, Title: "read what is wrong with the study, whole", disabled: nothingWrong, do: readProblem},
		{ID: "screen.picture", Scopes: panes, Keys: []string{"S"}, Title: "save a picture: the front as SVG, PNG or PDF, or this screen", Twin: "parfait report", Changes: true, do: askPicture},
		{ID: "screen.suspend", Scopes: panes, Keys: []string{"ctrl+z"}, Title: "suspend (fg comes back)", disabled: remote, do: func(*explorer) tea.Cmd { return tea.Suspend }},
		{ID: "screen.quit", Scopes: panes, Keys: []string{"q", "ctrl+c"}, Title: "leave; the runner stays at work", do: func(e *explorer) tea.Cmd { return e.askLeave() }},
	}
	for _, v := range viewInfos() {
		places, keys := digits, []string{v.key, "alt+" + v.key}
		a := action{ID: "view." + v.key, Scopes: places, Keys: keys, Title: "the view " + v.title, do: func(e *explorer) tea.Cmd { return e.show(v.scope) }}
		out = append(out, a)
		a.ID, a.Scopes, a.Keys = a.ID+".alt", []scope{scopeCoefficients}, []string{"alt+" + v.key}
		out = append(out, a)
	}
	return out
}

func onePane(e *explorer) string {
	if !e.hasSide() {
		return "this view is one pane"
	}
	return ""
}

func remote(e *explorer) string {
	if e.o.Remote {
		return "there is nothing to come back to over SSH"
	}
	return ""
}

// nextPane goes round: the view's own pane, the coefficients, the tasks.
func (e *explorer) nextPane(n int) tea.Cmd {
	ring := []scope{e.view.info().scope, scopeCoefficients, scopeTasks}
	for i, p := range ring {
		if p == e.focus {
			e.focus = ring[(i+n+len(ring))%len(ring)]
			break
		}
	}
	return e.keep()
}

func escape(e *explorer) tea.Cmd {
	e.focus = e.view.info().scope
	if e.tour > 0 {
		return e.endTour()
	}
	return e.keep()
}

// askLeave leaves, and asks before that would stop an export.
func (e *explorer) askLeave() tea.Cmd {
	if e.exporting == nil || e.exporting.over || e.o.Remote {
		return e.leave()
	}
	e.above = &question{
		title: "Leave?", text: "An export is being written. Leaving stops it; nothing of it is left behind.",
		yes: func(e *explorer) tea.Cmd {
			e.exporting.cancel()
			return e.leave()
		},
	}
	return nil
}

// leave keeps the view and quits.
func (e *explorer) leave() tea.Cmd {
	return tea.Sequence(e.work("keep the view", func() tea.Msg { return failed(e.saver.flush()) }), tea.Quit)
}

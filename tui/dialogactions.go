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

// dialogActions are the keys of what stands above the screen.
func dialogActions() []action {
	typing := []scope{scopePrompt, scopePalette, scopeExportForm}
	shut := []scope{scopeHelp, scopePrompt, scopePalette, scopeExportForm, scopeExporting, scopeQuestion, scopeCompare, scopeReading}
	read := []scope{scopeReading}
	return []action{
		{ID: "prompt.accept", Scopes: []scope{scopePrompt}, Keys: []string{"enter"}, Title: "take it", Hint: "take it", do: on(func(e *explorer, p *prompt) tea.Cmd { return p.accept(e) })},
		{ID: "palette.run", Scopes: []scope{scopePalette}, Keys: []string{"enter"}, Title: "do it", Hint: "do it", do: on(func(e *explorer, p *palette) tea.Cmd { return p.run(e) })},
		{ID: "palette.down", Scopes: []scope{scopePalette}, Keys: []string{"down", "ctrl+n"}, Pair: "↑↓", Title: "the next action", Hint: "choose", do: on(func(_ *explorer, p *palette) tea.Cmd { p.at++; return nil })},
		{ID: "palette.up", Scopes: []scope{scopePalette}, Keys: []string{"up", "ctrl+p"}, Title: "the previous action", do: on(func(_ *explorer, p *palette) tea.Cmd { p.at--; return nil })},
		{ID: "question.yes", Scopes: []scope{scopeQuestion}, Keys: []string{"y", "enter"}, Title: "yes", Hint: "yes", do: on(func(e *explorer, q *question) tea.Cmd { e.above = nil; return q.yes(e) })},
		{ID: "question.no", Scopes: []scope{scopeQuestion}, Keys: []string{"n"}, Title: "no", Hint: "no", do: closeAbove},
		{ID: "read.down", Scopes: read, Keys: []string{"down", "j"}, Pair: "↑↓", Title: "a line down", Hint: "scroll", do: on(func(_ *explorer, r *reading) tea.Cmd { r.scroll(1); return nil })},
		{ID: "read.up", Scopes: read, Keys: []string{"up", "k"}, Title: "a line up", do: on(func(_ *explorer, r *reading) tea.Cmd { r.scroll(-1); return nil })},
		{ID: "read.page-down", Scopes: read, Keys: []string{"pgdown", "space"}, Title: "a page down", do: on(func(_ *explorer, r *reading) tea.Cmd { r.scroll(max(r.rows-1, 1)); return nil })},
		{ID: "read.page-up", Scopes: read, Keys: []string{"pgup"}, Title: "a page up", do: on(func(_ *explorer, r *reading) tea.Cmd { r.scroll(-max(r.rows-1, 1)); return nil })},
		{ID: "read.end", Scopes: read, Keys: []string{"end", "G"}, Title: "to the end, and stay there", do: on(func(_ *explorer, r *reading) tea.Cmd { r.scroll(len(r.lines)); return nil })},
		{ID: "read.start", Scopes: read, Keys: []string{"home", "g"}, Title: "to the start", do: on(func(_ *explorer, r *reading) tea.Cmd { r.scroll(-len(r.lines)); return nil })},
		{ID: "help.down", Scopes: []scope{scopeHelp}, Keys: []string{"down", "j", "pgdown", "space"}, Pair: "↑↓", Title: "further down", Hint: "scroll", do: on(func(_ *explorer, h *help) tea.Cmd { h.scroll(5); return nil })},
		{ID: "help.up", Scopes: []scope{scopeHelp}, Keys: []string{"up", "k", "pgup"}, Title: "further up", do: on(func(_ *explorer, h *help) tea.Cmd { h.scroll(-5); return nil })},
		{ID: "compare.next", Scopes: []scope{scopeCompare}, Keys: []string{"right", "l"}, Title: "further pins", Hint: "further", do: on(func(_ *explorer, p *comparison) tea.Cmd { p.first++; return nil })},
		{ID: "compare.previous", Scopes: []scope{scopeCompare}, Keys: []string{"left", "h"}, Title: "back", do: on(func(_ *explorer, p *comparison) tea.Cmd { p.first--; return nil })},
		{ID: "compare.base", Scopes: []scope{scopeCompare}, Keys: []string{"space"}, Title: "compare with the next pin", Hint: "compare with", do: on(func(e *explorer, p *comparison) tea.Cmd {
			p.base = (p.base + 1) % max(len(e.state.Pins), 1)
			return nil
		})},
		{ID: "form.start", Scopes: []scope{scopeExportForm}, Keys: []string{"enter"}, Title: "write it", Hint: "write it", Twin: "parfait export", Changes: true, do: on(func(e *explorer, f *exportForm) tea.Cmd { return f.start(e) })},
		{ID: "form.next", Scopes: []scope{scopeExportForm}, Keys: []string{"down", "tab"}, Pair: "↑↓", Title: "the next field", Hint: "field", do: on(func(_ *explorer, f *exportForm) tea.Cmd { f.step(1); return nil })},
		{ID: "form.previous", Scopes: []scope{scopeExportForm}, Keys: []string{"up", "shift+tab"}, Title: "the previous field", do: on(func(_ *explorer, f *exportForm) tea.Cmd { f.step(-1); return nil })},
		{ID: "form.verify", Scopes: []scope{scopeExportForm}, Keys: []string{"ctrl+v"}, Title: "measure the written model, or not", Hint: "measure", Twin: "parfait export --verify", do: on(func(_ *explorer, f *exportForm) tea.Cmd { f.verify = !f.verify; return nil })},
		{ID: "exporting.cancel", Scopes: []scope{scopeExporting}, Keys: []string{"x"}, Quiet: true, Title: "cancel the export; nothing is left behind", Hint: "cancel", Changes: true, Danger: true, disabled: notExporting, do: askCancel},
		{ID: "exporting.close", Scopes: []scope{scopeExporting}, Keys: []string{"enter", "q"}, Title: "close; the export goes on", Hint: "close", do: closeAbove},
		{ID: "dialog.close", Scopes: shut, Keys: []string{"esc"}, Title: "close", Hint: "close", do: closeAbove},
		{ID: "dialog.quit", Scopes: []scope{scopeHelp, scopeCompare, scopeReading, scopeQuestion}, Keys: []string{"q"}, Title: "close", do: closeAbove},
		{ID: "dialog.interrupt", Scopes: append(typing, scopeHelp, scopeCompare, scopeReading, scopeQuestion, scopeExporting), Keys: []string{"ctrl+c"}, Title: "close", do: closeAbove},
	}
}

func askCancel(e *explorer) tea.Cmd {
	shown := e.above
	e.above = &question{
		title: "Cancel the export?", text: "Nothing of it is left behind, and what was merged so far is merged again next time.", back: shown,
		yes: func(e *explorer) tea.Cmd {
			e.exporting.cancel()
			e.above = shown
			return nil
		},
	}
	return nil
}

func notExporting(e *explorer) string {
	if e.exporting == nil || e.exporting.over {
		return "nothing is being written"
	}
	return ""
}

// on makes an action of a dialog: it does nothing where another one is open.
func on[T overlay](f func(*explorer, T) tea.Cmd) func(*explorer) tea.Cmd {
	return func(e *explorer) tea.Cmd {
		if d, ok := e.above.(T); ok {
			return f(e, d)
		}
		return nil
	}
}

package tui

import (
	tea "charm.land/bubbletea/v2"

	"parfait/tui/chart"
)

// overlay is a dialog: something above the screen that takes the keys. Its own keys are actions of its scope;
// what is left over is typed into it. A new dialog is a file that implements it and a line in overlays.
type overlay interface {
	place() place
	actions() []action // of its own scope; those that close it are there already
	// draw draws on the whole screen, above what is there.
	draw(e *explorer, c *chart.Canvas)
	// press takes a key that is no action, such as text.
	press(e *explorer, k tea.KeyPressMsg) tea.Cmd
}

// overlays are one of each dialog, in the order of docs/keys.md. They say what the dialogs are; those that a
// session opens are others.
func overlays() []overlay {
	return []overlay{&exportForm{}, &exportProgress{}, &comparison{}, &reading{}, &prompt{}, &palette{}, &help{}, &question{}}
}

// overlayActions are the keys of what stands above the screen. Two of them close every dialog.
func overlayActions() []action {
	var out []action
	var all []scope
	for _, o := range overlays() {
		out, all = append(out, o.actions()...), append(all, o.place().scope)
	}
	return append(out,
		action{ID: "dialog.close", Scopes: all, Keys: []string{"esc"}, Title: "close", Hint: "close", do: closeAbove},
		action{ID: "dialog.quit", Scopes: []scope{scopeHelp, scopeCompare, scopeReading, scopeQuestion}, Keys: []string{"q"}, Title: "close", do: closeAbove},
		action{ID: "dialog.interrupt", Scopes: all, Keys: []string{"ctrl+c"}, Title: "close", do: closeAbove},
	)
}

// closeAbove takes away what is above the screen.
func closeAbove(e *explorer) tea.Cmd {
	q, asked := e.above.(*question)
	e.above = nil
	if asked && q.back != nil {
		e.above = q.back
	}
	return nil
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

package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"parfait/tui/chart"
)

// view is a screen under a tab: all that the rest of the explorer knows of it. Each session has values of its
// own, which keep what the person does there. A new view is a file that implements it and a line in views.
type view interface {
	info() viewInfo
	actions() []action // of its own scope
	// draw draws the view's own pane of what s shows.
	draw(e *explorer, s props, c *chart.Canvas)
	// refresh starts what the view needs from the background: when it is entered, and at news while it is shown.
	refresh(e *explorer) tea.Cmd
	// take takes what background work of the view has found. It says whether the message was the view's.
	take(e *explorer, msg tea.Msg) (cmd tea.Cmd, mine bool)
}

// views make the views of a session, in the order of their tabs.
var views = []func() view{
	newFrontView, newParallelView, newTrialsView, newSurrogateView, newModelsView, newExportsView,
}

// viewInfo is what a view is, whatever is done in it.
type viewInfo struct {
	scope   scope  // of its keys; its name in what is kept
	key     string // that leads to it, also with alt
	title   string // on its tab
	heading string // of its keys in docs/keys.md
	side    int    // from this width on what is in hand is shown beside it; 0: never
	inHand  bool   // its keys move the point in hand
	follows bool   // what it needs from the background depends on the point in hand
}

// hasSide says whether what is in hand is shown beside the view on a screen w cells wide.
func (v viewInfo) hasSide(w int) bool { return v.side > 0 && w >= v.side }

// idle is a view that needs nothing from the background.
type idle struct{}

func (idle) refresh(*explorer) tea.Cmd               { return nil }
func (idle) take(*explorer, tea.Msg) (tea.Cmd, bool) { return nil, false }

// What a view may do besides.
type (
	// keeper is a view of which something comes back with the next session.
	keeper interface {
		keep() any // as JSON; nil: nothing
		restore(unmarshal func(into any) bool)
	}
	// worker is a view whose long work is told in the header.
	worker interface {
		underWay() (what string, at *progress) // nil: none
		ended(p *progress)
	}
	// asker is a view that depends on what study.yaml asks, beyond tasks and coefficients.
	asker interface{ asked(e *explorer) }
)

// makeViews are a session's views.
func makeViews() []view {
	out := make([]view, len(views))
	for i, make := range views {
		out[i] = make()
	}
	return out
}

// viewInfos are those of all views, in the order of their tabs.
func viewInfos() []viewInfo {
	var out []viewInfo
	for _, v := range makeViews() {
		out = append(out, v.info())
	}
	return out
}

// viewScopes are the scopes of the views for which ok holds.
func viewScopes(ok func(viewInfo) bool) []scope {
	var out []scope
	for _, v := range viewInfos() {
		if ok(v) {
			out = append(out, v.scope)
		}
	}
	return out
}

// its is the session's view of a type.
func its[V view](e *explorer) V {
	for _, v := range e.views {
		if v, ok := v.(V); ok {
			return v
		}
	}
	panic("tui: a view that is not in views") // which the compiler cannot see and every test does
}

// in is a function on the session's view of a type: what an action does there, or why it cannot be done.
func in[V view, R any](f func(*explorer, V) R) func(*explorer) R {
	return func(e *explorer) R { return f(e, its[V](e)) }
}

// viewAt is the view of a scope, nil where it is none's.
func (e *explorer) viewAt(s scope) view {
	i := slices.IndexFunc(e.views, func(v view) bool { return v.info().scope == s })
	if i < 0 {
		return nil
	}
	return e.views[i]
}

// hasSide says whether what is in hand is shown beside the view.
func (e *explorer) hasSide() bool { return e.view.info().hasSide(e.w) }

// scope is where keys mean something: the pane that has the focus, or a dialog above the screen.
type scope string

// place is a scope and what documents call it.
type place struct {
	scope   scope
	heading string // of its keys in docs/keys.md
}

// Scopes of what is in hand, beside a view.
const (
	scopeTasks        scope = "tasks"
	scopeCoefficients scope = "coefficients"
)

var sidePlaces = []place{{scopeTasks, "The tasks (tab leads there)"}, {scopeCoefficients, "The coefficients (tab leads there)"}}

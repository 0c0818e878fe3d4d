package tui

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"parfait/explore"
	"parfait/internal/rescue"
	"parfait/study"
	"parfait/tui/chart"
	"parfait/visible"
)

// explorer is one session. Only Update changes it.
type explorer struct {
	ctx  context.Context
	src  Source
	o    Options
	keys keymap

	props
	sub   <-chan *study.Snapshot
	views []view
	view  view // of views, the one that is shown
	focus scope
	above overlay // a dialog above the screen, or nil
	note  note

	exporting *exportRun // in progress, or the last one

	w, h    int
	glyphs  chart.Glyphs
	profile colorprofile.Profile
	known   bool // the profile has been told
	light   bool
	theme   *chart.Theme
	canvas  *chart.Canvas

	version int    // of the props: grows with every change of it
	drawn   phases // what is shown of it
	said    int    // notes so far

	near   near
	under  under
	treeOf treeOf
	saver  *saver
	after  func(d time.Duration, msg tea.Msg) tea.Cmd // tea.Tick; tests put their own
	saved  bool                                       // a save is on its way
	rests  bool                                       // news was drawn less than a frame ago
	chosen study.Pick                                 // the last choice in words, with its reason
	late   *study.Snapshot                            // what came since, to be drawn then
	tour   int                                        // hints left to show
}

// note is something said at the bottom for a while.
type note struct {
	text  string
	style chart.Style
}

// New makes the interface of one session. ctx ends with it.
func New(ctx context.Context, src Source, o Options) tea.Model {
	return guarded(ctx, newExplorer(ctx, src, o))
}

func newExplorer(ctx context.Context, src Source, o Options) *explorer {
	e := &explorer{ctx: ctx, src: src, o: o, keys: newKeymap(), views: makeViews(), treeOf: treeOfStudy, near: near{find: explore.State.Refine}, under: newUnder(), saver: &saver{src: src, who: o.Who}}
	e.after = func(d time.Duration, msg tea.Msg) tea.Cmd {
		return tea.Tick(d, func(time.Time) tea.Msg { return msg })
	}
	e.glyphs = glyphsOf(o)
	if o.Light != nil {
		e.light = *o.Light
	}
	if o.Tour && o.Role == Operator {
		e.tour = len(tourHints)
	}
	e.snap, e.viewer = src.Snapshot(), o.Role == Viewer
	e.turnTo(e.views[0])
	e.askViews()
	e.state = explore.Start(e.analysis())
	e.state.Confidence = o.Confidence
	e.look()
	e.drawn = phases{main: e.props, side: e.props, version: e.version}
	context.AfterFunc(ctx, rescue.Guard(func() { _ = safely("keep the view", e.saver.flush) }))
	return e
}

// look reads what there is to say about the point in hand.
func (e *explorer) look() {
	e.read = explore.Read(e.analysis(), e.state)
	e.pins = e.predictPins()
	e.version++
}

// scope is where a key is pressed.
func (e *explorer) scope() scope {
	if e.above != nil {
		return e.above.place().scope
	}
	return e.focus
}

// turnTo shows a view, whose own pane gets the focus.
func (e *explorer) turnTo(v view) { e.view, e.focus = v, v.info().scope }

// show switches to a view.
func (e *explorer) show(s scope) tea.Cmd {
	e.turnTo(e.viewAt(s))
	return tea.Batch(e.view.refresh(e), e.keep())
}

// askViews tells the views that study.yaml is another.
func (e *explorer) askViews() {
	for _, v := range e.views {
		if v, ok := v.(asker); ok {
			v.asked(e)
		}
	}
}

// move makes a move and says what there is to say about it.
func (e *explorer) move(m explore.Move) tea.Cmd {
	before := e.state.X
	next, n := explore.Apply(e.analysis(), e.state, m)
	e.state = next
	if u := &e.under; u.stop != nil && !slices.Equal(before, next.X) {
		if u.again = nil; m.Kind == explore.Edge {
			u.again = &m
		}
	}
	e.look()
	switch n.Code {
	case explore.NoteNone:
		if !slices.Equal(before, next.X) && !e.hasSide() { // nothing else shows it
			e.note = note{e.inHand(), plain}
		}
	case explore.NoteInfeasible:
		e.note = note{n.Text, bad}
	case explore.NoteDone:
		e.note = note{n.Text, good}
	default:
		e.note = note{n.Text, warn}
	}
	return tea.Batch(e.moved(), e.keep())
}

// inHand says what is in hand and what is predicted of it, as much as there is room for.
func (e *explorer) inHand() string {
	words := []string{"in hand: " + e.read.Name}
	for _, t := range e.read.Tasks {
		words = append(words, t.Task.Name+" "+explore.Number(t.Task, t.Predicted.Value))
	}
	return fitting(words, e.w-2)
}

// moved refreshes what depends on the point in hand.
func (e *explorer) moved() tea.Cmd {
	if e.view.info().follows {
		return e.view.refresh(e)
	}
	return nil
}

// printable drops what could act on a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if visible.Acts(r) || r == '\n' || r == '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// restyle makes the theme again.
func (e *explorer) restyle() { e.theme = chart.NewTheme(e.profile, e.light) }

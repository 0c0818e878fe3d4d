package tui

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"parfait/explore"
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

	sight
	sub   <-chan *study.Snapshot
	view  View
	focus Place
	above overlay // a dialog above the screen, or nil
	note  note
	zoom  zoom

	trials    trialList
	surface   surface
	parallel  parallel
	models    models
	exports   exportList
	exporting *exportRun // in progress, or the last one

	w, h    int
	glyphs  chart.Glyphs
	profile colorprofile.Profile
	known   bool // the profile has been told
	light   bool
	theme   *chart.Theme
	canvas  *chart.Canvas

	version int  // of the sight: grows with every change of it
	drawn   step // what is shown of it
	said    int  // notes so far

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

// overlay is something above the screen that takes the keys. Its own keys are actions of its place; what
// is left over is typed into it.
type overlay interface {
	place() Place
	// draw draws on the whole screen, above what is there.
	draw(e *explorer, c *chart.Canvas)
	// press takes a key that is no action, such as text.
	press(e *explorer, k tea.KeyPressMsg) tea.Cmd
}

// New makes the interface of one session. ctx ends with it.
func New(ctx context.Context, src Source, o Options) tea.Model { return newExplorer(ctx, src, o) }

func newExplorer(ctx context.Context, src Source, o Options) *explorer {
	e := &explorer{ctx: ctx, src: src, o: o, keys: newKeymap(), focus: PlaceFront, treeOf: treeOfStudy, saver: &saver{src: src, who: o.Who}}
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
	switch e.snap.Spec.Search.Strategy { // what the study is about comes first
	case "nested":
		e.models.picture = pictureTree
	case "barrier":
		e.models.picture = pictureLines
	}
	e.state = explore.Start(e.analysis())
	e.look()
	e.drawn = step{main: e.sight, side: e.sight, version: e.version}
	context.AfterFunc(ctx, func() { _ = safely("keep the view", e.saver.flush) })
	return e
}

// look reads what there is to say about the point in hand.
func (e *explorer) look() {
	e.read = explore.Read(e.analysis(), e.state)
	e.pins = e.predictPins()
	e.version++
}

// place is where a key is pressed.
func (e *explorer) place() Place {
	if e.above != nil {
		return e.above.place()
	}
	return e.focus
}

// show switches to a view.
func (e *explorer) show(v View) tea.Cmd {
	if e.view != v || e.focus != v.place() {
		e.view, e.focus = v, v.place()
	}
	return tea.Batch(e.entered(), e.keep())
}

// entered starts what a view needs from the background.
func (e *explorer) entered() tea.Cmd {
	switch e.view {
	case SurrogateView:
		return e.surface.refresh(e)
	case ModelsView:
		return e.models.refresh(e)
	case TrialsView:
		return e.trials.refresh(e)
	}
	return nil
}

// move makes a move and says what there is to say about it.
func (e *explorer) move(m explore.Move) tea.Cmd {
	before := e.state.X
	next, n := explore.Apply(e.analysis(), e.state, m)
	e.state = next
	e.look()
	switch n.Code {
	case explore.NoteNone:
		if !slices.Equal(before, next.X) && !e.view.hasSide(e.w) { // nothing else shows it
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
	if e.view == SurrogateView {
		return e.surface.refresh(e)
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

package tui

import (
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"parfait/study"
	"parfait/tui/chart"
)

// Messages from the background.
type (
	snapshotMsg  struct{ snap *study.Snapshot }
	listenMsg    struct{}
	restedMsg    struct{}
	noteMsg      struct{ note note }
	saveMsg      struct{}
	storedView   struct{ b []byte }
	leaveMsg     struct{}
	otherPaneMsg struct{}
	fadeMsg      struct{ said int }
	planDueMsg   struct{ seq int }
)

// How often progress is drawn at most, and how often it is looked whether somebody did something.
const (
	framesASecond = 4
	looksASecond  = 20
)

// Init starts listening to the study and asks the terminal what it can do.
func (e *explorer) Init() tea.Cmd {
	e.sub = e.src.Subscribe(e.ctx)
	cmds := []tea.Cmd{e.listen(), e.loadView()}
	if answersQueries(e.o) {
		// Bubble Tea does not ask over SSH whether frames can be shown whole.
		cmds = append(cmds, tea.Raw(ansi.RequestModeSynchronizedOutput))
		if e.o.Light == nil {
			cmds = append(cmds, tea.RequestBackgroundColor)
		}
	}
	return tea.Batch(cmds...)
}

// Update implements tea.Model.
func (e *explorer) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	before := e.note
	cmd := e.update(msg)
	return e, tea.Batch(cmd, e.retrace(), e.refine(), e.drawInPhases(msg), e.fade(before))
}

func (e *explorer) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		e.w, e.h = msg.Width, msg.Height
		if !e.hasSide() {
			e.focus = e.view.info().scope
		}
		return e.moved()
	case tea.ColorProfileMsg:
		e.profile, e.known = msg.Profile, true
		e.restyle()
	case tea.BackgroundColorMsg:
		if e.o.Light == nil {
			e.light = !msg.IsDark()
			e.restyle()
		}
	case tea.KeyPressMsg:
		return e.press(msg)
	case tea.PasteMsg:
		return e.paste(msg)
	case snapshotMsg:
		return tea.Batch(e.received(msg.snap), e.after(second/looksASecond, listenMsg{}))
	case listenMsg:
		return e.listen()
	case restedMsg:
		return e.rested()
	case storedView:
		return e.restore(msg.b)
	case saveMsg:
		e.saved = false
		return e.work("keep the view", func() tea.Msg { return failed(e.saver.flush()) })
	case noteMsg:
		e.note = note{e.within(msg.note.text), msg.note.style}
	case refusedMsg:
		e.refuse(msg)
	case otherPaneMsg:
	case fadeMsg:
		if msg.said == e.said {
			e.note = note{}
		}
	case leaveMsg:
		return e.leave()
	default:
		return e.result(msg)
	}
	return nil
}

// result takes what background work found: that of views, and the rest.
func (e *explorer) result(msg tea.Msg) tea.Cmd {
	for _, v := range e.views {
		if cmd, mine := v.take(e, msg); mine {
			return cmd
		}
	}
	switch msg := msg.(type) {
	case planMsg:
		return e.planned(msg)
	case planDueMsg:
		return e.planDue(msg.seq)
	case progressMsg:
		return e.progressed(msg)
	case exportDoneMsg:
		return e.exportDone(msg)
	case progressEnd:
		e.ended(msg.of)
	case progressTick:
		return msg.of.next()
	case recipeMsg:
		return e.recipe(msg)
	case nearMsg:
		return e.refined(msg)
	case standingMsg:
		return e.standing(msg)
	case underMsg:
		return e.tracedUnder(msg)
	}
	return nil
}

// press makes the key do what the actions say.
func (e *explorer) press(k tea.KeyPressMsg) tea.Cmd {
	if e.tooSmall() {
		if k.String() == "q" || k.String() == "ctrl+c" {
			return e.leave()
		}
		return nil
	}
	e.note = note{} // it was read; the keys come back
	if a, ok := e.keys.find(e.scope(), k.String()); ok {
		return e.run(a)
	}
	if e.above != nil {
		return e.above.press(e, k)
	}
	e.note = note{e.keys.nothing(e.scope(), k.String(), e.w-2), muted}
	return nil
}

// pasted is what text can be pasted into.
type pasted interface {
	paste(e *explorer, m tea.PasteMsg) tea.Cmd
}

func (e *explorer) paste(m tea.PasteMsg) tea.Cmd {
	if p, ok := e.above.(pasted); ok {
		return p.paste(e, m)
	}
	return nil
}

// run does an action, or says why it cannot be done.
func (e *explorer) run(a *action) tea.Cmd {
	if why := e.disabled(a); why != "" {
		text := a.Title + ": " + why
		if chart.Width(text) > e.w-2 { // the reason is what counts
			text = why
		}
		e.note = note{text, warn}
		return nil
	}
	if e.o.Audit != nil && a.Role == Operator && a.Changes {
		e.o.Audit(a.ID)
	}
	return tea.Batch(a.do(e), e.learn(a))
}

// disabled says why an action cannot be done now; "" where it can.
func (e *explorer) disabled(a *action) string {
	if a.Changes && e.viewer {
		return "you are a viewer here: operators change things"
	}
	if a.disabled != nil {
		return a.disabled(e)
	}
	return ""
}

func (e *explorer) tooSmall() bool { return arrange(e.w, e.h, false).tooSmall }

// View implements tea.Model.
func (e *explorer) View() tea.View {
	v := tea.View{AltScreen: true, WindowTitle: "parfait · " + printable(e.snap.Name)}
	if e.w == 0 || e.h == 0 || !e.known {
		return v
	}
	v.SetContent(e.screen().String(e.theme))
	return v
}

// screen draws everything.
func (e *explorer) screen() *chart.Canvas {
	if e.canvas == nil {
		e.canvas = chart.NewCanvas(e.w, e.h, e.glyphs)
	} else {
		e.canvas.Resize(e.w, e.h)
	}
	c := e.canvas
	l := arrange(e.w, e.h, e.hasSide())
	if l.tooSmall {
		drawTooSmall(c)
		return c
	}
	h := header{props: e.props, views: viewInfos(), view: e.view.info().scope, focus: e.focus, underWay: e.underWay()}
	h.drawTabs(sub(c, l.tabs), l.status.Empty())
	if !l.status.Empty() {
		h.drawStatus(sub(c, l.status))
	}
	e.view.draw(e, e.drawn.main, sub(c, l.main))
	if !l.side.Empty() {
		side{props: e.drawn.side, focus: e.focus}.draw(sub(c, l.side))
	}
	e.drawBar(sub(c, l.bar))
	if e.above != nil {
		e.above.draw(e, c)
	} else if e.tour > 0 {
		e.drawTour(c)
	}
	return c
}

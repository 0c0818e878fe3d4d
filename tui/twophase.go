package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

// phases is what is shown of the props. The renderer sends a line from its first to its last change, so
// that a key that changes two panes beside each other would send all that lies between them. So after a
// key the pane with the focus is drawn at once and the other one in the next frame: half the bytes over a
// slow line, a sixtieth of a second later.
type phases struct {
	main, side props
	version    int
	due        bool // the other pane is on its way
}

// oneFrame is longer than a frame takes at 60 a second.
const oneFrame = 17 * time.Millisecond

// drawInPhases decides what of a changed props is shown now.
func (e *explorer) drawInPhases(msg tea.Msg) tea.Cmd {
	if _, ok := msg.(otherPaneMsg); ok {
		e.drawn.due = false
	}
	if e.version == e.drawn.version && !e.drawn.due {
		e.drawn.main, e.drawn.side = e.props, e.props
		return nil
	}
	_, key := msg.(tea.KeyPressMsg)
	if !key && !e.drawn.due || !e.hasSide() {
		e.drawn = phases{e.props, e.props, e.version, false}
		return nil
	}
	if e.drawn.version = e.version; e.focus == e.view.info().scope {
		e.drawn.main = e.props
	} else {
		e.drawn.side = e.props
	}
	if e.drawn.due {
		return nil
	}
	e.drawn.due = true
	return e.after(oneFrame, otherPaneMsg{})
}

// fade takes a new note away after it could be read.
func (e *explorer) fade(before note) tea.Cmd {
	if e.note == before || e.note.text == "" {
		return nil
	}
	e.said++
	return e.after(4*time.Second+time.Duration(len(e.note.text))*30*time.Millisecond, fadeMsg{e.said})
}

package tui

import (
	"encoding/json"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
)

// kept is what comes back after a crash or a lost line: what the person did, and where they looked.
type kept struct {
	State  json.RawMessage `json:"state"`
	View   View            `json:"view"`
	Focus  Place           `json:"focus"`
	Zoom   zoom            `json:"zoom,omitzero"`
	Filter string          `json:"filter,omitempty"`
}

// saver writes the newest view, at once or never. It may be asked from any goroutine.
type saver struct {
	src    Source
	who    string
	newest atomic.Pointer[unsaved]
}

type unsaved struct {
	state explore.State
	kept  kept
}

func (s *saver) flush() error {
	u := s.newest.Swap(nil)
	if u == nil {
		return nil
	}
	var err error
	if u.kept.State, err = u.state.Encode(); err != nil {
		return err
	}
	b, err := json.Marshal(u.kept)
	if err != nil {
		return err
	}
	return s.src.SaveView(s.who, b)
}

// keep has the view saved soon, once for all that changes until then.
func (e *explorer) keep() tea.Cmd {
	e.saver.newest.Store(&unsaved{e.state, kept{View: e.view, Focus: e.focus, Zoom: e.zoom, Filter: e.trials.filter}})
	if e.saved {
		return nil
	}
	e.saved = true
	return e.after(second, saveMsg{})
}

func (e *explorer) loadView() tea.Cmd {
	return e.work("restore the view", func() tea.Msg {
		b, err := e.src.LoadView(e.o.Who)
		if err != nil || len(b) == 0 {
			return failed(err)
		}
		return storedView{b}
	})
}

// restore takes a view that was kept. What cannot be read is left out: a view is a convenience.
func (e *explorer) restore(b []byte) tea.Cmd {
	var k kept
	if json.Unmarshal(b, &k) != nil {
		return nil
	}
	s, err := explore.Decode(k.State)
	if err != nil || int(k.View) >= len(views) {
		return nil
	}
	e.state = explore.Rebase(e.analysis(), s)
	e.view, e.zoom, e.trials.filter = k.View, k.Zoom, k.Filter
	e.focus = k.View.place()
	if k.View.hasSide(fullWidth) && (k.Focus == PlaceTasks || k.Focus == PlaceCoefficients) {
		e.focus = k.Focus
	}
	e.look()
	return e.entered()
}

package tui

import (
	"encoding/json"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
)

// session is what comes back after a crash or a lost line: what the person did, and where they looked.
type session struct {
	State json.RawMessage           `json:"state"`
	View  shownView                 `json:"view"`
	Focus scope                     `json:"focus"`
	Views map[scope]json.RawMessage `json:"views,omitempty"` // what they keep

	// As sessions were kept before views kept their own.
	Zoom   json.RawMessage `json:"zoom,omitempty"`
	Filter json.RawMessage `json:"filter,omitempty"`
}

// shownView is the scope of the view that is shown. It was a number once.
type shownView scope

// numberedViews are the views that had a number, in their order.
var numberedViews = []scope{scopeFront, scopeParallel, scopeTrials, scopeSurrogate, scopeModels, scopeExports}

// UnmarshalJSON implements json.Unmarshaler.
func (v *shownView) UnmarshalJSON(b []byte) error {
	var n int
	if json.Unmarshal(b, &n) == nil && n >= 0 && n < len(numberedViews) {
		*v = shownView(numberedViews[n])
		return nil
	}
	return json.Unmarshal(b, (*scope)(v))
}

// of is what a view has kept.
func (s session) of(v scope) json.RawMessage {
	switch b, ok := s.Views[v]; {
	case ok:
		return b
	case v == scopeFront:
		return s.Zoom
	case v == scopeTrials:
		return s.Filter
	}
	return nil
}

// saver writes the newest view, at once or never. It may be asked from any goroutine.
type saver struct {
	src    Source
	who    string
	newest atomic.Pointer[unsaved]
}

type unsaved struct {
	state   explore.State
	session session
}

func (s *saver) flush() error {
	u := s.newest.Swap(nil)
	if u == nil {
		return nil
	}
	var err error
	if u.session.State, err = u.state.Encode(); err != nil {
		return err
	}
	b, err := json.Marshal(u.session)
	if err != nil {
		return err
	}
	return s.src.SaveView(s.who, b)
}

// keep has the view saved soon, once for all that changes until then.
func (e *explorer) keep() tea.Cmd {
	s := session{View: shownView(e.view.info().scope), Focus: e.focus, Views: map[scope]json.RawMessage{}}
	for _, v := range e.views {
		if k, ok := v.(keeper); ok {
			if b, err := json.Marshal(k.keep()); err == nil && string(b) != "null" {
				s.Views[v.info().scope] = b
			}
		}
	}
	e.saver.newest.Store(&unsaved{e.state, s})
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
	var k session
	if json.Unmarshal(b, &k) != nil {
		return nil
	}
	s, err := explore.Decode(k.State)
	v := e.viewAt(scope(k.View))
	if err != nil || v == nil {
		return nil
	}
	s.Confidence = e.o.Confidence
	e.state = explore.Rebase(e.analysis(), s)
	for _, v := range e.views {
		if keeper, ok := v.(keeper); ok {
			keeper.restore(func(into any) bool { return json.Unmarshal(k.of(v.info().scope), into) == nil })
		}
	}
	e.turnTo(v)
	if v.info().hasSide(fullWidth) && (k.Focus == scopeTasks || k.Focus == scopeCoefficients) {
		e.focus = k.Focus
	}
	e.look()
	return e.view.refresh(e)
}

package tui

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/search"
	"parfait/study"
)

// lookHere has the search look for what the person wishes, or around the point in hand; where it does so already, at the
// whole front again.
func lookHere(e *explorer) tea.Cmd {
	f := &search.Focus{Wishes: e.state.Looking(e.analysis())}
	said := "the search looks for " + f.Wishes.String() + e.untilRun()
	if reflect.DeepEqual(e.snap.Focus, f) {
		f, said = nil, "the search looks at the whole front again"
	}
	return e.do(study.Command{Kind: study.CommandFocus, Focus: f}, said)
}

// untilRun says what is missing for a search to go on.
func (e *explorer) untilRun() string {
	switch r := e.snap.Activity.Runner; {
	case r == study.Finished:
		return ": b gives it more trials"
	case !r.Alive():
		return ": s starts a runner"
	}
	return ""
}

// wishes are those that the point in hand was chosen by, nil where it was chosen otherwise.
func (e *explorer) wishes() *search.Wishes {
	if e.state.Anchor.Kind == explore.AnchorPreference {
		if w := e.state.Wishes(e.analysis()); w.Wanted() {
			return &w
		}
	}
	for _, p := range slices.Backward(e.snap.Picks) {
		if p.Wishes != nil && slices.Equal(p.X, e.state.X) {
			return p.Wishes
		}
	}
	return nil
}

type standingMsg struct {
	focus    search.Focus
	standing *search.Standing
}

// settleHere works out how the point in hand stands among its rivals.
func settleHere(e *explorer) tea.Cmd {
	name, snap := e.read.Name, e.snap
	if strings.HasPrefix(name, "front ") || name == "what if" {
		name = "this point" // its place on the front is another with the next trial
	}
	var wishes search.Wishes
	if w := e.wishes(); w != nil {
		wishes = *w
	}
	f := explore.Settling(e.analysis(), name, slices.Clone(e.state.X), wishes)
	e.note = note{"weighing " + name + " against its rivals…", muted}
	return e.work("weigh the rivals", func() tea.Msg {
		s, err := snap.Standing(e.ctx, f)
		if err != nil {
			return refused(err)
		}
		return standingMsg{f, s}
	})
}

// standing says how a pick stands, and asks whether to measure what decides it.
func (e *explorer) standing(m standingMsg) tea.Cmd {
	name, s := m.focus.Pick.Name, m.standing
	switch {
	case s.Best >= search.Sure:
		e.note = note{fmt.Sprintf("%s is settled: %s", name, s), good}
		return nil
	case s.Decided():
		e.note = note{fmt.Sprintf("%s is not the best: with probability %.2f a rival is better, most likely %s", name, 1-s.Best, fitting(valued(e.coefficients(), s.Rival), e.w)), warn}
		return nil
	}
	n, _ := s.Worth()
	if n == 0 {
		e.note = note{name + " is " + s.String(), warn}
		return nil
	}
	e.note = note{}
	text := name + " is " + s.String() + "."
	if left := max(e.snap.Activity.Search-e.snap.Question().Asked, 0); left < n {
		text += fmt.Sprintf(" The budget leaves %d: after this b raises it, by %d.", left, n-left)
	}
	e.above = &question{
		title: "Settle " + name, text: text + " Measure what decides it, until it is known with probability .95?",
		yes: func(e *explorer) tea.Cmd {
			return e.do(study.Command{Kind: study.CommandFocus, Focus: &m.focus}, "the search settles "+name+e.untilRun())
		},
	}
	return nil
}

package tui

import (
	"context"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/explore/exploretest"
	"parfait/study"
)

// The front is refined behind the keys: a step never waits for it, and is the finer once it is there.
func TestFrontIsRefinedAroundThePointInHand(t *testing.T) {
	dense := exploretest.Snapshot(exploretest.Options{Trials: 30, FrontSize: 900}).Analysis.Front
	d := drive(t, exploretest.Options{Trials: 30, FrontSize: 20}, 120, 40)
	asked := 0
	d.e.near = near{find: func(explore.State, context.Context, *study.Analysis) ([]study.FrontPoint, error) {
		asked++
		return dense, nil
	}}
	_, later := d.e.Update(keyPress("home"))
	if d.e.state.Near != nil || !d.e.near.busy {
		t.Fatal("a key waited for points between those of the front, or none were asked for")
	}
	d.press("right")
	if d.e.state.Front < 0 {
		t.Errorf("a step before there are points between goes to %q, want one with a number", d.e.read.Name)
	}
	d.do(later) // what was asked for at the first key, and then around the point that is in hand by now
	if asked != 2 {
		t.Errorf("asked %d times, want once for each place where the work began", asked)
	}
	d.press("right")
	if !d.e.state.Between() || !strings.HasPrefix(d.e.read.Name, "front near ") {
		t.Errorf("the next step goes to %q, want a point between", d.e.read.Name)
	}
	if screen := d.text(); !strings.Contains(screen, "front near ") || strings.Contains(screen, "off the front") {
		t.Errorf("a point between is not shown as of the front:\n%s", screen)
	}
	d.press("left")
	if d.e.state.Front < 0 {
		t.Errorf("the way back leads to %q", d.e.read.Name)
	}
}

func TestRefiningThatPanicsIsSaidAndTriedAgain(t *testing.T) {
	d := drive(t, exploretest.Options{Trials: 30, FrontSize: 20}, 120, 40)
	d.e.near = near{find: func(explore.State, context.Context, *study.Analysis) ([]study.FrontPoint, error) {
		panic("no landscape")
	}}
	var said []string
	_, cmd := d.e.Update(keyPress("home"))
	for _, msg := range messages(cmd) {
		_, next := d.e.Update(msg)
		for _, m := range messages(next) {
			if n, ok := m.(noteMsg); ok {
				said = append(said, n.note.text)
			}
		}
	}
	if d.e.near.busy || !strings.Contains(strings.Join(said, "\n"), "refine the front") {
		t.Errorf("still busy: %v; said: %q", d.e.near.busy, said)
	}
}

// messages are what a command and those that it consists of say.
func messages(cmd tea.Cmd) []tea.Msg {
	if cmd == nil {
		return nil
	}
	switch m := cmd().(type) {
	case nil:
		return nil
	case tea.BatchMsg:
		var out []tea.Msg
		for _, c := range m {
			out = append(out, messages(c)...)
		}
		return out
	default:
		return []tea.Msg{m}
	}
}

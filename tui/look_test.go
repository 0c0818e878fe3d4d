package tui

import (
	"strings"
	"testing"

	"parfait/search"
	"parfait/study"
)

// f has the search look for what is wished, and again at the whole front; where nothing is wished, around the point in hand.
func TestLookHere(t *testing.T) {
	d := drive(t, demo, 160, 48)
	last := func() study.Command {
		t.Helper()
		if len(d.src.commands) == 0 {
			t.Fatal("nothing was asked for")
		}
		return d.src.commands[len(d.src.commands)-1]
	}
	d.press("f")
	c := last()
	if c.Kind != study.CommandFocus || c.Focus == nil || len(c.Focus.Wishes.Aspire) != len(d.e.analysis().Objectives) {
		t.Fatalf("around the point in hand: %+v", c)
	}
	if !strings.Contains(d.bar(), "the search looks for ") {
		t.Errorf("it says %q", d.bar())
	}
	snap := *d.e.snap
	snap.Focus, snap.Revision = c.Focus, snap.Revision+1
	d.send(snapshotMsg{&snap})
	d.sees("looks for ")
	d.press("f")
	if c := last(); c.Kind != study.CommandFocus || c.Focus != nil {
		t.Errorf("again: %+v, expected the whole front", c)
	}
}

// F asks before it spends anything, and says what it would cost.
func TestSettleHereAsks(t *testing.T) {
	d := drive(t, demo, 160, 48)
	f := search.Focus{Pick: &search.Pick{Name: "knee", X: d.e.state.X}}
	d.send(standingMsg{f, &search.Standing{Best: 0.6, Rival: d.e.state.X, Better: 0.2, Costs: []search.Cost{{Evaluations: 1}, {Evaluations: 8, Settles: 0.5, Ends: 0.2}}}})
	d.sees("Settle knee", "0.60; about 8 more evaluations decide it")
	if n := len(d.src.commands); n > 0 {
		t.Errorf("%d commands before anybody has said yes", n)
	}
	d.press("y")
	if n := len(d.src.commands); n != 1 || d.src.commands[0].Focus == nil || d.src.commands[0].Focus.Pick.Name != "knee" {
		t.Errorf("yes asks for %+v, expected the knee to be settled", d.src.commands)
	}
	for best, want := range map[float64]string{0.99: "knee is settled", 0.01: "knee is not the best"} {
		d.send(standingMsg{f, &search.Standing{Best: best, Rival: d.e.state.X, Better: 1 - best}})
		if d.e.above != nil || !strings.Contains(d.bar(), want) {
			t.Errorf("%g: %q, expected %q", best, d.bar(), want)
		}
	}
}

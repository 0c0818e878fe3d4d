package tui

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parfait/search"
	"parfait/tui/chart"
)

// drawnSide is the side pane by itself.
func drawnSide(s props, w, h int) string {
	c := chart.NewCanvas(w, h, chart.Braille)
	side{props: s}.draw(c)
	return c.Plain()
}

// Why a point is not believed is said in full where there is room, and never cut.
func TestTheSidePaneSaysWhyAPointIsNotBelieved(t *testing.T) {
	d := drive(t, demo, 80, 24)
	for _, c := range []struct {
		doubt        search.Doubt
		narrow, wide string
	}{
		{"", "leverage .10 (inside)", "leverage .10, inside the sampled region"},
		{search.Outside, "leverage .10 (outside!)", "leverage .10, outside the sampled region"},
		{search.Uncertain, "leverage .10, too uncertain", "leverage .10, too uncertain"},
		{search.Failing, "leverage .10 (near a failed trial)", "leverage .10, near a trial that failed"},
	} {
		s := d.e.props
		s.read.Doubt = string(c.doubt)
		for w, want := range map[int]string{38: c.narrow, 60: c.wide} {
			if text := drawnSide(s, w, 22); !strings.Contains(text, want+" ") {
				t.Errorf("%q is not said in %d columns:\n%s", want, w, text)
			}
		}
	}
	d.press("tab L L L L L L L L L L L L L L L down L L L L L L L L L L L L L L L L")
	d.sees("(outside!)")
}

// A cliff is said where its task is in hand, and pushes nothing else away.
func TestTheSidePaneSaysThatATaskHasACliff(t *testing.T) {
	d := drive(t, states["sampling"], 80, 24)
	trust := &d.e.analysis().Fits[1].Trust
	trust.Cliff, trust.CliffWhy = true, "collapses: 25 % of the measurements lie near 0.1"
	d.press("2 1") // nothing of it while another task is in hand
	if text := d.text(); strings.Contains(text, "cliff") {
		t.Errorf("the cliff of a task that is not in hand:\n%s", text)
	}
	before := strings.Split(d.text(), "\n")
	d.press("down")
	d.sees("mirrored has a cliff: collapses: 25", "leverage .10 (inside)", "Hypervolume", "▸rotated  ")
	golden(t, "side-80x24-cliff", d.side())
	if after := strings.Split(d.text(), "\n"); len(before) != len(after) {
		t.Error("the screen has other rows: " + fmt.Sprint(len(after)))
	}
}

// Intervals that half their width does not tell have their ends in the column, or say that nothing is known.
func TestTheSidePaneWritesWideIntervals(t *testing.T) {
	d := drive(t, states["loss"], 80, 24)
	for want, interval := range map[string][2]float64{"3.092 1.1…44": {1.1, 43.6}, "3.092 ±? ": {0.001, 4000}, "3.092 ±0.3": {2.792, 3.392}} {
		s := d.e.props
		s.read.Tasks = slices.Clone(s.read.Tasks)
		p := &s.read.Tasks[0].Predicted
		p.Lo, p.Hi = interval[0], interval[1]
		if text := drawnSide(s, 38, 22); !strings.Contains(text, want) || !strings.Contains(text, " 75%  3.092") {
			t.Errorf("%q is not written:\n%s", want, text)
		}
	}
}

// The figure in the title is explained by the keys' help.
func TestTheTitlesFigureIsExplained(t *testing.T) {
	d := drive(t, states["sampling"], 100, 150)
	d.sees("≥base ")
	d.press("?")
	d.sees("≥base .93", "the probability that the point in hand is nowhere below")
}

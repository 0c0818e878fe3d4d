package tui

import (
	"fmt"
	"strings"
	"testing"

	"parfait/explore/exploretest"
	"parfait/tui/chart"
)

// Where there is no room for all axes those around the one in hand are drawn, with their names and figures
// whole; brushes on the others hold as well.
func TestMoreAxesThanThereIsRoomFor(t *testing.T) {
	d := drive(t, states["eight"], 80, 24)
	d.press("2")
	d.sees("axes 1 to 11 of 17", "gsm8k", "mbpp")
	for _, line := range strings.Split(d.text(), "\n") {
		if strings.Contains(line, ".…") {
			t.Errorf("a figure is cut: %q", line)
		}
	}
	if dotted(d) {
		t.Error("lines are dimmed without a brush")
	}
	d.press("up up up up up up up up")
	within := len(d.e.state.Within(d.e.analysis()))
	d.press("left")
	d.sees("axes 7 to 17 of 17", fmt.Sprintf("%d of %d within the brushes", within, len(d.e.analysis().Front)))
	if !dotted(d) {
		t.Errorf("no line is dimmed by the brush on an axis that is not drawn:\n%s", d.text())
	}
}

// dotted says whether there are dimmed lines.
func dotted(d *driver) bool {
	screen := d.e.screen()
	w, h := screen.Size()
	for i := range w * h {
		if c := screen.At(i%w, i/w); c.Style.FG == chart.Faded && strings.ContainsAny(c.Text, "⠁⠂⠄⡀⠈⠐⠠⢀") {
			return true
		}
	}
	return false
}

// Axes of rates end at 0 and 1 however wide the margin, unless a prediction lies beyond; others have theirs.
func TestParallelAxesOfRatesEndAtOne(t *testing.T) {
	d := drive(t, exploretest.Options{Trials: 20, Minimize: true}, 80, 24)
	for i := range d.e.analysis().Front {
		p := d.e.analysis().Front[i].Predicted
		p[1].Value, p[2].Value = float64(i%2), 0.5+0.52*float64(i%2)
	}
	axes := parallelPane{props: d.e.props}.axes()
	if r := axes[1].Range; r.Lo != 0 || r.Hi != 1 {
		t.Errorf("a rate from 0 to 1 is drawn from %g to %g", r.Lo, r.Hi)
	}
	if r := axes[2].Range; r.Lo >= 0.5 || r.Hi != 1.02 {
		t.Errorf("a rate predicted up to 1.02 is drawn from %g to %g", r.Lo, r.Hi)
	}
	if r := axes[0].Range; !(r.Hi > 2) {
		t.Errorf("a loss ends at %g", r.Hi)
	}
}

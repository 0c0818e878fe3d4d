package tui

import (
	"testing"

	"parfait/explore/exploretest"
)

// Axes of rates end at 0 and 1 however wide the margin, unless a prediction lies beyond; others have theirs.
func TestParallelAxesOfRatesEndAtOne(t *testing.T) {
	d := drive(t, exploretest.Options{Trials: 20, Minimize: true}, 80, 24)
	for i := range d.e.analysis().Front {
		p := d.e.analysis().Front[i].Predicted
		p[1].Value, p[2].Value = float64(i%2), 0.5+0.52*float64(i%2)
	}
	axes := parallelPane{sight: d.e.sight}.axes()
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

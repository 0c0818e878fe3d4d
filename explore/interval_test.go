package explore_test

import (
	"math"
	"testing"

	"parfait/explore"
	"parfait/study"
)

// Intervals are told by half their width only where that tells both ends.
func TestIntervals(t *testing.T) {
	rate, loss := study.Task{Unit: "rate", Sense: study.Maximize}, study.Task{Unit: "loss", Sense: study.Minimize}
	for _, c := range []struct {
		task       study.Task
		v, lo, hi  float64
		want, note string
	}{
		{rate, 0.5, 0.4, 0.6, "±.100", "even"},
		{rate, 0.97, 0.945, 0.985, "±.020", "uneven by less than a point"},
		{rate, 0.5, 0.4, 0.62, "±.110", "uneven by a tenth of itself"},
		{rate, 0.93, 0.61, 0.99, ".61….99", "close to 1"},
		{rate, 0.03, 0.001, 0.42, ".00….42", "close to 0"},
		{rate, 0.5, 0.001, 0.9999, "±.499", "even, and says so"},
		{loss, 9.513, 9.492, 9.534, "±0.021", "even"},
		{loss, 5.8, 1.6, 43.6, "1.6…44", "half of 21 is no help"},
		{loss, 5.8, 0.002, 8000, explore.Unknown, "absurd"},
		{loss, 5.8, 0, 60, explore.Unknown, "any loss"},
		{loss, 12345, 9000, 15690, "±3300", "no exponent"},
		{loss, -1, -2.5, 7, "-2.5…7", "below zero"},
		{loss, 2e7, 1e7, 3e7, "±1e+07", "large"},
		{loss, 2, math.NaN(), 3, explore.Unknown, "no end"},
		{loss, 2, 1, math.Inf(1), explore.Unknown, "infinite"},
		{loss, 2, 2, 2, "", "nothing is said of an interval"},
	} {
		if got := explore.Interval(c.task, study.Prediction{Value: c.v, Lo: c.lo, Hi: c.hi}); got != c.want {
			t.Errorf("%s: %g in [%g, %g] is %q, want %q", c.note, c.v, c.lo, c.hi, got, c.want)
		}
	}
	if got := explore.Spread(loss, 4000); got != "4000" {
		t.Errorf("a spread of 4000 is %q", got)
	}
}

package tui

import (
	"math"
	"testing"
)

// Where digits are values, the tabs show the keys that lead to the views, and the other digits say so.
func TestDigitsAmongTheCoefficients(t *testing.T) {
	for _, size := range sizes {
		d := drive(t, demo, size[0], size[1])
		d.press("tab")
		d.sees("alt+1 Front")
		before, last := d.e.state.X[0], digitKeys()[len(digitKeys())-1]
		for _, k := range digitKeys()[1:] {
			d.e.note = note{}
			d.press(k)
			if d.shown() != scopeFront || d.e.state.X[0] != before {
				t.Errorf("%s led to the view %s and turned the coefficient from %g to %g", k, d.shown(), before, d.e.state.X[0])
			}
			d.sees("alt+1 … alt+" + last + " lead to the views")
		}
	}
}

// + and − are about what is selected: a coefficient among the coefficients, a task elsewhere.
func TestPlusTurnsTheCoefficient(t *testing.T) {
	d := drive(t, demo, 80, 24)
	d.press("tab down 0 +")
	if got := d.e.state.X[1]; math.Abs(got-.01) > 1e-9 {
		t.Errorf("+ turned the coefficient from 0 to %g, expected .01", got)
	}
	d.press("-")
	if got := d.e.state.X[1]; math.Abs(got) > 1e-9 {
		t.Errorf("- turned it back to %g, expected 0", got)
	}
}

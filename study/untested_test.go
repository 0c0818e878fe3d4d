package study

import (
	"testing"

	"parfait/search"
)

func TestAFrontFarFromAllTrialsIsUntested(t *testing.T) {
	a := &Analysis{Space: search.Space{Coefficients: []search.Coefficient{{Name: "a", Hi: 2}, {Name: "b", Hi: 2}}}}
	for i := range 9 {
		a.Trials = append(a.Trials, Trial{X: []float64{0.2 * float64(i%3), 0.2 * float64(i/3)}})
	}
	at := func(x ...float64) { a.Front = append(a.Front, FrontPoint{X: x}) }
	at(0.05, 0)
	at(0.2, 0.25)
	at(1.5, 1.5)
	if w := a.untested(); w != "" {
		t.Errorf("most of the front lies among trials, but: %s", w)
	}
	at(1.6, 1.5)
	at(1.7, 1.5)
	if a.untested() == "" {
		t.Error("most of the front is far from all trials, and nothing is said")
	}
	a.Trials = a.Trials[:3]
	if w := a.untested(); w != "" {
		t.Errorf("three trials: %s", w)
	}
}

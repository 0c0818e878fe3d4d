package study

import (
	"strings"
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
	if w := a.untested("Measure."); w != "" {
		t.Errorf("most of the front lies among trials, but: %s", w)
	}
	at(1.6, 1.5)
	at(1.7, 1.5)
	if !strings.HasSuffix(a.untested("Measure."), "tested nowhere. Measure.") {
		t.Error("most of the front is far from all trials, and nothing is said")
	}
	a.Trials = a.Trials[:3]
	if w := a.untested("Measure."); w != "" {
		t.Errorf("three trials: %s", w)
	}
}

// What is said about an untested front is never what the study does already.
func TestWhatIsToBeDoneAboutAnUntestedFront(t *testing.T) {
	for _, c := range []struct {
		strategy      string
		asked, budget int
		says, not     string
	}{
		{"map", 60, 60, "strategy: adaptive", "--budget 75"},
		{"adaptive", 20, 60, "40 trials of the budget of 60 are still to be asked for", "strategy: adaptive"},
		{"adaptive", 60, 60, "run --budget 75", "strategy: adaptive"},
		{"ehvi", 8, 8, "run --budget 16", "strategy: adaptive"},
	} {
		s := &Snapshot{Spec: &Spec{Search: SearchSpec{Strategy: c.strategy, Budget: c.budget}}, Trials: make([]Trial, c.asked)}
		if got := s.toTest(); !strings.Contains(got, c.says) || strings.Contains(got, c.not) {
			t.Errorf("%s, %d of %d: %q, want %q and not %q", c.strategy, c.asked, c.budget, got, c.says, c.not)
		}
	}
}

package tui

import (
	"context"
	"slices"
	"testing"

	"parfait/explore"
	"parfait/explore/exploretest"
	"parfait/search"
	"parfait/study"
)

// A floor that somebody sets has the front traced under it: the point that follows is one of what was found, between
// those that have numbers. Taking the floor away leads back to them.
func TestFloorsHaveTheFrontTraced(t *testing.T) {
	d := drive(t, demo, 120, 36)
	own := d.e.snap.Analysis
	dense := exploretest.Snapshot(exploretest.Options{Trials: 34, FrontSize: 3000}).Analysis
	asked := 0
	d.e.under.trace = func(_ context.Context, a *study.Analysis, s explore.State) (*study.Analysis, error) {
		asked++
		traced := *a
		traced.Front = nil
		for _, p := range dense.Front {
			if s.Holds(a, p.Predicted) {
				traced.Front = append(traced.Front, p)
			}
		}
		traced.Knee, traced.Best = 0, make([]int, len(a.Tasks))
		traced.Floors = []search.Floor{{Task: "mirrored", Least: true, Value: s.Floors["mirrored"], Sure: search.FloorSure}}
		return &traced, nil
	}
	d.e.under.needed = func(s explore.State, _ *study.Analysis) bool { return len(s.Floors) > 0 }
	d.press("tab tab down >")
	d.write(".9")
	d.press("enter")
	if asked != 1 || d.e.analysis() == own {
		t.Fatalf("asked %d times for the front under the floor", asked)
	}
	if v := d.e.read.Tasks[1].Predicted.Value; v < 0.9 || v > 0.92 {
		t.Errorf("mirrored %.4f, want a little above the floor of .90", v)
	}
	d.press("- +")
	if asked != 1 {
		t.Errorf("asked %d times though nothing else was asked for", asked)
	}
	d.press(">")
	d.write(" ")
	d.press("backspace enter")
	if d.e.analysis() != own {
		t.Error("without a floor the front is not the study's own")
	}
}

// What is pressed while the front is traced under what is to be beaten ends on that front: the best of a task is the best of what
// beats it, and an end of the front is one of the traced one.
func TestKeysDoNotOutrunTheTracing(t *testing.T) {
	for keys, want := range map[string]explore.AnchorKind{"G": explore.AnchorFront, "g": explore.AnchorFront, "n": explore.AnchorBest, "l l l": explore.AnchorFront} {
		d := drive(t, demo, 120, 36)
		d.e.under.trace = func(_ context.Context, a *study.Analysis, s explore.State) (*study.Analysis, error) {
			traced := *a
			traced.Front = slices.DeleteFunc(slices.Clone(a.Front), func(p study.FrontPoint) bool { return !s.Holds(a, p.Predicted) })
			traced.Knee, traced.Best = 0, make([]int, len(a.Tasks))
			for t, task := range a.Tasks {
				for i, p := range traced.Front {
					if task.Better(p.Predicted[t].Value, traced.Front[traced.Best[t]].Predicted[t].Value) {
						traced.Best[t] = i
					}
				}
			}
			return &traced, nil
		}
		d.e.under.needed = func(s explore.State, _ *study.Analysis) bool { return s.Beats != "" }
		_, later := d.e.Update(keyPress("B"))
		d.press(keys)
		d.do(later)
		if d.e.traced == nil {
			t.Fatalf("%s: the front was not traced", keys)
		}
		if !d.e.state.Holds(d.e.analysis(), d.e.analysis().Predict(d.e.state.X)) {
			t.Errorf("%s: %s is in hand, below the base", keys, d.e.read.Name)
		}
		if got := d.e.state.Anchor.Kind; got != want {
			t.Errorf("%s: it follows %q, want %q", keys, got, want)
		}
		if at := map[string]int{"G": 1, "g": -1}[keys]; at != 0 {
			end, _ := explore.Apply(d.e.analysis(), d.e.state, explore.Move{Kind: explore.Edge, N: at})
			if !slices.Equal(end.X, d.e.state.X) {
				t.Errorf("%s: %s is no end of the traced front", keys, d.e.read.Name)
			}
		}
	}
}

// What is below a rival that is to be beaten is not exported without a question.
func TestExportsBelowARivalAreAskedFor(t *testing.T) {
	d := drive(t, demo, 120, 36)
	d.press("B")
	a := d.e.snap.Analysis
	for _, p := range a.Front {
		if !d.e.state.Holds(a, p.Predicted) {
			d.do(d.e.move(explore.Move{Kind: explore.Go, X: p.X}))
			break
		}
	}
	d.press("enter enter")
	d.sees("it is below the base on ")
	if len(d.src.exports) > 0 {
		t.Fatal("it was exported before the answer")
	}
	d.press("y")
	if len(d.src.exports) != 1 {
		t.Errorf("%d exports after a yes, want 1", len(d.src.exports))
	}
}

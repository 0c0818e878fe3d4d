package explore_test

import (
	"strings"
	"testing"

	"parfait/explore"
	"parfait/explore/exploretest"
	"parfait/study"
)

// However the point in hand came about, another front or a newer fit does not leave it below what is asked for, and the best of a task
// stays that.
func TestWhatIsAskedForIsKept(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	ends := explore.Start(a)
	last, _ := explore.Apply(a, ends, explore.Move{Kind: explore.Edge, N: 1})
	x := last.AxisX
	best := last.Anchor
	best.Kind, best.Task = explore.AnchorBest, a.Tasks[x].Name
	other := a.Objectives[1]
	floor := a.Front[a.Knee].Predicted[other].Value
	for name, s := range map[string]explore.State{"an end": last, "the best": with(last, best), "the knee": with(last, explore.Anchor{Kind: explore.AnchorKnee})} {
		s.Floors = map[string]float64{a.Tasks[other].Name: floor}
		if s.Holds(a, a.Predict(s.X)) {
			t.Fatalf("%s keeps the floor: nothing is tested", name)
		}
		for how, next := range map[string]explore.State{"On": s.On(a), "Rebase": explore.Rebase(a, s)} {
			if !next.Holds(a, a.Predict(next.X)) {
				t.Errorf("%s, %s: what is asked for is not kept", name, how)
			}
			if next.Anchor != s.Anchor {
				t.Errorf("%s, %s: it follows %v, want %v", name, how, next.Anchor, s.Anchor)
			}
			if name != "the best" {
				continue
			}
			for _, p := range a.Front {
				if s.Holds(a, p.Predicted) && a.Tasks[x].Better(p.Predicted[x].Value, a.Predict(next.X)[x].Value) {
					t.Errorf("%s: a better %s keeps the floor too", how, a.Tasks[x].Name)
					break
				}
			}
		}
	}
	// The ends of the front are those of what is asked for.
	s := ends
	s.Floors = map[string]float64{a.Tasks[other].Name: floor}
	for _, n := range []int{-1, 1} {
		if next, _ := explore.Apply(a, s, explore.Move{Kind: explore.Edge, N: n}); !next.Holds(a, a.Predict(next.X)) {
			t.Errorf("the end %d breaks the floor", n)
		}
	}
	// Coefficients that somebody set stay.
	set := with(last, explore.Anchor{})
	set.Floors = s.Floors
	if next := set.On(a); next.Holds(a, a.Predict(next.X)) {
		t.Error("coefficients that were set by hand moved")
	}
}

func with(s explore.State, anchor explore.Anchor) explore.State {
	s.Anchor = anchor
	return s
}

// How many points beat the base is one figure, whatever the front is traced under.
func TestOneCountOfWhatBeatsTheBase(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	s := explore.Start(a)
	s, note := explore.Apply(a, s, explore.Move{Kind: explore.Beat})
	_, tasks := s.Below(a, worst(a))
	if len(tasks) == 0 {
		t.Error("what is worst of all is not below the base")
	}
	own, _, _ := explore.BeatsBase(a)
	if traced, err := s.Under(t.Context(), a); err != nil {
		t.Errorf("it cannot be traced: %v", err)
	} else if n, of, _ := explore.BeatsBase(traced); n != own || of != len(a.Front) {
		t.Errorf("%d of %d points beat the base on the traced front, %d of %d on the study's own", n, of, own, len(a.Front))
	} else if r := explore.Read(traced, s); !strings.HasSuffix(r.Beating, note.Text) {
		t.Errorf("said as %q and, traced, as %q", note.Text, r.Beating)
	}
	if words := explore.Answers(a); !strings.HasPrefix(words, note.Text+", ") || !strings.Contains(words, "alone") {
		t.Errorf("the answers are %q, want the base, the average and the best model", words)
	}
	if r := explore.Read(a, s); note.Text == "" || !strings.HasSuffix(r.Beating, note.Text) {
		t.Errorf("said as %q and as %q", note.Text, r.Beating)
	}
}

func worst(a *study.Analysis) []study.Prediction {
	p := a.Predict(a.Front[0].X)
	for _, t := range a.Objectives {
		p[t].Value = -1
		if a.Tasks[t].Sense == study.Minimize {
			p[t].Value = 1e9
		}
	}
	return p
}

package explore_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"parfait/explore"
	"parfait/explore/exploretest"
)

// What is aspired to is reached, and exceeded by no more than points of the list lie apart; what is left over goes to the
// others: each of them has more than where the task is best, and none could have more of all.
func TestAnAspirationIsReachedAsExactlyAsAsked(t *testing.T) {
	for _, o := range []explore.Preference{{}, {AtLeast: map[string]float64{"mirrored": 0.5}}} {
		a := analysis(t, exploretest.Options{FrontSize: 600})
		for task, name := range []string{"rotated", "mirrored", "upside_down"} {
			for _, asked := range []float64{0.75, 0.8, 0.85, 0.9} {
				t.Run(fmt.Sprintf("%s %.2f %v", name, asked, o.AtLeast), func(t *testing.T) {
					o.Aspire = map[string]float64{name: asked}
					c, err := explore.Choose(a, o)
					if err != nil {
						t.Fatal(err)
					}
					got := c.Predicted[task]
					if got.Value < asked || got.Value > asked+(got.Hi-got.Lo) {
						t.Errorf("asked for %.2f of %s, and chose %.3f (%.3f … %.3f)", asked, name, got.Value, got.Lo, got.Hi)
					}
					if !strings.Contains(c.Why, name+" "+explore.Decimal(asked, 2)+" is reached") {
						t.Errorf("it does not say what it follows: %s", c.Why)
					}
					best := a.Front[a.Best[task]].Predicted
					for other := range 3 {
						if other != task && o.AtLeast == nil && c.Predicted[other].Value <= best[other].Value {
							t.Errorf("%s has %.3f, and %.3f where %s is best: it has gained nothing", a.Tasks[other].Name, c.Predicted[other].Value, best[other].Value, name)
						}
					}
				})
			}
		}
	}
}

// The same wish chooses the same point in the explorer and by flags, and every part of it stands and falls by itself.
func TestAWishIsOneRuleOfParts(t *testing.T) {
	a := analysis(t, exploretest.Options{FrontSize: 400})
	s := explore.Start(a)
	do := func(m explore.Move) {
		t.Helper()
		var note explore.Note
		if s, note = explore.Apply(a, s, m); note.Code == explore.NoteNothing || note.Code == explore.NoteInfeasible {
			t.Fatalf("the move %+v is refused: %s", m, note.Text)
		}
		if !s.Holds(a, a.Predict(s.X)) {
			t.Errorf("after %s the point in hand breaks a floor", m.Kind)
		}
	}
	rule := func(want ...string) {
		t.Helper()
		if got := s.Rule(a); !slices.Equal(got, want) {
			t.Errorf("the rule in force is %q, want %q", got, want)
		}
	}
	do(explore.Move{Kind: explore.Floor, N: 1, Value: 0.7})
	do(explore.Move{Kind: explore.Aspire, N: 0, Value: 0.8})
	do(explore.Move{Kind: explore.Weigh, N: 2, Value: 2})
	rule("mirrored ≥ .70", "rotated .80 reached", "weights upside_down 2")
	c, err := explore.Choose(a, explore.Preference{AtLeast: map[string]float64{"mirrored": 0.7}, Aspire: map[string]float64{"rotated": 0.8}, Weights: map[string]float64{"upside_down": 2}})
	if err != nil || !slices.Equal(c.X, s.X) {
		t.Errorf("by flags %.3v (%v), in the explorer %.3v", c.X, err, s.X)
	}
	do(explore.Move{Kind: explore.Rank, Order: []string{"mirrored", "upside_down"}, Slack: map[string]float64{"mirrored": 0.02}})
	rule("mirrored ≥ .70", "rotated .80 reached", "order mirrored, upside_down, giving up at most .02 of mirrored")
	do(explore.Move{Kind: explore.Aspire, N: 0, Value: math.NaN()})
	rule("mirrored ≥ .70", "order mirrored, upside_down, giving up at most .02 of mirrored")
	do(explore.Move{Kind: explore.Undo})
	rule("mirrored ≥ .70", "rotated .80 reached", "order mirrored, upside_down, giving up at most .02 of mirrored")
	do(explore.Move{Kind: explore.Rank})
	do(explore.Move{Kind: explore.Floor, N: 1, Value: math.NaN()})
	rule("rotated .80 reached")
	do(explore.Move{Kind: explore.ClearPreferences})
	rule()
}

// The best of a task among what beats the base is one point, however it is asked for: by flags, as the front names it, and where
// n goes in the explorer. It is nowhere below the base as surely as was asked for, where something is.
func TestTheBestThatBeatsTheBaseIsOnePoint(t *testing.T) {
	a := analysis(t, exploretest.Options{FrontSize: 400})
	base, err := explore.RivalNamed(a, explore.RivalBase, nil)
	if err != nil {
		t.Fatal(err)
	}
	moved := 0
	for _, sure := range []float64{0.5, 0.9, 0.99} {
		s := explore.Start(a)
		s.Beats, s.Confidence = base.Name, sure
		under, err := s.Under(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		named := explore.NamedPoints(under, s)
		for _, i := range a.Objectives {
			task := a.Tasks[i]
			w := explore.Preference{Best: task.Name, Beats: &base, Confidence: sure}
			c, err := explore.Best(t.Context(), a, w)
			if err != nil {
				t.Fatal(err)
			}
			front, err := explore.Preference{Beats: &base, Confidence: sure}.Under(t.Context(), a)
			if err != nil || !slices.Equal(front.Front[front.Best[i]].X, c.X) {
				t.Errorf("%s, %.2f: the front calls %.3v its best (%v), pick takes %.3v", task.Name, sure, front.Front[front.Best[i]].X, err, c.X)
			}
			if k := slices.IndexFunc(named, func(p explore.NamedPoint) bool { return p.Name == "best "+task.Name }); k < 0 || !slices.Equal(named[k].X, c.X) {
				t.Errorf("%s, %.2f: n goes to %.3v of %v, pick takes %.3v", task.Name, sure, named, k, c.X)
			}
			at := s
			at.Anchor = explore.Anchor{Kind: explore.AnchorBest, Task: task.Name}
			if at = at.On(under); !slices.Equal(at.X, c.X) {
				t.Errorf("%s, %.2f: who follows it stands at %.3v once the front is there, pick takes %.3v", task.Name, sure, at.X, c.X)
			}
			if p := a.Chance(c.X, base.X); p < sure {
				t.Errorf("%s: %.3v is nowhere below the base with probability %.2f, asked for %.2f", task.Name, c.X, p, sure)
			}
			if !slices.Equal(c.X, a.Front[a.Best[i]].X) {
				moved++
			}
		}
	}
	if moved == 0 {
		t.Error("the best is everywhere that of the whole front: this shows nothing")
	}
}

// What is said to be within reach is accepted when it is typed.
func TestWhatCanBeHadIsRoundedToWhatIsAccepted(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	for _, v := range []float64{0.7907, 0.79049, 0.7905, 0.5, 1e-9, 0.0004} {
		a.Front = a.Front[:1]
		a.Front[0].Predicted[0].Value = v
		_, err := explore.Choose(a, explore.Preference{AtLeast: map[string]float64{a.Tasks[0].Name: 0.99}})
		if err == nil {
			t.Fatalf("a floor of .99 is kept by %g", v)
		}
		_, said, found := strings.Cut(err.Error(), "the best is ")
		had, wrong := strconv.ParseFloat(strings.Fields(said + " ?")[0], 64)
		if !found || wrong != nil || had > v || had < v-0.0011 {
			t.Errorf("%g is advised as %q (%v): %v", v, said, wrong, err)
		}
	}
}

// A bound against the sense of a task counts in the explorer too.
func TestACeilingCountsWhereAFloorDoes(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	limit := a.Front[a.Knee].Predicted[0].Value
	a.Tasks = slices.Clone(a.Tasks)
	a.Tasks[0].AtMost = &limit
	s, _ := explore.Apply(a, explore.Start(a), explore.Move{Kind: explore.Floor, N: 1, Value: 0.5})
	if got := s.Rule(a); len(got) != 1 || !strings.Contains(got[0], "rotated ≤") {
		t.Errorf("the rule in force is %q, want the ceiling of rotated in it", got)
	}
	if s.Holds(a, a.Front[a.Best[0]].Predicted) {
		t.Error("the best rotated is above its ceiling, and said to hold")
	}
	for _, p := range a.Front {
		if s.Holds(a, p.Predicted) != (p.Predicted[0].Value <= limit && p.Predicted[1].Value >= 0.5) {
			t.Errorf("%.3v: the ceiling and the floor are not what is held", p.Predicted[:2])
		}
	}
}

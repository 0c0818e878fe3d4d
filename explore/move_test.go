package explore_test

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"parfait/explore"
	"parfait/explore/exploretest"
	"parfait/study"
)

func analysis(t testing.TB, o exploretest.Options) *study.Analysis {
	t.Helper()
	if o.Trials == 0 {
		o.Trials = 30
	}
	a := exploretest.Snapshot(o).Analysis
	if a == nil || len(a.Front) < 8 {
		t.Fatal("the study made by hand has no front")
	}
	return a
}

func TestStartStandsAtTheKnee(t *testing.T) {
	a := analysis(t, exploretest.Options{Floor: 0.8})
	s := explore.Start(a)
	if s.Front != a.Knee || explore.Name(a, s) != "knee" {
		t.Errorf("at %d (%s), the knee is %d", s.Front, explore.Name(a, s), a.Knee)
	}
	if s.AxisX != 0 || s.AxisY != 1 || s.Colour != 2 {
		t.Errorf("axes %d %d colour %d", s.AxisX, s.AxisY, s.Colour)
	}
	if s.Floors["upright"] != 0.8 {
		t.Errorf("floors %v, study.yaml has upright ≥ .8", s.Floors)
	}
}

func TestNothingMovesWithoutAnAnalysis(t *testing.T) {
	s := explore.Start(nil)
	for _, k := range kinds {
		next, note := explore.Apply(nil, s, explore.Move{Kind: k, N: 1})
		if note.Code != explore.NoteNothing || !reflect.DeepEqual(next, s) {
			t.Errorf("%s without an analysis: %+v and the note %+v, want nothing to change", k, next, note)
		}
	}
	if r := explore.Read(nil, s); len(r.Tasks) != 0 {
		t.Errorf("a readout of nothing: %+v", r)
	}
}

func TestWalkWithTwoObjectivesVisitsEveryPoint(t *testing.T) {
	a := analysis(t, exploretest.Options{Tasks: []string{"math", "code"}})
	s, _ := explore.Apply(a, explore.Start(a), explore.Move{Kind: explore.Edge, N: -1})
	for i := range len(a.Front) - 1 {
		if s.Front != i {
			t.Fatalf("step %d stands on point %d", i, s.Front)
		}
		s, _ = explore.Apply(a, s, explore.Move{Kind: explore.Walk, N: 1})
	}
	if _, note := explore.Apply(a, s, explore.Move{Kind: explore.Walk, N: 1}); note.Code != explore.NoteEnd {
		t.Errorf("beyond the end: %+v", note)
	}
}

func TestWalkBackRetracesTheWay(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	s, _ := explore.Apply(a, explore.Start(a), explore.Move{Kind: explore.Edge, N: -1})
	var way []int
	for range 8 {
		before := explore.Column(s.X, a.Predict(s.X), s.AxisX)
		way = append(way, s.Front)
		s, _ = explore.Apply(a, s, explore.Move{Kind: explore.Walk, N: 1})
		if after := explore.Column(s.X, a.Predict(s.X), s.AxisX); after <= before {
			t.Fatalf("walked from %.4f to %.4f", before, after)
		}
	}
	for i := len(way) - 1; i >= 0; i-- {
		s, _ = explore.Apply(a, s, explore.Move{Kind: explore.Walk, N: -1})
		if s.Front != way[i] {
			t.Fatalf("the way back passes %d, the way there %d", s.Front, way[i])
		}
	}
}

// Where the next point is farther than predictions are sure of, points between that have no number are stepped to, and
// the way leads to the same end and back.
func TestStepsAreNoWiderThanWhatIsKnown(t *testing.T) {
	a, dense := analysis(t, exploretest.Options{FrontSize: 20}), analysis(t, exploretest.Options{FrontSize: 900})
	from, _ := explore.Apply(a, explore.Start(a), explore.Move{Kind: explore.Edge, N: -1})
	if !explore.Coarse(a, from) || explore.Coarse(dense, explore.Start(dense)) {
		t.Fatal("20 points are coarse, 900 are not")
	}
	for _, kind := range []explore.MoveKind{explore.Walk, explore.Favour} {
		plain, _ := explore.Apply(a, from, explore.Move{Kind: kind, N: 1})
		if plain.Front < 0 || plain.Between() {
			t.Errorf("%s without other points stands on %d, want one with a number", kind, plain.Front)
		}
		s := from
		s.Near = dense.Front
		var way []explore.State
		for !samePlace(s, plain) {
			next, note := explore.Apply(a, s, explore.Move{Kind: kind, N: 1})
			if len(way) > 100 || note.Code != explore.NoteNone {
				t.Fatalf("%s: no way to point %d in %d steps: %+v", kind, plain.Front, len(way), note)
			}
			before, after := a.Predict(s.X), a.Predict(next.X)
			for _, k := range a.Objectives {
				if d, wide := math.Abs(after[k].Value-before[k].Value), before[k].Hi-before[k].Lo; next.Between() && d > wide+1e-9 {
					t.Errorf("%s: task %d changes by %.3f, its interval is %.3f wide", kind, k, d, wide)
				}
			}
			if r := explore.Read(a, next); next.Between() && (!strings.HasPrefix(r.Name, "front near ") || r.Dominator >= 0) {
				t.Errorf("%s: a point between is called %q, and front %d is said to be better", kind, r.Name, r.Dominator+1)
			}
			way, s = append(way, s), next
			if kind == explore.Favour && s.Front >= 0 {
				break // it need not pass the same points
			}
		}
		if len(way) < 2 {
			t.Errorf("%s: %d steps to the next point that has a number, want some between", kind, len(way))
		}
		for i := len(way) - 1; i >= 0 && kind == explore.Walk; i-- {
			if s, _ = explore.Apply(a, s, explore.Move{Kind: kind, N: -1}); !samePlace(s, way[i]) {
				t.Fatalf("the way back does not pass step %d", i)
			}
		}
	}
	if s := explore.Rebase(dense, explore.State{Moment: explore.Moment{X: from.X, Front: -1, Anchor: explore.Anchor{Kind: explore.AnchorFront}}}); s.Front < 0 {
		t.Error("a point between does not follow a new front")
	}
}

func samePlace(a, b explore.State) bool { return slices.Equal(a.X, b.X) && a.Front == b.Front }

func TestFavourGivesMoreOfTheTask(t *testing.T) {
	a := analysis(t, exploretest.Options{Minimize: true})
	for task := range a.Tasks {
		s := explore.Start(a)
		s.Task = task
		for range 5 {
			before := a.Front[s.Front].Predicted[task].Value
			next, note := explore.Apply(a, s, explore.Move{Kind: explore.Favour, N: 1})
			if note.Code == explore.NoteEnd {
				break
			}
			if after := a.Front[next.Front].Predicted[task].Value; !a.Tasks[task].Better(after, before) {
				t.Fatalf("%s: from %.4f to %.4f", a.Tasks[task].Name, before, after)
			}
			s = next
		}
	}
}

func TestFloorsAreKeptByFavour(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	s := explore.Start(a)
	s, note := explore.Apply(a, s, explore.Move{Kind: explore.Floor, N: 1, Value: 0.75})
	if note.Code != explore.NoteNone || !s.Holds(a, a.Predict(s.X)) {
		t.Fatalf("floor: %+v, holds %v", note, s.Holds(a, a.Predict(s.X)))
	}
	for range 100 {
		s, note = explore.Apply(a, s, explore.Move{Kind: explore.Favour, N: 1})
		if !s.Holds(a, a.Predict(s.X)) {
			t.Fatalf("favouring rotated broke the floor: mirrored %.3f", a.Predict(s.X)[1].Value)
		}
	}
	if note.Code != explore.NoteEnd {
		t.Errorf("never came to an end: %+v", note)
	}
}

func TestFloorsThatNoPointSatisfies(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	s := explore.Start(a)
	s, _ = explore.Apply(a, s, explore.Move{Kind: explore.Floor, N: 0, Value: 0.5})
	s, note := explore.Apply(a, s, explore.Move{Kind: explore.Floor, N: 1, Value: 0.99})
	if note.Code != explore.NoteInfeasible {
		t.Fatalf("note %+v", note)
	}
	if r := explore.Read(a, s); r.Infeasible == "" || len(r.Broken) == 0 {
		t.Errorf("readout %+v", r)
	}
	s, _ = explore.Apply(a, s, explore.Move{Kind: explore.Floor, N: 1, Value: math.NaN()})
	if r := explore.Read(a, s); r.Infeasible != "" || len(r.Broken) != 0 {
		t.Errorf("after the floor was taken away: %+v", r)
	}
}

func TestProportionsKeepAddingUpToOne(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	b := *a
	b.Space.Simplex = [][]int{{0, 1, 2}}
	s, _ := explore.Apply(&b, explore.Start(&b), explore.Move{Kind: explore.Go, X: []float64{0, 0, 1}})
	for _, v := range []float64{0.4, 0.9, 0, 1, 0.25} {
		s, _ = explore.Apply(&b, s, explore.Move{Kind: explore.Turn, Value: v})
		if sum := s.X[0] + s.X[1] + s.X[2]; math.Abs(sum-1) > 1e-12 || s.X[0] != v {
			t.Errorf("%v adds up to %g", s.X, sum)
		}
	}
	want := []float64{0.25, 0.25, 0.5}
	if s, _ = explore.Apply(&b, s, explore.Move{Kind: explore.Go, X: []float64{1, 1, 2}}); !slices.Equal(s.X, want) {
		t.Errorf("gone to 1 : 1 : 2 it stands at %v, want %v", s.X, want)
	}
	if stay, note := explore.Apply(&b, s, explore.Move{Kind: explore.Go, X: []float64{-1, 1, 2}}); !slices.Equal(stay.X, want) || note.Code != explore.NoteNothing || !strings.Contains(note.Text, "expected 0 or more") {
		t.Errorf("gone to a negative proportion it stands at %v (%+v), want to stay, and why", stay.X, note)
	}
	stored := explore.State{Moment: explore.Moment{X: []float64{2, 2, 4}, Front: -1, Pins: []explore.Pin{{Name: "old", X: []float64{1, 0, 1}}}}}
	if s := explore.Rebase(&b, stored); !slices.Equal(s.X, want) || !slices.Equal(s.Pins[0].X, []float64{0.5, 0, 0.5}) {
		t.Errorf("an earlier session comes back at %v with a pin at %v, want %v and .5 : 0 : .5", s.X, s.Pins[0].X, want)
	}
	names := b.Space.Coefficients
	c, err := explore.Choose(&b, explore.Preference{At: map[string]float64{names[0].Name: 3, names[1].Name: 3, names[2].Name: 6}})
	if err != nil || !slices.Equal(c.X, want) {
		t.Errorf("chosen at 3 : 3 : 6: %v (%v), want %v", c.X, err, want)
	}
	if _, err := explore.Choose(&b, explore.Preference{At: map[string]float64{}}); err == nil || !strings.Contains(err.Error(), "are all 0") {
		t.Errorf("of no proportions: %v, want them refused", err)
	}
}

func TestWhatIfSaysWhatDominatesIt(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	s := explore.Start(a)
	s.Coefficient = 0
	s, _ = explore.Apply(a, s, explore.Move{Kind: explore.Turn, Value: 0})
	r := explore.Read(a, s)
	if r.Name != "what if" || s.Front != -1 || r.Dominator < 0 || r.Better == "" {
		t.Errorf("readout %+v", r)
	}
	s, _ = explore.Apply(a, s, explore.Move{Kind: explore.Return})
	if s.Front < 0 {
		t.Error("not back on the front")
	}
}

func TestRebaseFollowsTheAnchor(t *testing.T) {
	small, large := analysis(t, exploretest.Options{Trials: 12, FrontSize: 40}), analysis(t, exploretest.Options{FrontSize: 300})
	s := explore.Rebase(large, explore.Start(small))
	if s.Front != large.Knee {
		t.Errorf("left the knee: %d, expected %d", s.Front, large.Knee)
	}
	s, _ = explore.Apply(small, explore.Start(small), explore.Move{Kind: explore.Turn, Value: 0.123})
	if got := explore.Rebase(large, s); !reflect.DeepEqual(got.X, s.X) {
		t.Errorf("coefficients that somebody set moved from %v to %v", s.X, got.X)
	}
	s, _ = explore.Apply(small, explore.Start(small), explore.Move{Kind: explore.Walk, N: 1})
	if got := explore.Rebase(large, s); got.Front < 0 {
		t.Error("fell off the front")
	}
	other := analysis(t, exploretest.Options{Tasks: []string{"math", "code"}})
	if got := explore.Rebase(other, s); len(got.X) != 2 || got.Front != other.Knee {
		t.Errorf("another space: %+v", got)
	}
}

func TestEncodedStateComesBack(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	s := explore.Start(a)
	for _, m := range []explore.Move{
		{Kind: explore.Walk, N: 1},
		{Kind: explore.Keep},
		{Kind: explore.Floor, N: 0, Value: 0.6},
		{Kind: explore.Nudge, Value: 0.01},
		{Kind: explore.TurnX, N: 1},
		{Kind: explore.BrushTo, Name: "rotated", Lo: 0.5, Hi: 0.9},
	} {
		s, _ = explore.Apply(a, s, m)
	}
	b, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := explore.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if got = explore.Rebase(a, got); !reflect.DeepEqual(plain(t, got), plain(t, s)) {
		t.Errorf("came back as\n%s\nexpected\n%s", plain(t, got), plain(t, s))
	}
	for _, bad := range []string{"", "{", `{"version":99}`, `{"version":1,"state":3}`} {
		if _, err := explore.Decode([]byte(bad)); code(err) != explore.BadView {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

var kinds = []explore.MoveKind{
	explore.Walk, explore.Favour, explore.Visit, explore.Edge, explore.Go, explore.GoFront, explore.GoKnee, explore.Return,
	explore.Nudge, explore.Turn, explore.Floor, explore.Weigh, explore.Aspire, explore.ClearPreferences, explore.Keep, explore.Unpin,
	explore.BrushTo, explore.SelectTask, explore.SelectCoefficient, explore.TurnX, explore.TurnY, explore.TurnColour,
	explore.Undo, explore.Redo,
}

// Whatever is done in whatever order: moves change nothing that they were given, the point in hand has
// the right length and agrees with its place on the front, undo leads back, and states can be stored.
func TestAnyMoves(t *testing.T) {
	full := analysis(t, exploretest.Options{Floor: 0.8, FrontSize: 60})
	rapid.Check(t, func(t *rapid.T) {
		s := explore.Start(full)
		for range rapid.IntRange(1, 30).Draw(t, "moves") {
			m := explore.Move{
				Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), N: rapid.IntRange(-3, 5).Draw(t, "n"),
				Value: rapid.OneOf(rapid.Float64Range(-2, 2), rapid.Just(math.NaN()), rapid.Just(math.Inf(1))).Draw(t, "value"),
				Name:  rapid.SampledFrom([]string{"", "pin 1", "rotated"}).Draw(t, "name"),
				Lo:    rapid.Float64Range(0, 1).Draw(t, "lo"), Hi: rapid.Float64Range(0, 1).Draw(t, "hi"),
				X: rapid.SliceOfN(rapid.Float64Range(0, 1.2), 3, 3).Draw(t, "x"),
			}
			before := plain(t, s)
			next, _ := explore.Apply(full, s, m)
			if after := plain(t, s); before != after {
				t.Fatalf("%+v changed what it was given from\n%s\nto\n%s", m, before, after)
			}
			if len(next.X) != 3 || next.Front >= len(full.Front) {
				t.Fatalf("%+v: stands at %v, point %d", m, next.X, next.Front)
			}
			if next.Front >= 0 && !reflect.DeepEqual(next.X, full.Front[next.Front].X) {
				t.Fatalf("%+v: at %v, the front point is %v", m, next.X, full.Front[next.Front].X)
			}
			if len(next.Past) > len(s.Past) && m.Kind != explore.Redo {
				undone, _ := explore.Apply(full, next, explore.Move{Kind: explore.Undo})
				if !reflect.DeepEqual(undone.X, s.X) || !reflect.DeepEqual(undone.Floors, s.Floors) {
					t.Fatalf("%+v: undone leads to %v, expected %v", m, undone.X, s.X)
				}
			}
			explore.Read(full, next)
			s = next
		}
	})
}

func plain(t interface{ Fatal(...any) }, s explore.State) string {
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

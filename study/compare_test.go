package study

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"parfait/evaluator"
)

// byHand is a study of gain, which is maximised, and loss, which is minimised, with these trials (gain, loss); the
// first anchors of them are anchors.
func byHand(name string, anchors int, trials ...[2]float64) *Snapshot {
	tasks := []Task{{Name: "gain", Role: Objective, Sense: Maximize}, {Name: "loss", Role: Objective, Sense: Minimize}}
	a := &Analysis{Tasks: tasks, Objectives: []int{0, 1}}
	for i, t := range trials {
		a.Trials = append(a.Trials, Trial{ID: i + 1, State: evaluator.Done, Metrics: evaluator.Metrics{
			"gain": {Value: t[0], Stderr: 0.5, N: 100}, "loss": {Value: t[1], Stderr: 0.5, N: 100},
		}})
		if i < anchors {
			a.References = append(a.References, Reference{Trial: i})
		}
	}
	a.References = append(a.References, Reference{Name: "not measured", Trial: -1})
	a.Front = []FrontPoint{{Predicted: []Prediction{{Value: 11}, {Value: 0}}}}
	return &Snapshot{Name: name, Dir: "/studies/" + name + ".study", Spec: &Spec{Method: MethodSpec{Name: "ties"}, Search: SearchSpec{Strategy: "adaptive", Seed: 1}}, Tasks: tasks, Analysis: a}
}

// reversed has the tasks in another order, and a guard before them.
func reversed(s *Snapshot) *Snapshot {
	s.Tasks = []Task{{Name: "guard", Role: Guard, Sense: Maximize}, s.Tasks[1], s.Tasks[0]}
	s.Analysis.Tasks, s.Analysis.Objectives = s.Tasks, []int{1, 2}
	for i := range s.Analysis.Front {
		p := s.Analysis.Front[i].Predicted
		s.Analysis.Front[i].Predicted = []Prediction{{}, p[1], p[0]}
	}
	return s
}

func TestCompareByHand(t *testing.T) {
	// Anchors have gains from 1 to 11 and losses from 0 to 10: the reference point is (0, 11), and (11, 0) the best,
	// a box of 11 by 11.
	a := byHand("a", 2, [2]float64{1, 0}, [2]float64{11, 10}, [2]float64{6, 5})
	b := reversed(byHand("b", 1, [2]float64{1, 0}, [2]float64{6, 3}, [2]float64{0.5, 12}))
	c := byHand("c", 1, [2]float64{1, 0}, [2]float64{4, 8})
	c.Spec = &Spec{Method: MethodSpec{Name: "linear"}, Search: SearchSpec{Strategy: "adaptive", Seed: 1}}
	a.Weights, b.Weights = map[string]string{"base": "aaaaaaaaaa"}, map[string]string{"base": "bbbbbbbbbb"}
	c.Analysis.Trials[0].Metrics["loss"] = Metric{Value: 0, Stderr: 0.5, N: 50}

	got, err := Compare(t.Context(), []*Snapshot{a, b, c})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Ref, []float64{0, 11}) || !slices.Equal(got.Ideal, []float64{11, 0}) || got.Front != 3 {
		t.Errorf("from %v to %v, a front of %d; want (0, 11), (11, 0) and 3", got.Ref, got.Ideal, got.Front)
	}
	for i, want := range []struct {
		volume, epsilon, igd, early float64
		own                         int
	}{
		{46. / 121, 2. / 11, 2. / 33, 21. / 121, 2}, // 11 + 5·6 + 5·1; 2 of loss behind (6, 3)
		{51. / 121, 5. / 11, 5. / 33, 51. / 121, 2}, // 11 + 5·8; 5 of gain behind (11, 10)
		{20. / 121, 7. / 11, (5. + 7) / 33, 20. / 121, 1},
	} {
		s := got.Studies[i]
		m := s.Measured
		for _, v := range [][2]float64{{m.Volume, want.volume}, {m.Epsilon, want.epsilon}, {s.Early, want.early}, {s.Predicted, 1}} {
			if math.Abs(v[0]-v[1]) > 1e-12 {
				t.Errorf("%s: %v, want %v of %+v", s.Name, v[0], v[1], want)
			}
		}
		if math.Abs(m.IGDPlus-want.igd) > 1e-12 || m.Contributed != want.own {
			t.Errorf("%s: IGD+ %v, %d points of its own; want %v, %d", s.Name, m.IGDPlus, m.Contributed, want.igd, want.own)
		}
	}
	if best := got.Studies[1].Best; best[0].Value != 6 || best[0].Trial != 2 || best[0].Stderr != 0.5 || best[1].Value != 0 || best[1].Trial != 1 {
		t.Errorf("the best of b: %+v", best)
	}
	var levels []int
	for k, want := range []struct {
		points [][]float64
		volume float64
	}{
		{[][]float64{{11, 10}, {6, 3}, {1, 0}}, 56. / 121}, // 11 + 5·8 + 5·1
		{[][]float64{{6, 5}, {1, 0}}, 41. / 121},           // 11 + 3·6 + 2·6
		{[][]float64{{4, 8}, {1, 0}}, 20. / 121},           // 11 + 3·3
	} {
		s := got.Surfaces[k]
		levels = append(levels, s.Level)
		if !reflect.DeepEqual(s.Points, want.points) || math.Abs(s.Volume-want.volume) > 1e-12 {
			t.Errorf("attained by %d: %v, %v; want %v, %v", s.Level, s.Points, s.Volume, want.points, want.volume)
		}
	}
	if !slices.Equal(levels, []int{1, 2, 3}) {
		t.Errorf("levels %v", levels)
	}

	// c has fewer trials, and fewer items of one task: of the three nothing can be said.
	want := []Obstacle{
		{What: "the numbers of trials differ", Who: "3 (a, b), 2 (c)", Fix: "raise the budget of those with fewer (search.budget in study.yaml)"},
		{What: "the numbers of items differ", Tasks: []string{"loss"}, Who: "100 (a, b), 50 to 100 (c)", Fix: "measure all of them on the same items, in a new study: what was measured stays as it is"},
	}
	if o := got.Obstacles(); !reflect.DeepEqual(o, want) || !slices.Equal(got.Even(), []string{"a", "b"}) {
		t.Errorf("obstacles %+v but for %v, want %+v but for a and b", o, got.Even(), want)
	}
	if got.Leaders() != nil || got.LeadersOn(0) != nil || got.LeadersOn(1) != nil {
		t.Errorf("leaders %v, %v and %v, want none", got.Leaders(), got.LeadersOn(0), got.LeadersOn(1))
	}
	if math.IsNaN(got.Ahead[0][1]) || !math.IsNaN(got.Ahead[0][2]) || !math.IsNaN(got.Ahead[2][1]) {
		t.Errorf("ahead %v, want shares of a and b alone", got.Ahead)
	}
	pair, err := Compare(t.Context(), []*Snapshot{a, b})
	if err != nil || len(pair.Obstacles()) > 0 {
		t.Fatalf("obstacles %+v of two alike studies (%v)", pair.Obstacles(), err)
	}
	// A gain of 11 is beyond two standard errors of 6; the losses are equal.
	if l := pair.LeadersOn(0); !slices.Equal(l, []int{0}) {
		t.Errorf("leaders on gain: %v, want a", l)
	}
	if l := pair.LeadersOn(1); !slices.Equal(l, []int{0, 1}) {
		t.Errorf("leaders on loss: %v, want both", l)
	}
	// b is ahead by 5 of 121, of which noise makes about 6.
	if l := pair.Leaders(); !slices.Equal(l, []int{1, 0}) {
		t.Errorf("leaders: %v, with %v, want b and a", l, pair.Ahead)
	}
	differ, notes := strings.Join(got.Differ, "\n"), strings.Join(got.Notes, "\n")
	if differ != "method: ties (a, b), linear (c)" {
		t.Errorf("asked for differently: %s", differ)
	}
	for _, want := range []string{"first 2 of each: 17.4 % (a), 42.1 % (b), 16.5 % (c)", "base models are not the same: aaaaaaaa (a), bbbbbbbb (b)"} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes do not say %q:\n%s", want, notes)
		}
	}
}

func TestCompareSaysWhatIsTheSame(t *testing.T) {
	a, b := byHand("a", 0, [2]float64{1, 0}, [2]float64{3, 4}), byHand("b", 0, [2]float64{1, 0}, [2]float64{3, 4})
	got, err := Compare(t.Context(), []*Snapshot{a, b})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "a and b have measured the same") || got.Surfaces != nil || len(got.Differ) > 0 {
		t.Errorf("notes %v, differences %v, surfaces %v", got.Notes, got.Differ, got.Surfaces)
	}
	// Without anchors the worst measurement counts: (1, 4), less a tenth of 2 and 4.
	if math.Abs(got.Ref[0]-0.8) > 1e-12 || math.Abs(got.Ref[1]-4.4) > 1e-12 {
		t.Errorf("reference point %v", got.Ref)
	}
}

func TestCompareRefuses(t *testing.T) {
	a, b, c := byHand("a", 0, [2]float64{1, 0}), byHand("b", 0, [2]float64{1, 0}), byHand("c", 0, [2]float64{1, 0})
	b.Tasks = []Task{{Name: "gain", Role: Objective, Sense: Minimize}, {Name: "loss", Role: Guard, Sense: Minimize}, {Name: "free", Role: Guard}}
	c.Tasks = append(slices.Clone(c.Tasks), Task{Name: "more", Role: Objective, Sense: Maximize}, Task{Name: "free", Role: Info})
	_, err := Compare(t.Context(), []*Snapshot{a, b, c})
	if CodeOf(err) != CodeInput {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{
		"gain: optimised (maximize) in a, c; optimised (minimize) in b",
		"loss: guard in b; optimised (minimize) in a, c",
		"more: optimised (maximize) in c; unknown in a, b",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("it does not say %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "free") {
		t.Errorf("guards may differ:\n%v", err)
	}
	if _, err := Compare(t.Context(), []*Snapshot{a, a}); CodeOf(err) != CodeInput {
		t.Errorf("a study with itself: %v", err)
	}
	if _, err := Compare(t.Context(), []*Snapshot{a, byHand("none", 0)}); CodeOf(err) != CodeTooFew {
		t.Errorf("a study without trials: %v", err)
	}
}

func TestDistinctNames(t *testing.T) {
	got := distinctNames([]*Snapshot{{Name: "x", Dir: "/p/a/x.study"}, {Name: "x", Dir: "/q/a/x.study"}, {Name: "x", Dir: "/q/b/x.study"}, {Name: "y", Dir: "/q/a/y"}})
	if !slices.Equal(got, []string{"p/a/x", "q/a/x", "b/x", "y"}) {
		t.Errorf("%v, want as many folders as tell them apart", got)
	}
}

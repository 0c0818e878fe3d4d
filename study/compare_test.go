package study

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"parfait/evaluator"
	"parfait/surrogate"
)

// byHand is a study of gain, which is maximised, and loss, which is minimised, with these trials (gain, loss); the
// first anchors of them are anchors.
func byHand(name string, anchors int, trials ...[2]float64) *Snapshot {
	tasks := []Task{{Name: "gain", Role: Objective, Sense: Maximize}, {Name: "loss", Role: Objective, Sense: Minimize}}
	a := &Analysis{Tasks: tasks, Objectives: []int{0, 1}}
	truth := [2]byTrial{{std: 0.5}, {std: 0.5}}
	for i, t := range trials {
		truth[0].mean, truth[1].mean = append(truth[0].mean, t[0]), append(truth[1].mean, t[1])
		a.Trials = append(a.Trials, Trial{ID: i + 1, X: []float64{float64(i)}, State: evaluator.Done, Metrics: evaluator.Metrics{
			"gain": {Value: t[0], Stderr: 0.5, N: 100}, "loss": {Value: t[1], Stderr: 0.5, N: 100},
		}})
		if i < anchors {
			a.References = append(a.References, Reference{Trial: i})
		}
	}
	for k, task := range tasks {
		a.Fits = append(a.Fits, Fit{Task: task.Name, Surrogate: truth[k]})
	}
	a.References = append(a.References, Reference{Name: "not measured", Trial: -1})
	a.Front = []FrontPoint{{Predicted: []Prediction{{Value: 11}, {Value: 0}}}}
	return &Snapshot{Name: name, Dir: "/studies/" + name + ".study", Spec: &Spec{Method: MethodSpec{Name: "ties"}, Search: SearchSpec{Strategy: "adaptive", Seed: 1}}, Tasks: tasks, Analysis: a}
}

// byTrial is a surrogate that knows what is true of each trial, whose coefficient is its number, but for a standard
// deviation.
type byTrial struct {
	surrogate.Surrogate
	mean []float64
	std  float64
}

func (b byTrial) Joint(xs [][]float64) ([]float64, *mat.SymDense) {
	mean, cov := make([]float64, len(xs)), mat.NewSymDense(len(xs), nil)
	for i, x := range xs {
		mean[i] = b.mean[int(x[0])]
		cov.SetSym(i, i, b.std*b.std)
	}
	return mean, cov
}

// reversed has the tasks in another order, and a guard before them.
func reversed(s *Snapshot) *Snapshot {
	s.Tasks = []Task{{Name: "guard", Role: Guard, Sense: Maximize}, s.Tasks[1], s.Tasks[0]}
	s.Analysis.Tasks, s.Analysis.Objectives = s.Tasks, []int{1, 2}
	s.Analysis.Fits = []Fit{{}, s.Analysis.Fits[1], s.Analysis.Fits[0]}
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

	// b is ahead of a by 5 of 121, of which noise makes about 6, and both are far ahead of c.
	if l := got.Fronts; !slices.Equal(l.Order, []int{1, 0, 2}) || !slices.Equal(l.Leaders, []int{1, 0}) || l.Ahead[1][0] < 0.6 || l.Ahead[1][0] > 0.9 || l.Ahead[1][2] < 0.99 {
		t.Errorf("fronts: %+v, want b before a, which noise cannot tell from it, and c behind", l)
	}
	// A gain of 11 is far beyond 6 and 4; the losses are equal.
	if l := got.On[0]; !slices.Equal(l.Leaders, []int{0}) || math.Abs(l.Value[0]-11) > 0.1 {
		t.Errorf("on gain: %+v, want a by itself at 11", l)
	}
	if l := got.On[1]; len(l.Leaders) != 3 || math.Abs(l.Value[0]) > 0.1 {
		t.Errorf("on loss: %+v, want all at 0", l)
	}
	differ, notes := strings.Join(got.Differ, "\n"), strings.Join(got.Notes, "\n")
	if differ != "method: ties (a, b), linear (c)" {
		t.Errorf("asked for differently: %s", differ)
	}
	for _, want := range []string{"first 2 of each: 17.4 % (a), 42.1 % (b), 16.5 % (c)", "the numbers of items of loss differ, 100 (a, b), 50 to 100 (c): the luck of the items is counted", "base models are not the same: aaaaaaaa (a), bbbbbbbb (b)"} {
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

// Of many studies that are alike one is called worse as seldom as of two, however many are compared.
func TestStudiesThatAreAlike(t *testing.T) {
	const trials = 300
	for _, n := range []int{2, 6} {
		called := 0
		for seed := range trials {
			r := rand.New(rand.NewPCG(uint64(seed), 7))
			draws := make([][]float64, NoiseDraws)
			for d := range draws {
				draws[d] = make([]float64, n)
			}
			for i := range n {
				mean := r.NormFloat64() // off by as much as the draws scatter
				for d := range draws {
					draws[d][i] = mean + r.NormFloat64()
				}
			}
			if s := judged(draws, falseClaim); len(s.Leaders) < n {
				called++
			}
		}
		if share := float64(called) / trials; share > 0.08 {
			t.Errorf("of %d studies that are alike one is called worse in %.3f of all cases, want about %.2f", n, share, falseClaim)
		}
	}
}

func TestStandingOfTies(t *testing.T) {
	s := judged([][]float64{{1, 1, 0}, {1, 1, 0}, {1, 1, 0}}, falseClaim)
	if !slices.Equal(s.Leaders, []int{0, 1}) || s.Ahead[0][1] != 0.5 || math.Abs(s.Ahead[0][2]-1) > 1e-9 {
		t.Errorf("%+v, want the first two, each ahead in half of the draws, and the third behind", s)
	}
}

func TestSeeds(t *testing.T) {
	c := &Comparison{}
	add := func(strategy string, volumes ...float64) {
		for _, v := range volumes {
			c.Studies = append(c.Studies, Contestant{Name: fmt.Sprint(strategy, len(c.Studies)), Snapshot: &Snapshot{Spec: &Spec{Search: SearchSpec{Strategy: strategy, Seed: uint64(len(c.Studies))}}}})
			c.Fronts.Value = append(c.Fronts.Value, v)
		}
	}
	add("adaptive", .9, .8, .85, .95)
	add("random", .5, .6, .55, .4)
	add("map", .7)
	c.group()
	if len(c.Groups) != 3 || c.Groups[0].Name != "adaptive" || c.Groups[2].Name != "map8" || !slices.Equal(c.Groups[1].Studies, []int{4, 5, 6, 7}) {
		t.Fatalf("groups %+v", c.Groups)
	}
	// All 16 pairs are won: 2 of 70 orders are as far apart, of three tests. A single run against four is never sure.
	if s := c.Seeds[0]; s.A != 0 || s.B != 1 || s.Share != 1 || math.Abs(s.P-3*2./70) > 1e-12 || len(c.Seeds) != 3 {
		t.Errorf("%+v, want the first better in all pairs, p %.4f", c.Seeds, 3*2./70)
	}
	c = &Comparison{}
	add("adaptive", .9, .8, .85, .95)
	add("random", .5, .6, .55, .4)
	if c.group(); len(c.Seeds) != 1 || math.Abs(c.Seeds[0].P-2./70) > 1e-12 || !c.Seeds[0].Sure() {
		t.Errorf("%+v, want p %.4f", c.Seeds, 2./70)
	}
}

package search

import (
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"parfait/problem"
)

var threeTasks = []Task{{Name: "a", Maximize: true, Optimise: true}, {Name: "b", Maximize: true, Optimise: true}, {Name: "c", Optimise: true}}

func aimed(t testing.TB, tasks []Task, w Wishes, from, width []float64) *Aim {
	t.Helper()
	a, err := NewAim(tasks, w, from, width)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// bestOf is the row of the largest achievement.
func bestOf(a *Aim, ys [][]float64) []float64 {
	best := ys[0]
	for _, y := range ys {
		if a.Achievement(y) > a.Achievement(best) {
			best = y
		}
	}
	return best
}

// Where more of a task would cost the others, the best merge has just what is aspired to, and the others the rest.
func TestAimReachesWhatIsAspiredToAndNoMore(t *testing.T) {
	var ys [][]float64 // on the quarter of a circle, with c = 1 − b
	for i := range 201 {
		angle := math.Pi / 2 * float64(i) / 200
		ys = append(ys, []float64{math.Sin(angle), math.Cos(angle), 1 - math.Cos(angle)})
	}
	for _, want := range []float64{0.3, 0.5, 0.9, 0.95} {
		a := aimed(t, threeTasks, Wishes{Aspire: map[string]float64{"a": want}}, []float64{0, 0, 1}, []float64{1, 1, 1})
		if got := bestOf(a, ys); got[0] < want || got[0] > want+0.01 {
			t.Errorf("aspired to a of %.2f: the best has %.3f", want, got[0])
		}
	}
	a := aimed(t, threeTasks, Wishes{Aspire: map[string]float64{"a": 2}}, []float64{0, 0, 1}, []float64{1, 1, 1})
	if got := bestOf(a, ys); got[0] < 0.999 {
		t.Errorf("aspired to more than there is of a: the best has %.4f of 1", got[0])
	}
}

func TestAimPutsFloorsFirst(t *testing.T) {
	w := Wishes{Floors: []Floor{{Task: "b", Least: true, Value: 0.5}, {Task: "c", Value: 0.6}}, Aspire: map[string]float64{"a": 0.9}}
	a := aimed(t, threeTasks, w, []float64{0, 0, 1}, []float64{1, 1, 1})
	kept, near, high := []float64{0.2, 0.5, 0.6}, []float64{0.6, 0.5, 0.6}, []float64{1, 0.4, 0.1}
	if !(a.Achievement(near) > a.Achievement(kept)) || !(a.Achievement(kept) > a.Achievement(high)) {
		t.Errorf("achievements %g, %g, %g: want the nearest to the aspiration of those that keep the floors, the other, and last the one that breaks one",
			a.Achievement(near), a.Achievement(kept), a.Achievement(high))
	}
	if a.Reached(near) || !a.Reached([]float64{0.9, 0.5, 0.6}) {
		t.Error("reached is what keeps all floors and all aspirations, and nothing else")
	}
	if got := a.Achievement([]float64{1, math.NaN(), 0}); !math.IsInf(got, -1) {
		t.Errorf("a floor of which nothing is known: achievement %g, want −Inf", got)
	}
}

func TestAimWeighs(t *testing.T) {
	ys := [][]float64{{1, 0, 1}, {0, 1, 1}, {0.45, 0.45, 1}}
	for name, c := range map[string]struct {
		weights map[string]float64
		want    int
	}{
		"a": {map[string]float64{"a": 2, "b": 1}, 0}, "b": {map[string]float64{"a": 1, "b": 2}, 1}, "balanced": {nil, 2},
	} {
		a := aimed(t, threeTasks, Wishes{Weights: c.weights}, []float64{0, 0, 1}, []float64{1, 1, 1})
		if got := bestOf(a, ys); !slices.Equal(got, ys[c.want]) {
			t.Errorf("%s: the best is %v, want %v", name, got, ys[c.want])
		}
	}
}

// Neither the units nor the order of the tasks change what is best.
func TestAimKnowsNoUnits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Float64Range(-2, 2)
		y := []float64{value.Draw(t, "a"), value.Draw(t, "b"), value.Draw(t, "c")}
		from, width := []float64{0, 0.5, 1}, []float64{1, 2, 0.5}
		w := Wishes{Aspire: map[string]float64{"a": value.Draw(t, "aspire")}, Floors: []Floor{{Task: "c", Value: value.Draw(t, "floor")}}}
		a, err := NewAim(threeTasks, w, from, width)
		scale := rapid.Float64Range(0.01, 100).Draw(t, "scale")
		scaled := func(v []float64) []float64 { return []float64{v[2] * scale, v[1], v[0] * scale} }
		tasks := []Task{threeTasks[2], threeTasks[1], threeTasks[0]}
		b, err2 := NewAim(tasks, Wishes{Aspire: map[string]float64{"a": w.Aspire["a"] * scale}, Floors: []Floor{{Task: "c", Value: w.Floors[0].Value * scale}}}, scaled(from), scaled(width))
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if p, q := a.Achievement(y), b.Achievement(scaled(y)); math.Abs(p-q) > 1e-9*max(1, math.Abs(p)) {
			t.Fatalf("achievement %g, and %g in other units and another order", p, q)
		}
	})
}

func TestAimRefusesWhatMakesNoSense(t *testing.T) {
	w := Wishes{Floors: []Floor{{Task: "x"}}, Aspire: map[string]float64{"y": 1}, Weights: map[string]float64{"a": -1}}
	_, err := NewAim(threeTasks, w, make([]float64, 3), []float64{1, 1, 1})
	var found problem.List
	if errors.As(err, &found); len(found) != 4 {
		t.Errorf("%v: want the two unknown tasks, the weight, and that none is above 0, all at once", err)
	}
	if _, err := NewAim(threeTasks, Wishes{Weights: map[string]float64{"a": 0}}, make([]float64, 3), []float64{1, 1, 1}); err == nil {
		t.Error("weights that are all 0 are taken")
	}
}

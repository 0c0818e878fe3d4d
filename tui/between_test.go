package tui

import (
	"context"
	"errors"
	"strings"
	"testing"

	"parfait/explore/exploretest"
	"parfait/search"
	"parfait/study"
)

// grown is a merge tree of four models, made by hand: one pair is decided, the other is being measured.
func grown(snap *study.Snapshot, done bool) []*search.Branch {
	names := taskNames(snap.Tasks)
	leaf := func(i int) *search.Branch {
		x := make([]float64, len(snap.Space.Coefficients))
		x[i] = 1
		return &search.Branch{Name: names[i], X: x, Tasks: []string{names[i]}}
	}
	a := &search.Branch{
		Name: "(" + names[0] + " + " + names[1] + ")", Round: 1, Parts: []*search.Branch{leaf(0), leaf(1)}, At: [2]float64{0.6, 0.52},
		X: []float64{0.6, 0.52, 0, 0}, Tasks: names[:2], Measured: 20, Wanted: 20,
	}
	b := &search.Branch{Name: "(" + names[2] + " + " + names[3] + ")", Round: 1, Parts: []*search.Branch{leaf(2), leaf(3)}, Tasks: names[2:4], Measured: 7, Wanted: 20}
	if !done {
		return []*search.Branch{a, b}
	}
	b.X, b.At, b.Measured = []float64{0, 0, 0.7, 0.31}, [2]float64{0.7, 0.31}, 20
	return []*search.Branch{{
		Name: "(" + a.Name + " + " + b.Name + ")", Round: 2, Parts: []*search.Branch{a, b}, At: [2]float64{0.8, 0.5},
		X: []float64{0.48, 0.416, 0.35, 0.155}, Tasks: names[:4], Measured: 20, Wanted: 20,
	}}
}

func nestedStudy(t *testing.T, w, h int, done bool) *driver {
	t.Helper()
	d := drive(t, exploretest.Options{Trials: 34, Running: 2, Strategy: "nested", Tasks: []string{"math", "code", "law", "medicine"}}, w, h)
	d.e.treeOf = func(_ context.Context, s *study.Snapshot) ([]*search.Branch, error) { return grown(s, done), nil }
	return d
}

func TestBetweenTheModels(t *testing.T) {
	var barriers, tree sheet
	for _, size := range sizes {
		d := drive(t, exploretest.Options{Trials: 12, Budget: 12, Strategy: "barrier"}, size[0], size[1])
		d.press("5")
		barriers.addAt("barriers", size, d.pane())
		d.press("down right")
		barriers.addAt("the next one of the next task", size, d.pane())

		d = nestedStudy(t, size[0], size[1], false)
		d.press("5")
		tree.addAt("begun", size, d.pane())
		d = nestedStudy(t, size[0], size[1], true)
		d.press("5 down")
		tree.addAt("done", size, d.pane())
	}
	golden(t, "models-barriers", barriers.String())
	golden(t, "models-tree", tree.String())
}

// What is not there yet says when it will be, and what cannot be says why.
func TestBetweenTheModelsEmpty(t *testing.T) {
	d := drive(t, exploretest.Options{Strategy: "barrier"}, 80, 24)
	d.press("5")
	d.sees("nothing is measured between two models yet", "not measured yet")
	d = drive(t, exploretest.Options{Strategy: "nested"}, 80, 24)
	d.press("5")
	d.sees("Next: rotated, mirrored and upside_down alone")
	d = drive(t, states["sampling"], 80, 24)
	d.press("5 T")
	d.sees("the strategy adaptive builds no tree")
	d.press("B")
	d.sees("the strategy barrier does that")
	d.e.treeOf = func(context.Context, *study.Snapshot) ([]*search.Branch, error) { panic("a tree fell") }
	its[*modelsView](d.e).between.asked = betweenKey{}
	d.e.snap.Spec.Search.Strategy = "nested"
	d.press("5 T")
	d.sees("a tree fell")
	d.e.treeOf = func(context.Context, *study.Snapshot) ([]*search.Branch, error) {
		return nil, errors.New("no fit")
	}
	its[*modelsView](d.e).between.asked = betweenKey{}
	d.press("5")
	d.sees("no fit")
}

// A finished trial that was measured once more, while nobody looked, is looked at again.
func TestBetweenTheModelsIsOfAllMeasurements(t *testing.T) {
	d := drive(t, exploretest.Options{Trials: 12, Budget: 12, Strategy: "nested"}, 120, 36)
	built := 0
	d.e.treeOf = func(context.Context, *study.Snapshot) ([]*search.Branch, error) { built++; return nil, nil }
	d.press("5")
	before := built
	d.press("1 5")
	if built != before {
		t.Fatalf("built %d times, want the %d of before", built, before)
	}
	again := &d.e.snap.Trials[2]
	again.Measurements = append(again.Measurements, study.Measurement{Metrics: again.Metrics})
	d.press("1 5")
	if built != before+1 {
		t.Errorf("built %d times, want once more than %d", built, before)
	}
}

// What is selected there can be taken in hand, and v leads through all pictures and back.
func TestTakeFromBetween(t *testing.T) {
	d := drive(t, exploretest.Options{Trials: 12, Budget: 12, Strategy: "barrier"}, 120, 36)
	d.press("5 down right t")
	d.sees("the bottom of the barrier between rotated and upside_down is in hand")
	if x := d.e.state.X; x[0] != 0.5 || x[2] != 0.5 {
		t.Errorf("%v is in hand, want the middle of the line", x)
	}
	d = nestedStudy(t, 120, 36, false)
	d.press("5 t")
	if x := d.e.state.X; x[0] != 0.6 || x[1] != 0.52 {
		t.Errorf("%v is in hand, want the winner of the pair", x)
	}
	d.press("down down down t")
	d.sees("nothing is decided there yet")
	first := its[*modelsView](d.e).page(d.e)
	seen := map[string]bool{}
	for range 2 {
		d.press("v")
		seen[strings.SplitN(d.text(), "\n", 4)[2]] = true
	}
	if its[*modelsView](d.e).page(d.e) != first || len(seen) != 2 {
		t.Errorf("v led through %v, want two pictures and back", seen)
	}
}

// The palette leads there too, and what is shown there is worked out.
func TestThePaletteLeadsToBetween(t *testing.T) {
	d := nestedStudy(t, 80, 24, false)
	d.press(":")
	d.write("which pairs")
	d.press("enter")
	d.sees("(math + code)")
	d = drive(t, exploretest.Options{Trials: 12, Budget: 12, Strategy: "barrier"}, 80, 24)
	d.press(":")
	d.write("which pairs")
	d.sees("builds no tree: nested does")
}

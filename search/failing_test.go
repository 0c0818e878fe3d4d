package search

import (
	"context"
	"math"
	"slices"
	"testing"

	"parfait/surrogate"
)

// Merges break in a corner: the evaluator reports NaN, and the trial fails. The search keeps out of it, and the
// front neither goes there nor believes what is predicted there.
func TestMergesThatBreakInACorner(t *testing.T) {
	space := box(2, 0, 1)
	tasks := []Task{
		{Name: "a", Link: surrogate.Identity, Maximize: true, Optimise: true},
		{Name: "b", Link: surrogate.Identity, Maximize: true, Optimise: true},
	}
	breaks := func(x []float64) bool { return x[0]+x[1] > 1.3 }
	for _, name := range []string{"adaptive", "ehvi"} {
		s, err := New(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		var done []Point
		late := 0
		for b := range 10 {
			p, err := s.Ask(context.Background(), Question{Space: space, Tasks: tasks, Done: done, Batch: b, N: 4, Budget: 40, Asked: len(done), Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range p.Xs() {
				point := Point{X: x, Batch: b, Failed: breaks(x)}
				for k := range tasks { // more is better, up to what breaks
					point.Y = append(point.Y, Measurement{Value: math.Sqrt(x[k]) + 0.1*x[1-k]})
					if point.Failed {
						point.Y[k].Value = math.NaN()
					}
				}
				if done = append(done, point); point.Failed && b >= 4 {
					late++
				}
			}
		}
		if late > 12 {
			t.Errorf("%s: %d of the last 24 trials failed", name, late)
		}
		l, err := Fit(context.Background(), Question{Space: space, Tasks: tasks, Done: done})
		if err != nil {
			t.Fatal(err)
		}
		front, err := l.Front(context.Background(), 50)
		if err != nil || len(front) < 5 {
			t.Fatalf("%s: a front of %d points (%v)", name, len(front), err)
		}
		for _, x := range front {
			if x[0]+x[1] > 1.45 {
				t.Errorf("%s: the front goes to %v, where merges break", name, x)
			}
		}
		if l.Believed([]float64{0.95, 0.95}) || !l.Believed([]float64{0.25, 0.25}) {
			t.Errorf("%s: what breaks is believed, or what works is not: %.2f, %.2f", name, l.doubt([]float64{0.95, 0.95}), l.doubt([]float64{0.25, 0.25}))
		}
		for _, c := range []struct {
			x    []float64
			want Doubt
		}{{[]float64{0.95, 0.95}, Failing}, {[]float64{-1, -1}, Outside}, {[]float64{0.25, 0.25}, ""}} {
			if d := l.Doubt(c.x); d != c.want || (d == "") != l.Believed(c.x) {
				t.Errorf("%s: the doubt at %v is %q, want %q", name, c.x, d, c.want)
			}
		}
	}
}

// One failure among many coefficients shuts only its own surroundings.
func TestOneFailureAmongManyCoefficients(t *testing.T) {
	space := box(8, 0, 1)
	l := &Landscape{space: space}
	points := newRegion(space).whole().spread(60, 1)
	l.failed, l.worked = points[:1], points[1:]
	shut := 0
	for _, x := range newRegion(space).whole().spread(500, 2) {
		if l.failing(x, nearToAsk) > 0 {
			shut++
			if y := l.retreat(x); l.failing(y, nearToAsk) > 0 {
				t.Errorf("%v is still failing", y)
			}
		}
	}
	if shut == 0 || shut > 100 {
		t.Errorf("one failure of 60 shuts %d of 500 places", shut)
	}
}

// Few trials whose neighbours tell nothing of each other leave everything among them uncertain.
func TestWhatIsTooUncertainSaysSo(t *testing.T) {
	space := box(1, 0, 1)
	tasks := []Task{{Name: "a", Link: surrogate.Identity, Maximize: true, Optimise: true}}
	var points []Point
	for i, v := range []float64{0, 1, 0, 1, 0, 1, 0} {
		points = append(points, Point{X: []float64{float64(i) / 6}, Y: []Measurement{{Value: v, Stderr: 0.3}}})
	}
	l, err := Fit(context.Background(), Question{Space: space, Tasks: tasks, Done: points})
	if err != nil {
		t.Fatal(err)
	}
	if x := []float64{0.45}; l.Trust(0).Constant || l.Doubt(x) != Uncertain || l.Believed(x) {
		t.Errorf("the doubt is %q (%.2f), constant: %v", l.Doubt(x), l.doubt(x), l.Trust(0).Constant)
	}
}

// What was measured and is not dominated is known, however uncertain a fit is there: it is believed, and on the front.
func TestAFactIsBelieved(t *testing.T) {
	space := box(2, 0, 1)
	tasks := []Task{
		{Name: "a", Link: surrogate.Identity, Maximize: true, Optimise: true},
		{Name: "b", Link: surrogate.Identity, Maximize: true, Optimise: true},
	}
	done := []Point{{X: []float64{1, 0}, Y: []Measurement{{Value: 0.9}, {Value: 0.1}}}}
	for _, x := range newRegion(space).spread(12, 5) {
		for i := range x {
			x[i] *= 0.3
		}
		done = append(done, Point{X: x, Y: []Measurement{{Value: 0.2 + 0.1*math.Sin(40*x[0])}, {Value: 0.7 + 0.2*math.Cos(50*x[1])}}})
	}
	l, err := Fit(context.Background(), Question{Space: space, Tasks: tasks, Done: done})
	if err != nil {
		t.Fatal(err)
	}
	x := done[0].X
	if l.doubt(x) <= 0 && l.doubt([]float64{0.9, 0.05}) <= 0 {
		t.Fatalf("nothing is doubted at %v (%.2f) or beside it: this tests nothing", x, l.doubt(x))
	}
	front, err := l.Front(context.Background(), 20)
	if err != nil {
		t.Fatal(err)
	}
	if !l.Believed(x) || l.Doubt(x) != "" || !slices.ContainsFunc(front, func(p []float64) bool { return slices.Equal(p, x) }) {
		t.Errorf("%v was measured and is the best of a: doubt %q, the front is %v", x, l.Doubt(x), front)
	}
}

// The ends of a straight front, and of one that bends inwards, are the models alone, whose other task is at its floor: a
// foot that is reached by a slope is no collapse, and the front goes on to what was measured.
func TestTheFrontGoesOnToItsEnds(t *testing.T) {
	space := box(2, 0, 1.2)
	tasks := []Task{
		{Name: "a", Link: surrogate.Identity, Maximize: true, Optimise: true},
		{Name: "b", Link: surrogate.Identity, Maximize: true, Optimise: true},
	}
	for _, bend := range []float64{1, 2} {
		at := func(x []float64) (a, b float64) {
			sum := x[0] + x[1]
			left, part := max(0, 1-(sum-1)*(sum-1)), 0.5
			if sum > 0 {
				part = x[0] / sum
			}
			return 0.2 + 0.6*left*math.Pow(part, bend), 0.2 + 0.6*left*math.Pow(1-part, bend)
		}
		var done []Point
		xs := append(newRegion(space).spread(14, 5), []float64{0, 0}, []float64{0.5, 0.5}, []float64{1, 0}, []float64{0, 1}, []float64{1.2, 0}, []float64{0, 1.1}, []float64{1.2, 1.2})
		for _, x := range xs {
			a, b := at(x)
			done = append(done, Point{X: x, Y: []Measurement{{Value: a}, {Value: b}}})
		}
		l, err := Fit(context.Background(), Question{Space: space, Tasks: tasks, Done: done})
		if err != nil {
			t.Fatal(err)
		}
		front, err := l.Front(context.Background(), 50)
		if err != nil {
			t.Fatal(err)
		}
		for i := range tasks {
			most := 0.0
			for _, x := range front {
				most = max(most, l.Surrogate(i).Mean(nil, x))
			}
			if most < 0.78 {
				t.Errorf("bend %g: the front ends at %s %.3f, where .8 was measured", bend, tasks[i].Name, most)
			}
		}
		for _, x := range [][]float64{{1, 0}, {0, 1}} {
			if !l.Believed(x) {
				t.Errorf("bend %g: %v was measured, and is doubted: %s", bend, x, l.Doubt(x))
			}
		}
	}
}

// Where a task has collapsed nothing is believed, not even what was measured there and is best on another task.
func TestWhatHasCollapsedIsNoFact(t *testing.T) {
	space := box(2, 0, 1)
	tasks := []Task{
		{Name: "a", Link: surrogate.Identity, Maximize: true, Optimise: true},
		{Name: "b", Link: surrogate.Identity, Maximize: true, Optimise: true},
	}
	var done []Point
	for _, x := range newRegion(space).spread(40, 5) {
		b := 0.8 - 0.3*x[0]*x[1]
		if x[0] > 0.7 {
			b = 0.01
		}
		done = append(done, Point{X: x, Y: []Measurement{{Value: 0.2 + 0.5*x[0]}, {Value: b}}})
	}
	l, err := Fit(context.Background(), Question{Space: space, Tasks: tasks, Done: done})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range done {
		if p.X[0] > 0.75 && (l.Believed(p.X) || l.Doubt(p.X) != Collapsed) {
			t.Errorf("%v collapsed to %g, and the doubt there is %q", p.X, p.Y[1].Value, l.Doubt(p.X))
		}
	}
}

// One merge whose loss diverged: the front is that of the others, keeps away from it, and the space dominated is not
// counted from there.
func TestOneDivergedTrial(t *testing.T) {
	space := box(2, 0, 1)
	tasks := []Task{
		{Name: "rate", Link: surrogate.Identity, Maximize: true, Optimise: true},
		{Name: "loss", Link: surrogate.Log, Optimise: true},
	}
	var done []Point
	for i, x := range newRegion(space).spread(20, 3) {
		loss := 2 + (x[1]-0.6)*(x[1]-0.6) + 0.3*x[0]
		if i == 7 {
			loss = 5000
		}
		done = append(done, Point{X: x, Y: []Measurement{{Value: x[0] + 0.1*x[1]}, {Value: loss}}})
	}
	l, err := Fit(context.Background(), Question{Space: space, Tasks: tasks, Done: done})
	if err != nil {
		t.Fatal(err)
	}
	if q2 := l.Trust(1).Q2; q2 < 0.95 {
		t.Errorf("Q² is %.2f, want that of the others", q2)
	}
	if d := l.Doubt(done[7].X); d != Astray {
		t.Errorf("the doubt where it diverged is %q, want %q", d, Astray)
	}
	if l.ref[1] > 3 {
		t.Errorf("the volume is counted from a loss of %g", l.ref[1])
	}
	front, err := l.Front(context.Background(), 50)
	if err != nil || len(front) < 20 {
		t.Fatalf("a front of %d points (%v), want most of 50", len(front), err)
	}
	for _, x := range front {
		if m := l.Surrogate(1).Mean(nil, x); m < 1.9 || m > 2.6 {
			t.Errorf("a loss of %g is predicted at %v, where all that hold are between 2 and 2.5", m, x)
		}
	}
}

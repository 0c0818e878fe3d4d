package search

import (
	"context"
	"math"
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
		if err != nil || len(front) < 10 {
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

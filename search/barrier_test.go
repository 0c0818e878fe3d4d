package search

import (
	"context"
	"errors"
	"math"
	"testing"
)

// A line with a hole of known depth in its middle, one without, and one that fails at its end.
func TestBarriers(t *testing.T) {
	space := box(3, 0, 1)
	space.Simplex = [][]int{{0, 1, 2}}
	tasks := []Task{{Name: "rate", Maximize: true, Optimise: true}, {Name: "loss", Optimise: true}}
	g := game{space: space, tasks: tasks, batch: 4, measure: func(x []float64) Point {
		hole := 4 * x[0] * x[1] * 0.3 // 0.3 in the middle between the first two
		return Point{Y: []Measurement{{Value: 0.6*x[0] + 0.8*x[1] + 0.7*x[2] - hole}, {Value: 1 + x[1] + 5*hole}}}
	}}
	done, stop := g.play(t, barrier{points: 5})
	if len(done) != 3+3*3 {
		t.Errorf("%d points, want the ends of three lines and three points on each: %s", len(done), stop)
	}
	barriers := func() (known []Barrier) {
		lines, err := Lines(Question{Space: space, Tasks: tasks, Done: done})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			for i, task := range tasks {
				if b, ok := l.Barrier(i, task); ok {
					known = append(known, b)
				}
			}
		}
		return known
	}
	got := barriers()
	if len(got) != 6 {
		t.Fatalf("%d barriers of three lines and two tasks", len(got))
	}
	for _, b := range got {
		want := 0.0
		if b.A == "m0" && b.B == "m1" {
			want = map[string]float64{"rate": 0.3, "loss": 1.5}[b.Task]
		}
		if math.Abs(b.Height-want) > 1e-9 || want > 0 && b.At != 0.5 {
			t.Errorf("%+v, want a height of %g", b, want)
		}
	}
	for k := range done {
		if done[k].X[2] == 1 {
			done[k].Failed = true
		}
	}
	if got = barriers(); len(got) != 2 {
		t.Errorf("%v, want only the line whose ends were measured", got)
	}
}

func TestBarrierNeedsTwoModels(t *testing.T) {
	s := strategyOf(t, "barrier", map[string]any{"points": 7})
	_, err := s.Ask(context.Background(), Question{Space: box(1, 0, 1), Tasks: rates(1), N: 4, Budget: 20})
	var e *Error
	if !errors.As(err, &e) || e.Code != BadQuestion {
		t.Errorf("%v, expected %s", err, BadQuestion)
	}
	// Task arithmetic adds up to averages where coefficients sum to one; a box has the same lines.
	g := game{space: box(2, 0, 1.2), tasks: rates(2), batch: 3, budget: 30, measure: measure}
	if done, _ := g.play(t, s); len(done) != 7 {
		t.Errorf("%d points on a line of 7", len(done))
	}
}

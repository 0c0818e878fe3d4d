package search

import (
	"context"
	"math"
	"testing"
)

// TestRatesAreTheSlopeOfTheFront: where two tasks are traded, the rate by gradients is the slope between the
// neighbours on the predicted front;
// guards are not traded.
func TestRatesAreTheSlopeOfTheFront(t *testing.T) {
	space, tasks := box(2, 0, 1.2), rates(3)
	tasks[2].Optimise = false
	var done []Point
	for _, x := range newRegion(space).whole().spread(40, 1) {
		p := measure(x)
		p.Y = append(p.Y, Measurement{Value: 0.2 + 0.3*x[0] + 0.1*x[1]})
		done = append(done, p)
	}
	l, err := Fit(context.Background(), Question{Space: space, Tasks: tasks, Done: done})
	if err != nil {
		t.Fatal(err)
	}
	front, err := l.Front(context.Background(), 400)
	if err != nil {
		t.Fatal(err)
	}
	at := func(x []float64, task int) float64 {
		m, _ := l.Surrogate(task).Predict(x)
		return m
	}
	checked := 0
	for k := 100; k+100 < len(front); k += 20 {
		a, x, b := front[k-2], front[k], front[k+2]
		r, err := l.Rates(x)
		if err != nil {
			t.Fatal(err)
		}
		want := (at(b, 1) - at(a, 1)) / (at(b, 0) - at(a, 0))
		if got := r[0][1]; math.Abs(got-want) > 0.02+0.05*math.Abs(want) {
			t.Errorf("point %d: task 1 changes by %.3f for one of task 0, by the front's slope %.3f", k, got, want)
		}
		if math.Abs(r[0][0]-1) > 1e-9 {
			t.Errorf("point %d: task 0 changes by %v for one of itself", k, r[0][0])
		}
		if !math.IsNaN(r[2][0]) || !math.IsNaN(r[0][2]) {
			t.Errorf("point %d: a guard is traded: %v", k, r[2])
		}
		checked++
	}
	if checked == 0 {
		t.Fatalf("a front of %d points", len(front))
	}
}

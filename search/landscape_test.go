package search

import (
	"context"
	"fmt"
	"math"
	"testing"

	"parfait/surrogate"
)

func box(d int, lo, hi float64) Space {
	var s Space
	for i := range d {
		name := fmt.Sprintf("m%d", i)
		s.Coefficients = append(s.Coefficients, Coefficient{Name: name, Model: name, Lo: lo, Hi: hi, Kind: Scaling})
	}
	return s
}

// hills has one task a coefficient: task i likes coefficient i and suffers from the others.
func hills(x []float64) []float64 {
	y := make([]float64, len(x))
	for i := range y {
		eta := -0.5 + 4*x[i] - 2*x[i]*x[i]
		for j, v := range x {
			if j != i {
				eta -= 0.3*v + 0.9*v*v + 0.4*v*x[i]
			}
		}
		y[i] = 1 / (1 + math.Exp(-eta))
	}
	return y
}

func rates(d int) []Task {
	tasks := make([]Task, d)
	for i := range tasks {
		tasks[i] = Task{Name: fmt.Sprintf("t%d", i), Link: surrogate.Logit, Maximize: true, Optimise: true}
	}
	return tasks
}

func measure(x []float64) Point {
	p := Point{X: x}
	for _, v := range hills(x) {
		p.Y = append(p.Y, Measurement{Value: v})
	}
	return p
}

func TestDesignSupportsAQuadratic(t *testing.T) {
	for d, n := range map[int]int{1: 8, 2: 10, 3: 20, 4: 30} {
		t.Run(fmt.Sprint(d), func(t *testing.T) {
			points, _ := game{space: box(d, 0, 1.2), tasks: rates(d), budget: n, batch: 4, seed: 1, measure: measure}.play(t, design{})
			l, err := Fit(context.Background(), Question{Space: box(d, 0, 1.2), Tasks: rates(d), Done: points})
			if err != nil {
				t.Fatal(err)
			}
			for i := range rates(d) {
				var ss, se, mean float64
				test := halton(500, d, 99)
				for _, x := range test {
					for j := range x {
						x[j] *= 1.2
					}
					mean += hills(x)[i] / 500
				}
				for _, x := range test {
					m, _ := l.Surrogate(i).Predict(x)
					y := hills(x)[i]
					se += (y - m) * (y - m)
					ss += (y - mean) * (y - mean)
				}
				if r2, q2 := 1-se/ss, l.Trust(i).Q2; r2 < 0.99 || q2 < 0.95 {
					t.Errorf("task %d: R² %.3f at 500 other places and Q² %.3f after %d trials, want .99 and .95", i, r2, q2, n)
				}
			}
		})
	}
}

// A loss of 0 has no logarithm: where nobody chose the link, the task is fitted on its own scale from then on, and on
// that of the logarithm for as long as it can be.
func TestAutoLink(t *testing.T) {
	fit := func(link surrogate.Link, floor float64) (*Landscape, error) {
		var points []Point
		for _, u := range halton(20, 1, 1) {
			points = append(points, Point{X: u, Y: []Measurement{{Value: max(math.Exp(-3*u[0])-floor, 0)}}})
		}
		return Fit(t.Context(), Question{Space: box(1, 0, 1), Tasks: []Task{{Name: "harm", Link: link, Optimise: true}}, Done: points})
	}
	positive, err := fit(surrogate.Auto, 0)
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := fit(surrogate.Log, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []float64{0, 0.5, 1} {
		if a, _ := positive.Surrogate(0).Predict([]float64{at}); a != first(chosen.Surrogate(0).Predict([]float64{at})) {
			t.Errorf("positive losses at %g: %g, want what the link log gives", at, a)
		}
	}
	zeros, err := fit(surrogate.Auto, 0.2)
	if err != nil {
		t.Fatalf("losses of 0: %v", err)
	}
	if v := first(zeros.Surrogate(0).Predict([]float64{0.2})); math.Abs(v-(math.Exp(-0.6)-0.2)) > 0.02 {
		t.Errorf("with losses of 0 elsewhere .349 is predicted as %g", v)
	}
	if _, err := fit(surrogate.Log, 0.2); err == nil {
		t.Error("the link log takes a loss of 0, want an error")
	}
}

func first(a, _ float64) float64 { return a }

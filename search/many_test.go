package search

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"parfait/surrogate"
)

// Eight models in eight groups each: 64 coefficients and 200 trials.
func TestSixtyFourCoefficients(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for long, in no other way than shorter tests")
	}
	var space Space
	for m := range 8 {
		for g := range 8 {
			name := fmt.Sprintf("m%d", m)
			space.Coefficients = append(space.Coefficients, Coefficient{
				Name: fmt.Sprintf("%s.g%d", name, g), Model: name, Group: fmt.Sprintf("g%d", g), Hi: 1.2, Kind: Scaling,
			})
		}
	}
	g := game{space: space, tasks: rates(2), budget: 200, batch: 64, seed: 1, measure: func(x []float64) Point {
		var p Point
		for t := range 2 {
			eta := -1.0
			for i, v := range x {
				eta += v * (0.15*math.Cos(float64(7*t+i)) + 0.05 - 0.06*v)
			}
			p.Y = append(p.Y, Measurement{Value: 1 / (1 + math.Exp(-eta)), N: 1000})
		}
		return p
	}}
	done, stop := g.play(t, strategyOf(t, "adaptive", nil))
	if len(done) != 200 {
		t.Fatalf("%d of 200 trials: %s", len(done), stop)
	}
	for _, n := range []int{40, 200} {
		l, err := Fit(context.Background(), Question{Space: space, Tasks: g.tasks, Done: done[:n]})
		if err != nil {
			t.Fatal(err)
		}
		for i := range g.tasks {
			trust := l.Trust(i)
			t.Logf("%d trials, task %d: %s Q² %.2f: %s", n, i, trust.Fitter, trust.Q2, trust.Note)
			if !strings.Contains(trust.Note, "out of reach") {
				t.Errorf("%d trials: a quadratic is out of reach, and it was not said: %q", n, trust.Note)
			}
			if n == 200 && trust.Q2 < 0.5 {
				t.Errorf("Q² %.2f after 200 trials", trust.Q2)
			}
		}
		front, err := l.Front(context.Background(), 20)
		if err != nil || len(front) == 0 || n == 200 && len(front) < 5 {
			t.Errorf("a front of %d points, %v", len(front), err)
		}
	}
	if trust := surrogateOf(t, space, g, done[:60]); !strings.Contains(trust.Note, "out of reach") {
		t.Errorf("quadratic: %q", trust.Note)
	}
}

func surrogateOf(t *testing.T, space Space, g game, points []Point) surrogate.Trust {
	t.Helper()
	l, err := Fit(context.Background(), Question{Space: space, Tasks: g.tasks, Done: points, Surrogate: surrogate.Choice{Kind: surrogate.KindQuadratic}})
	if err != nil {
		t.Fatal(err)
	}
	return l.Trust(0)
}

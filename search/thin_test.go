package search

import (
	"math/rand/v2"
	"testing"

	"parfait/surrogate"
)

// A study of thousands of evaluations, as evolution makes them, is still fitted in seconds: on the measured
// front and an even spread of the rest.
func TestThousandsOfPointsAreFittedOnAFew(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	space := Space{Coefficients: []Coefficient{{Name: "a", Hi: 1, Kind: Scaling, Model: "a"}, {Name: "b", Hi: 1, Kind: Scaling, Model: "b"}}}
	tasks := []Task{{Name: "t", Link: surrogate.Identity, Maximize: true, Optimise: true}, {Name: "u", Link: surrogate.Identity, Optimise: true}}
	var points []Point
	for i := range 3000 {
		x := []float64{random.Float64() * 0.2, random.Float64() * 0.2} // most in a corner
		if i%100 == 0 {
			x = []float64{random.Float64(), random.Float64()}
		}
		points = append(points, Point{
			X: x, Failed: i%10 == 9,
			Y: []Measurement{{Value: 1 - (x[0]-0.6)*(x[0]-0.6)}, {Value: x[0]*x[0] + (x[1]-0.4)*(x[1]-0.4)}},
		})
	}
	l := &Landscape{space: space, tasks: tasks, goals: []int{0, 1}}
	keep := l.thin(points)
	kept, rare := 0, 0
	for i, k := range keep {
		if k {
			kept++
			if points[i].Failed {
				t.Fatalf("point %d failed and is fitted", i)
			}
		}
		if i%100 == 0 && k {
			rare++
		}
	}
	if kept != maxFit || rare < 25 {
		t.Errorf("%d points kept, expected %d; of 30 that are far from the others %d, expected 25 or more", kept, maxFit, rare)
	}
	front := l.measuredFront(points)
	if len(front) > maxFit/2 {
		t.Fatalf("the front has %d points, which proves nothing", len(front))
	}
	for _, x := range front {
		found := false
		for i, k := range keep {
			found = found || k && space.same(points[i].X, x)
		}
		if !found {
			t.Errorf("%v is on the measured front and not fitted", x)
		}
	}
	for i, k := range l.thin(points[:maxFit]) {
		if k == points[i].Failed {
			t.Errorf("of few points %d is kept: %v", i, k)
		}
	}
}

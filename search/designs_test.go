package search

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// What is remembered of a design changes no answer: whatever was asked before, and however many ask at once.
func TestDesignsThatAreRemembered(t *testing.T) {
	t.Parallel()
	s := Space{Coefficients: []Coefficient{{Name: "a", Hi: 1, Kind: Scaling, Model: "a"}, {Name: "b", Hi: 1.2, Kind: Scaling, Model: "b"}, {Name: "c", Lo: -1, Hi: 1, Kind: Scaling, Model: "c"}}}
	random := rand.New(rand.NewPCG(1, 2))
	points := newRegion(s).spread(400, 5)
	fresh := func(seed uint64, points [][]float64) *optimal {
		o := newOptimal(newRegion(s), seed)
		for _, x := range points {
			o.add(x)
		}
		return o
	}
	var memory remembered
	for range 40 {
		seed, n := random.Uint64N(2), random.IntN(len(points))
		asked := slices.Clone(points[:n])
		if i := n - random.IntN(1+n); i < n { // one that has finished late
			asked = slices.Delete(asked, i, i+1)
		}
		got, err := memory.of(t.Context(), newRegion(s), seed, asked)
		if err != nil {
			t.Fatal(err)
		}
		want := fresh(seed, asked)
		if !reflect.DeepEqual(got.known, want.known) || !reflect.DeepEqual(got.mean, want.mean) || !reflect.DeepEqual(got.next(), want.next()) || !reflect.DeepEqual(got.taken, want.taken) {
			t.Fatalf("the design of %d points with seed %d is another than one that was grown from the first", len(asked), seed)
		}
		got.add(points[399]) // whoever asks grows its own
	}
	if n := len(memory.grown); n > designsKept {
		t.Errorf("%d designs are remembered, at most %d should be", n, designsKept)
	}
}

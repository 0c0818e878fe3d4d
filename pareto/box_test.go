package pareto

import (
	"testing"
)

// square is a box of 10 by 20.
var square = Box{Ideal: []float64{0, 100}, Ref: []float64{10, 120}}

func TestStandingsByHand(t *testing.T) {
	a := [][]float64{{2, 110}, {8, 104}}           // 8·10 + 2·6 of 200
	b := [][]float64{{2, 110}, {4, 104}, {9, 119}} // 8·10 + 6·6; the last is dominated
	got, front, err := square.Compare(t.Context(), [][][]float64{a, b})
	if err != nil {
		t.Fatal(err)
	}
	want := []Indicators{
		{Volume: 92. / 200, Epsilon: 0.3, IGDPlus: 0.15, Contributed: 1}, // to (4, 104): from (2, 110) 6/20, from (8, 104) 4/10
		{Volume: 116. / 200, Epsilon: 0, IGDPlus: 0, Contributed: 2},
	}
	if front != 2 {
		t.Errorf("the front of all has %d points, want 2", front)
	}
	for i, w := range want {
		g := got[i]
		if !near(g.Volume, w.Volume, 1e-12) || !near(g.Epsilon, w.Epsilon, 1e-12) || !near(g.IGDPlus, w.IGDPlus, 1e-12) || g.Contributed != w.Contributed {
			t.Errorf("set %d: %+v, want %+v", i, g, w)
		}
	}
	if v, err := square.Volume(t.Context(), [][]float64{{-10, 100}}); err != nil || !near(v, 2, 1e-12) {
		t.Errorf("better than the ideal point: %v, want 2", v)
	}
}

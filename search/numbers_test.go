package search

import (
	"slices"
	"strings"
	"testing"
)

// bounded is a space of models a, b and c, where some numbers are no coefficients.
func bounded(of []int, value float64) Space {
	s := Space{}
	for k, m := range []string{"a", "b", "c"} {
		s.All = append(s.All, Number{Name: m, Kind: Scaling, Model: m, Of: of[k], Value: value})
		if of[k] == len(s.Coefficients) {
			s.Coefficients = append(s.Coefficients, Coefficient{Name: m, Kind: Scaling, Model: m, Hi: 1.2})
		}
	}
	return s
}

// Models that share a coefficient are one to the search, and what is fixed is said wherever a merge is named.
func TestAnchorsOfWhatIsFixedAndTied(t *testing.T) {
	for _, c := range []struct {
		of    []int
		value float64
		want  string
	}{
		{[]int{0, 0, 1}, 0, "the base; the uniform average; all models at one half; a+b alone; c alone"},
		{[]int{0, 0, 0}, 0, "the base; the uniform average; all models at one half; a+b+c alone"},
		{[]int{0, 1, -1}, 0, "the base; the uniform average; all models at one half; a alone; b alone"},
		{[]int{0, 1, -1}, 0.5, "none of the models, beside what is fixed; the uniform average, beside what is fixed; all models at one half, beside what is fixed; a alone, beside what is fixed; b alone, beside what is fixed"},
	} {
		s := bounded(c.of, c.value)
		var got []string
		for _, p := range newRegion(s).anchors() {
			got = append(got, p.Why)
			if p.Why == "the uniform average" && p.X[0] != 0.333 {
				t.Errorf("the average of three models, %v of which have coefficients, is at %v, want a third", c.of, p.X)
			}
		}
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("with %v and the value %g the anchors are %s, want %s", c.of, c.value, text, c.want)
		}
	}
}

// Where groups tie two models only in part, all that scales either is one.
func TestUnitsOfModelsTiedInPart(t *testing.T) {
	s := Space{Coefficients: make([]Coefficient, 4), All: []Number{
		{Name: "a.x", Kind: Scaling, Model: "a", Of: 0},
		{Name: "b.x", Kind: Scaling, Model: "b", Of: 0},
		{Name: "c.x", Kind: Scaling, Model: "c", Of: 1},
		{Name: "a.y", Kind: Scaling, Model: "a", Of: 2},
		{Name: "b.y", Kind: Scaling, Model: "b", Of: 3},
		{Name: "c.y", Kind: Scaling, Model: "c", Of: -1, Value: 1},
	}}
	for i := range s.Coefficients {
		s.Coefficients[i] = Coefficient{Kind: Scaling, Hi: 1}
	}
	units := s.units()
	if len(units) != 2 || units[0].name != "a+b" || !slices.Equal(units[0].at, []int{0, 2, 3}) || units[1].name != "c" || !slices.Equal(units[1].at, []int{1}) {
		t.Errorf("the units are %+v, want a+b of 0, 2 and 3, and c of 1", units)
	}
	if own, ok := s.Alone("c"); !ok || !slices.Equal(own, []int{1}) {
		t.Errorf("c alone is %v, %v; half of it is fixed at 1, so that it is coefficient 1", own, ok)
	}
	if _, ok := s.Alone("a"); ok {
		t.Error("a is said to be had alone, and half of c is fixed at 1")
	}
}

package search

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// mixed has two sets of proportions with a coefficient of a box between them.
func mixed() Space {
	s := box(6, 0, 1)
	s.Coefficients[2] = Coefficient{Name: "density", Kind: Parameter, Lo: 0.1, Hi: 0.9}
	s.Simplex = [][]int{{0, 1}, {3, 4, 5}}
	return s
}

func TestNormal(t *testing.T) {
	for _, c := range []struct {
		x, want []float64
		wrong   []string
	}{
		{x: []float64{0.25, 0.75, 7, 0, 0, 1}, want: []float64{0.25, 0.75, 7, 0, 0, 1}},
		{x: []float64{0.05, 0.15, 0, 2, 2, 4}, want: []float64{0.25, 0.75, 0, 0.25, 0.25, 0.5}},
		{x: []float64{1, 2, 0, 1, 1, 1}, want: []float64{0.333333333333, 0.666666666667, 0, 0.333333333333, 0.333333333333, 0.333333333333}},
		{x: []float64{-1e-17, 1, 0, 0, 1, 0}, want: []float64{0, 1, 0, 0, 1, 0}},
		{x: []float64{1e308, 1e308, 0, 1e308, 1e308, 1e308}, want: []float64{0.5, 0.5, 0, 0.333333333333, 0.333333333333, 0.333333333333}},
		{x: []float64{5, 5, 0, 1e-320, 1e-320, 0}, want: []float64{0.5, 0.5, 0, 0.5, 0.5, 0}},
		{x: []float64{-0.2, 1.2, 0, 0, 0, 0}, wrong: []string{"m0 is -0.2: expected 0 or more", "m3, m4, m5 are all 0"}},
		{x: []float64{0, 0, 0.5, 0, 1, -1}, wrong: []string{"m0, m1 are all 0", "m5 is -1"}},
	} {
		given := slices.Clone(c.x)
		got, err := mixed().Normal(c.x)
		if !slices.Equal(got, c.want) || !slices.Equal(c.x, given) {
			t.Errorf("%v: %v, want %v, and what was given as it was: %v", given, got, c.want, c.x)
		}
		for _, want := range c.wrong {
			if e := (*Error)(nil); !errors.As(err, &e) || e.Code != BadPoint || !strings.Contains(e.What, want) {
				t.Errorf("%v: %v, want an error with %q", given, err, want)
			}
		}
	}
}

// What differs by a factor is one merge, and what is in its form stays as it is, to the bit.
func TestNormalIsOneForm(t *testing.T) {
	s := mixed()
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Float64Range(0.001, 5), 6, 6).Draw(t, "x")
		factor := rapid.Float64Range(0.01, 100).Draw(t, "factor")
		one, err := s.Normal(x)
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.Normal(one)
		if err != nil || &again[0] != &one[0] {
			t.Fatalf("%v is in its form, and becomes %v (%v)", one, again, err)
		}
		scaled := slices.Clone(x)
		for _, i := range s.Simplex[1] {
			scaled[i] *= factor
		}
		other, err := s.Normal(scaled)
		if err != nil {
			t.Fatal(err)
		}
		for i := range one {
			if math.Abs(one[i]-other[i]) > 2e-12 {
				t.Fatalf("%v and %v are one merge, and become %v and %v", x, scaled, one, other)
			}
		}
	})
}

package chart

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// wild draws numbers as they should and should not be.
func wild() *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.Float64Range(-2, 2), rapid.Float64(), rapid.Float64Range(1e9, 1e9+1),
		rapid.SampledFrom([]float64{
			0, math.Copysign(0, -1), 1, .5, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, 5e-324, 1e-300, 1e16, 1e16 + 2,
		}),
	)
}

func wildRange() *rapid.Generator[Range] {
	return rapid.Custom(func(t *rapid.T) Range { return Range{wild().Draw(t, "lo"), wild().Draw(t, "hi")} })
}

func TestUsableRangesAreFiniteAndLong(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := wildRange().Draw(t, "range")
		u := r.usable()
		if d := u.Hi - u.Lo; math.IsNaN(d) || math.IsInf(d, 0) || d == 0 {
			t.Fatalf("%v is made %v", r, u)
		}
		if again := u.usable(); again != u {
			t.Fatalf("%v is made %v, then %v", r, u, again)
		}
		if z := (Range{r.Lo, r.Lo}).usable(); !(z.Lo < z.Hi) {
			t.Fatalf("degenerate %v is made %v", r.Lo, z)
		}
		f := rapid.SampledFrom([]float64{2, .5, 1e9, 0, -1, math.NaN(), math.Inf(1)}).Draw(t, "factor")
		for _, moved := range []Range{r.Zoom(wild().Draw(t, "at"), f), r.Pan(f), r.Pad(f)} {
			if moved != (Range{}) && moved.usable() != moved {
				t.Fatalf("%v was moved to %v", r, moved)
			}
		}
	})
}

func TestMappingBackAndForth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Range{rapid.Float64Range(-1e6, 1e6).Draw(t, "lo"), rapid.Float64Range(-1e6, 1e6).Draw(t, "hi")}.usable()
		n := rapid.IntRange(1, 500).Draw(t, "cells")
		i := rapid.IntRange(0, n-1).Draw(t, "cell")
		if abs(r.Hi-r.Lo) < 1e-3 {
			return // cells of rounding errors
		}
		if j, ok := r.cell(r.center(i, n), n); !ok || j != i {
			t.Fatalf("the middle of cell %d of %d on %v is in cell %d, %v", i, n, r, j, ok)
		}
		at := rapid.Float64Range(0, 1).Draw(t, "t")
		if back := r.At(r.Value(at)); abs(back-at) > 1e-6 {
			t.Fatalf("%g on %v comes back as %g", at, r, back)
		}
		v := r.Value(at)
		if z := r.Zoom(v, 3); abs(z.At(v)-at) > 1e-3 {
			t.Fatalf("zooming moved %g from %g to %g", v, at, z.At(v))
		}
	})
}

func TestRangeOf(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, tt := range []struct {
		values []float64
		want   Range
	}{
		{nil, Range{}},
		{[]float64{nan, inf, -inf}, Range{}},
		{[]float64{3}, Range{3, 3}},
		{[]float64{nan, 3, -inf, 1}, Range{1, 3}},
	} {
		if got := RangeOf(tt.values...); got != tt.want {
			t.Errorf("RangeOf(%v) = %v, want %v", tt.values, got, tt.want)
		}
	}
}

func labels(ticks []Tick) []string {
	var s []string
	for _, t := range ticks {
		s = append(s, t.Label)
	}
	return s
}

func TestTicks(t *testing.T) {
	wide := func(label string) int { return Width(label) + xTickGap }
	for _, tt := range []struct {
		name   string
		r      Range
		format Format
		n      int
		want   []string
	}{
		{"rates", Range{.6, 1}, Rate, 70, []string{".60", ".65", ".70", ".75", ".80", ".85", ".90", ".95", "1.0"}},
		{"rates, less room", Range{.6, 1}, Rate, 30, []string{".6", ".7", ".8", ".9", "1.0"}},
		{"coefficients", Range{0, 1.2}, nil, 50, []string{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0", "1.2"}},
		{"backwards", Range{1.2, 0}, nil, 30, []string{"1.0", "0.5", "0.0"}},
		{"thirds", Range{.1, .7}, nil, 30, []string{"0.2", "0.4", "0.6"}},
		{"large", Range{0, 250_000}, nil, 40, []string{"0", "100k", "200k"}},
		{"beyond what is drawn", Range{0, 3e305}, nil, 40, []string{"0", "5e299", "1e300"}},
		{"tiny", Range{0, 3e-7}, SI, 30, []string{"0", "100n", "200n", "300n"}},
		{"negative", Range{-1, 1}, Rate, 20, []string{"-1", "0", "1"}},
		{"one cell", Range{0, 1}, nil, 1, []string{"0"}},
		{"no room", Range{0, 1}, nil, 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := labels(Ticks(tt.r, tt.format, tt.n, wide)); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTicksNeverOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := wildRange().Draw(t, "range")
		n := rapid.IntRange(0, 300).Draw(t, "cells")
		format := rapid.SampledFrom([]Format{nil, Plain, Rate, SI}).Draw(t, "format")
		need := func(label string) int { return Width(label) + 1 }
		ticks := Ticks(r, format, n, need)
		u := r.usable()
		last, seen := -1000, map[string]bool{}
		for _, tick := range ticks {
			i, ok := u.cell(tick.Value, n)
			if !ok || i-last < need(tick.Label) && last >= 0 {
				t.Fatalf("%q at cell %d (in view: %v) after cell %d of %d on %v", tick.Label, i, ok, last, n, r)
			}
			if seen[tick.Label] || tick.Label == "" {
				t.Fatalf("label %q twice or empty", tick.Label)
			}
			last, seen[tick.Label] = i, true
		}
	})
}

func TestFormats(t *testing.T) {
	for _, tt := range []struct {
		format  Format
		v, step float64
		want    string
	}{
		{Rate, .9, .05, ".90"},
		{Rate, 1, .05, "1.0"},
		{Rate, 1.05, .05, "1.05"},
		{Rate, -.05, .05, "-.05"},
		{Rate, 0, .05, ".00"},
		{Rate, .912, 0, ".912"},
		{Rate, -1e-9, .01, ".00"},
		{Rate, 12, .5, "12.0"},
		{Plain, 0, 0, "0"},
		{Plain, 8.25, 0, "8.25"},
		{Plain, 1234, 0, "1234"},
		{Plain, 1234567, 0, "1.23M"},
		{Plain, .00001234, 0, "12.3µ"},
		{Plain, math.Copysign(0, -1), .1, "0.0"},
		{SI, 999, 1, "999"},
		{SI, 1000, 100, "1.0k"},
		{SI, 1500000, 500000, "1.5M"},
		{SI, .0045, .0005, "4.5m"},
		{SI, 1e30, 0, "1e30"},
		{SI, math.NaN(), 0, "—"},
		{Plain, math.Inf(-1), 0, "-∞"},
		{Rate, math.Inf(1), 1, "∞"},
	} {
		if got := tt.format(tt.v, tt.step); got != tt.want {
			t.Errorf("%v with step %v is %q, want %q", tt.v, tt.step, got, tt.want)
		}
	}
}

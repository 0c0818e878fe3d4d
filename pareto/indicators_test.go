package pareto

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestIndicatorsKnownValues(t *testing.T) {
	// The examples of moocore's documentation.
	set := [][]float64{{3.5, 5.5}, {3.6, 4.1}, {4.1, 3.2}, {5.5, 1.5}}
	reference := [][]float64{{1, 6}, {2, 5}, {3, 4}, {4, 3}, {5, 2}, {6, 1}}
	if v := EpsilonAdditive(set, reference); v != 2.5 {
		t.Errorf("additive ε %v, want 2.5", v)
	}
	if v := EpsilonMultiplicative(set, reference); v != 3.5 {
		t.Errorf("multiplicative ε %v, want 3.5", v)
	}
	// By hand: a set that is off by (3, −4) has distance 5, and is worse by 3.
	if v := IGD([][]float64{{3, -4}}, [][]float64{{0, 0}}); v != 5 {
		t.Errorf("IGD %v, want 5", v)
	}
	if v := IGDPlus([][]float64{{3, -4}}, [][]float64{{0, 0}}); v != 3 {
		t.Errorf("IGD+ %v, want 3", v)
	}
	for _, f := range []func(a, b [][]float64) float64{IGD, IGDPlus, EpsilonAdditive} {
		if v := f(nil, reference); !math.IsInf(v, 1) {
			t.Errorf("of nothing: %v, want +Inf", v)
		}
		if v := f(set, nil); !math.IsNaN(v) {
			t.Errorf("towards nothing: %v, want NaN", v)
		}
	}
	if v := EpsilonMultiplicative([][]float64{{0, 1}}, reference); !math.IsNaN(v) {
		t.Errorf("multiplicative ε with a zero: %v, want NaN", v)
	}
}

func TestIndicatorsProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		m := rapid.IntRange(1, 5).Draw(t, "objectives")
		set, reference := cube(seed, 12, m), cube(seed+1, 9, m)
		shift := rapid.Float64Range(0, 2).Draw(t, "shift")
		moved := make([][]float64, len(set))
		for i, p := range set {
			for _, v := range p {
				moved[i] = append(moved[i], v+shift)
			}
		}
		if a, b := EpsilonAdditive(set, reference), EpsilonAdditive(moved, reference); !near(b, a+shift, 1e-12) {
			t.Fatalf("a shift by %v moves ε from %v to %v", shift, a, b)
		}
		if a, b := IGDPlus(set, reference), IGDPlus(moved, reference); b < a {
			t.Fatalf("a worse set has a better IGD+: %v, %v", a, b)
		}
		if a, b := IGD(set, reference), IGDPlus(set, reference); b > a+1e-12 {
			t.Fatalf("IGD+ %v above IGD %v", b, a)
		}
		all := append(slices.Clone(set), reference...)
		if IGD(all, reference) != 0 || IGDPlus(all, reference) != 0 || EpsilonAdditive(all, reference) > 0 {
			t.Fatal("a set that has the reference is not at zero")
		}
	})
}

func BenchmarkIndicators(b *testing.B) {
	set, reference := sphere(1, 500, 3), sphere(2, 500, 3)
	for name, f := range map[string]func(a, b [][]float64) float64{"igd": IGD, "igd+": IGDPlus, "eps": EpsilonAdditive} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f(set, reference)
			}
		})
	}
}

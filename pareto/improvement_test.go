package pareto

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestImprovementAgainstHypervolume(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		levels := rapid.IntRange(1, 6).Draw(t, "levels")
		points := grid(levels, 1, 6).Draw(t, "points")
		ref := slices.Repeat([]float64{float64(levels)}, len(points[0]))
		p := NewImprovement(points[1:], ref)
		want := Hypervolume(points, ref) - Hypervolume(points[1:], ref)
		if got := p.Of(points[0]); got != want {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

func TestFreeBoxesAreDisjointAndFew(t *testing.T) {
	c := shift(sphere(5, 300, 3), []float64{1, 1, 1})
	boxes := c.freeCells()
	if len(boxes) > 2*c.n()+1 {
		t.Errorf("%d boxes for %d points", len(boxes), c.n())
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		y := [3]float64{-rng.Float64() * 1.2, -rng.Float64() * 1.2, -rng.Float64() * 1.2}
		in := 0
		for _, b := range boxes {
			if y[0] >= b.lo[0] && y[0] < b.hi[0] && y[1] < b.hi[1] && y[2] >= b.lo[2] && y[2] < b.hi[2] {
				in++
			}
		}
		want := 1
		for i := range int32(c.n()) {
			if c.at(i, 0) <= y[0] && c.at(i, 1) <= y[1] && c.at(i, 2) <= y[2] {
				want = 0
			}
		}
		if in != want {
			t.Fatalf("%v is in %d boxes, want %d", y, in, want)
		}
	}
}

func TestExpectedKnownValues(t *testing.T) {
	for _, c := range readVectors(t).EHVI {
		if got := NewImprovement(c.Front, c.Ref).Expected(c.Mu, c.SD); !near(got, c.EHVI, 1e-11) {
			t.Errorf("%v at %v ± %v: %v, want %v", c.Front, c.Mu, c.SD, got, c.EHVI)
		}
	}
	// One objective: expected improvement, σ(zΦ(z) + φ(z)) with z = 1.
	want := 0.5 * (math.Erfc(-1/math.Sqrt2)/2 + math.Exp(-0.5)/math.Sqrt(2*math.Pi))
	if got := NewImprovement([][]float64{{1}}, []float64{2}).Expected([]float64{0.5}, []float64{0.5}); !near(got, want, 1e-12) {
		t.Errorf("expected improvement %v, want %v", got, want)
	}
	for _, bad := range []float64{
		NewImprovement(nil, nil).Expected(nil, nil),
		NewImprovement(nil, []float64{1, 1}).Expected([]float64{0}, []float64{1, 1}),
		NewImprovement(nil, []float64{1, 1, 1, 1}).Expected(make([]float64, 4), make([]float64, 4)),
	} {
		if !math.IsNaN(bad) {
			t.Errorf("out of its scope: %v, want NaN", bad)
		}
	}
}

func TestExpectedAgainstSampled(t *testing.T) {
	for m := 1; m <= 3; m++ {
		front, ref := sphere(3, 8, m), slices.Repeat([]float64{1.2}, m)
		mean, std := slices.Repeat([]float64{0.6}, m), []float64{0.2, 0.3, 0.1}[:m]
		p := NewImprovement(front, ref)
		sampled := p.Sampled(200000, 1, func(rng *rand.Rand, dst []float64) {
			for k := range dst {
				dst[k] = mean[k] + std[k]*rng.NormFloat64()
			}
		})
		if exact := p.Expected(mean, std); !near(sampled, exact, 2e-3) {
			t.Errorf("%d objectives: sampled %v, exact %v", m, sampled, exact)
		}
	}
}

func TestExpectedGradient(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.IntRange(1, 3).Draw(t, "objectives")
		seed := rapid.Uint64().Draw(t, "seed")
		front, ref := sphere(seed, 6, m), slices.Repeat([]float64{1.1}, m)
		at := cube(seed, 2, m)
		mean, std := at[0], at[1]
		for k := range std {
			std[k] = 0.1 + std[k]
		}
		p := NewImprovement(front, ref)
		dMean, dStd := make([]float64, m), make([]float64, m)
		p.ExpectedGradient(dMean, dStd, mean, std)
		const h = 1e-5
		for _, c := range []struct{ at, got []float64 }{{mean, dMean}, {std, dStd}} {
			for k := range c.at {
				v := c.at[k]
				c.at[k] = v + h
				up := p.Expected(mean, std)
				c.at[k] = v - h
				down := p.Expected(mean, std)
				c.at[k] = v
				if want := (up - down) / (2 * h); !near(c.got[k], want, 1e-7) {
					t.Fatalf("derivative %v, by differences %v", c.got[k], want)
				}
			}
		}
	})
}

func BenchmarkExpected(b *testing.B) {
	for m := 2; m <= 3; m++ {
		p := NewImprovement(sphere(1, 200, m), slices.Repeat([]float64{1.1}, m))
		mean, std := slices.Repeat([]float64{0.5}, m), slices.Repeat([]float64{0.1}, m)
		b.Run([]string{"", "", "2d-200", "3d-200"}[m], func(b *testing.B) {
			for b.Loop() {
				p.Expected(mean, std)
			}
		})
	}
}

package search

import (
	"math"
	"slices"
	"testing"

	"parfait/pareto"
)

// TestDominanceIndex compares with a look at every row, across blocks, with ties and infinities.
func TestDominanceIndex(t *testing.T) {
	rng := generator(1, 7)
	for _, n := range []int{0, 1, 63, 64, 65, blockRows, 2*blockRows + 37} {
		for _, m := range []int{1, 2, 5} {
			row := func() []float64 {
				f := make([]float64, m)
				for k := range f {
					f[k] = float64(rng.IntN(8))
				}
				if rng.IntN(20) == 0 {
					f[0] = math.Inf(1 - 2*rng.IntN(2))
				}
				return f
			}
			fs := make([][]float64, n)
			for i := range fs {
				fs[i] = row()
			}
			s := newDominanceIndex(fs)
			for range 200 {
				y := row()
				var want []int32
				for i, f := range fs {
					if weaklyDominates(f, y) {
						want = append(want, int32(i))
					}
				}
				if got := s.dominating(nil, y); !slices.Equal(got, want) {
					t.Fatalf("%d rows of %d: %v dominate %v, not %v", n, m, got, y, want)
				}
				if s.dominated(y) != (len(want) > 0) {
					t.Fatalf("%d rows of %d: whether any dominates %v", n, m, y)
				}
			}
		}
	}
}

// Of 18 objectives next to nothing of the box is dominated, and what rows have of the volume is still told: exact volumes
// are the reference.
func TestVolumesOfManyObjectives(t *testing.T) {
	rng := generator(1, 11)
	ref := make([]float64, 18)
	fs := make([][]float64, 16)
	for i := range fs {
		fs[i] = make([]float64, len(ref))
		for k := range ref {
			fs[i][k] = -0.2 - 0.8*rng.Float64()
		}
	}
	v, err := newMCHypervolume(t.Context(), fs, ref, 10000)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.probes) != 10000 {
		t.Fatalf("%d probes, want all of them: few draws of the box would hit", len(v.probes))
	}
	all := pareto.Hypervolume(fs, ref)
	for _, n := range []int{1, 4, 10} {
		had, of, some := newDominanceIndex(fs[:n]), 0.0, 0.0
		for j, y := range v.probes {
			of += v.weights[j]
			if had.dominated(y) {
				some += v.weights[j]
			}
		}
		if want := pareto.Hypervolume(fs[:n], ref) / all; math.Abs(some/of-want) > 0.03 {
			t.Errorf("%d rows have %.3f of the volume, counted %.3f", n, want, some/of)
		}
	}
	chosen, err := v.greedy(t.Context(), fs, nil, 5)
	if err != nil || len(chosen) != 5 {
		t.Fatalf("%d rows of 5: %v", len(chosen), err)
	}
	largest := 0.0
	for i := range fs {
		largest = max(largest, pareto.Hypervolume(fs[i:i+1], ref))
	}
	if first := pareto.Hypervolume([][]float64{fs[chosen[0]]}, ref); first < 0.9*largest {
		t.Errorf("the first row chosen has a volume of %.3g, the largest of one is %.3g", first, largest)
	}
}

func BenchmarkMCHypervolume(b *testing.B) {
	rng := generator(1, 9)
	fs := make([][]float64, 4000)
	for i := range fs {
		fs[i] = make([]float64, 8)
		norm := 0.0
		for k := range fs[i] {
			v := math.Abs(rng.NormFloat64())
			fs[i][k], norm = -v, norm+v*v
		}
		for k := range fs[i] {
			fs[i][k] /= math.Sqrt(norm)
		}
	}
	ref := make([]float64, 8)
	b.Run("draw", func(b *testing.B) {
		for b.Loop() {
			_, _ = newMCHypervolume(b.Context(), fs, ref, fineProbes)
		}
	})
	v, err := newMCHypervolume(b.Context(), fs, ref, fineProbes)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("greedy", func(b *testing.B) {
		for b.Loop() {
			_, _ = v.greedy(b.Context(), fs, nil, 250)
		}
	})
}

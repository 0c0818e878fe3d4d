package search

import (
	"math"
	"slices"
	"testing"
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
			_, _ = v.greedy(b.Context(), fs, 250, nil)
		}
	})
}

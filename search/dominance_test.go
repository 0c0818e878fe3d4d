package search

import (
	"math"
	"slices"
	"testing"
)

// TestShelfFindsWhatCovers compares with a look at every row, across blocks, with ties and infinities.
func TestShelfFindsWhatCovers(t *testing.T) {
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
			s := newShelf(fs)
			for range 200 {
				y := row()
				var want []int32
				for i, f := range fs {
					if covers(f, y) {
						want = append(want, int32(i))
					}
				}
				if got := s.covering(nil, y); !slices.Equal(got, want) {
					t.Fatalf("%d rows of %d: %v cover %v, not %v", n, m, got, y, want)
				}
				if s.covers(y) != (len(want) > 0) {
					t.Fatalf("%d rows of %d: whether any covers %v", n, m, y)
				}
			}
		}
	}
}

func BenchmarkVolume(b *testing.B) {
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
			newVolume(fs, ref, fineProbes)
		}
	})
	v := newVolume(fs, ref, fineProbes)
	b.Run("greedy", func(b *testing.B) {
		for b.Loop() {
			v.greedy(fs, 250, nil)
		}
	})
}

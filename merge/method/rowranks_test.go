package method

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRowRanks(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for _, row := range []int{1, 2, 7, shortRow, shortRow + 1, 3000} {
		narrow, wide := make([]float32, 2*row+row/2), make([]float64, 2*row+row/2)
		for e := range narrow {
			v := r.NormFloat64()
			if r.IntN(3) == 0 {
				v = float64(r.IntN(5) - 2) // equal magnitudes, and zeros
			}
			narrow[e], wide[e] = float32(v), v*1e-300
		}
		checkRanks(t, narrow, row)
		checkRanks(t, wide, row)
	}
}

// checkRanks compares with a plain sort of indices.
func checkRanks[F Float](t *testing.T, x []F, row int) {
	t.Helper()
	got := rankRows(x, row)
	for lo := 0; lo < len(x); lo += row {
		part := x[lo:min(lo+row, len(x))]
		order := make([]int, len(part))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int {
			switch x, y := max(part[a], -part[a]), max(part[b], -part[b]); {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return b - a
		})
		for rank, i := range order {
			if int(got[lo+i]) != rank {
				t.Fatalf("rows of %d: entry %d (%v) has rank %d, want %d", row, lo+i, part[i], got[lo+i], rank)
			}
		}
	}
}

func BenchmarkRowRanks(b *testing.B) {
	r := rand.New(rand.NewPCG(8, 8))
	x := make([]float32, 1<<17)
	for e := range x {
		x[e] = float32(r.NormFloat64())
	}
	b.SetBytes(int64(4 * len(x)))
	for b.Loop() {
		rankRows(x, 4096)
	}
}

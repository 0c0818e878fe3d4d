package method

import (
	"math"
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
	for what, draw := range map[string]func() float32{
		"zeros":              func() float32 { return 0 },
		"one magnitude":      func() float32 { return float32(1 - 2*r.IntN(2)) },
		"many octaves":       func() float32 { return float32(r.NormFloat64() * math.Exp(40*r.NormFloat64())) },
		"denormals":          func() float32 { return math.Float32frombits(uint32(r.IntN(4000))) },
		"one much larger":    func() float32 { return float32(1e-20+1e20*float64(r.IntN(600)/599)) * float32(r.NormFloat64()) },
		"near one magnitude": func() float32 { return math.Float32frombits(0x3f800000 + uint32(r.IntN(9))) },
		"halves of a byte":   func() float32 { return float32(r.IntN(256)-128) / 2 },
	} {
		x := make([]float32, 2*2500+3)
		for e := range x {
			x[e] = draw()
		}
		if !checkRanks(t, x, 2500) {
			t.Errorf("of %s the ranks are wrong, want those of a plain sort", what)
		}
	}
}

// checkRanks compares with a plain sort of indices.
func checkRanks[F Float](t *testing.T, x []F, row int) bool {
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
				t.Errorf("rows of %d: entry %d (%v) has rank %d, want %d", row, lo+i, part[i], got[lo+i], rank)
				return false
			}
		}
	}
	return true
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

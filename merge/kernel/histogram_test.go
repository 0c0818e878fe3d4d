package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// kth finds the k-th largest magnitude in all passes, counting in chunks and several histograms.
func kth[F float32 | float64](t fatal, x []F, format Format, k int64) (bits uint64, rest int64) {
	count := func(h *Histogram, x []F) {
		if format == F32 {
			h.Count(any(x).([]float32))
		} else {
			h.Count64(any(x).([]float64))
		}
	}
	h, rest := NewHistogram(format), k
	for passes := 1; ; passes++ {
		other := h.Like()
		cut := len(x) / 3
		count(h, x[:cut])
		count(other, x[cut:])
		h.Merge(other)
		if other.Total() != 0 {
			t.Fatalf("a merged histogram holds %d", other.Total())
		}
		var digit int
		digit, rest = h.Find(rest)
		if n := h.Equal(digit); rest < 1 || rest > n {
			t.Fatalf("rank %d among %d", rest, n)
		}
		bits = h.Bits(digit)
		child := h.Child(digit)
		if child == nil {
			if want := map[Format]int{F32: 2, F64: 4}[format]; passes != want {
				t.Fatalf("%d passes, expected %d", passes, want)
			}
			return bits, rest
		}
		h = child
	}
}

// TestHistogramFindsEveryRank against sorting, ties and zeros included.
func TestHistogramFindsEveryRank(t *testing.T) {
	for seed := range uint64(20) { // a histogram is a megabyte: too few for rapid
		r := rand.New(rand.NewPCG(seed, 0))
		x := randoms(r, 1+r.IntN(300), true)
		wide := make([]float64, len(x))
		for i := range x {
			if r.IntN(3) == 0 {
				x[i] = float32(r.IntN(3)-1) * 0.5 // ties
			}
			wide[i] = float64(x[i]) + float64(r.IntN(3))*0x1p-50
		}
		k := 1 + r.IntN(len(x))

		bits, rest := kth(t, x, F32, int64(k))
		sorted := slices.Clone(x)
		for i, v := range sorted {
			sorted[i] = -float32(math.Abs(float64(v)))
		}
		slices.Sort(sorted)
		want := -sorted[k-1]
		if got := math.Float32frombits(uint32(bits)); got != want {
			t.Fatalf("rank %d of %d: %v, expected %v", k, len(x), got, want)
		}
		if larger := int64(slices.Index(sorted, sorted[k-1])); rest != int64(k)-larger {
			t.Fatalf("rank %d: %d of those equal, expected %d", k, rest, int64(k)-larger)
		}

		bits, _ = kth(t, wide, F64, int64(k))
		for i, v := range wide {
			wide[i] = -math.Abs(v)
		}
		slices.Sort(wide)
		if got := math.Float64frombits(bits); got != -wide[k-1] {
			t.Fatalf("rank %d of %d: %v, expected %v", k, len(x), got, -wide[k-1])
		}
	}
}

// TestHistogramOverflow: lanes that are nearly full are emptied in time.
func TestHistogramOverflow(t *testing.T) {
	h := NewHistogram(F32)
	h.lanes[0][0], h.room = math.MaxUint32-1, 1
	h.Count([]float32{0, 0, 0, 0, 0})
	if got, want := h.Equal(0), int64(math.MaxUint32)+4; got != want {
		t.Errorf("%d counted, expected %d", got, want)
	}
}

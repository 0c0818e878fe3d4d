package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// tied is numbers of which many are equal and some are zeros.
func tied(r *rand.Rand, n int) []float32 {
	x := randoms(r, n, true)
	for i := range x {
		if r.IntN(2) == 0 {
			x[i] = float32(r.IntN(9)-4) * 0.25
		}
	}
	return x
}

// TestTrim: the k largest, lowest index first among equals, whatever the length.
func TestTrim(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		n := rapid.OneOf(rapid.IntRange(1, 100), rapid.IntRange(2000, 5000)).Draw(t, "n")
		x := tied(r, n)
		k := rapid.IntRange(1, n).Draw(t, "k")
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int {
			return int(math.Float32bits(x[b])&magnitude) - int(math.Float32bits(x[a])&magnitude)
		})
		want := make([]float32, n)
		for _, i := range order[:k] {
			want[i] = x[i]
		}
		threshold := math.Float32bits(x[order[k-1]]) & magnitude
		ties := int64(0)
		for _, i := range order[:k] {
			if math.Float32bits(x[i])&magnitude == threshold {
				ties++
			}
		}
		if got, all := CountEqual(x, threshold), CountEqual(x[:n/2], threshold)+CountEqual(x[n/2:], threshold); got != all || got < ties {
			t.Fatalf("%d equal, %d in two halves, %d among the largest", got, all, ties)
		}
		if kept := Trim(x, threshold, ties); kept != ties {
			t.Fatalf("kept %d of %d ties", kept, ties)
		}
		for i := range x {
			if math.Float32bits(x[i]) != math.Float32bits(want[i]) && !(x[i] == 0 && want[i] == 0) {
				t.Fatalf("element %d is %v, expected %v (threshold %v, %d ties)", i, x[i], want[i], math.Float32frombits(threshold), ties)
			}
		}
	})
}

// TestElect against the formulas, fast and generic, every tail.
func TestElect(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for n := range 120 {
		for models := 1; models <= 5; models++ {
			var xs [][]float32
			var weights, parts []float32
			for range models {
				xs = append(xs, tied(r, n))
				w := float32(r.Float64()*2 - .5)
				if r.IntN(4) == 0 {
					w = 0
				}
				weights, parts = append(weights, w), append(parts, float32(r.IntN(3)-1)*w)
			}
			for _, parts := range [][]float32{nil, parts} {
				got := make([]float32, n+1)
				got[n] = 42
				Elect(got[:n], xs, weights, parts)
				for j := range n {
					var elected, sum, share float32
					for i := range xs {
						if weights[i] != 0 {
							elected = float32(elected + float32(weights[i]*xs[i][j]))
						}
					}
					for i := range xs {
						x := xs[i][j]
						negative := (weights[i] < 0) != math.Signbit(float64(x))
						if weights[i] != 0 && x != 0 && negative == (elected < 0) {
							sum = float32(sum + float32(weights[i]*x))
							if parts != nil {
								share = float32(share + parts[i])
							}
						}
					}
					if parts != nil && !(share > -1e-8 && share < 1e-8) {
						sum /= share
					}
					if math.Float32bits(got[j]) != math.Float32bits(sum) {
						t.Fatalf("element %d of %d, %d models, parts %v: %v, expected %v", j, n, models, parts, got[j], sum)
					}
				}
				if got[n] != 42 {
					t.Fatal("an element outside was written")
				}
			}
		}
	}
	got := []float32{1, 2}
	Elect(got, [][]float32{nil}, []float32{0}, nil)
	if got[0] != 0 || got[1] != 0 {
		t.Errorf("no weights: %v", got)
	}
}

// TestPick: fast and generic pick what a comparison does, ends included.
func TestPick(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	half, one := math.Float32bits(.5), math.Float32bits(1)
	for n := range 100 {
		x := tied(r, n)
		for _, c := range [][2]uint32{{half, half + 1}, {half, one}, {half + 1, one + 1}, {0, half}, {0, 1 << 31}, {one, 1 << 31}, {half, half}} {
			var want []uint32
			beyond := int64(0)
			for _, v := range x {
				switch u := math.Float32bits(v) &^ (1 << 31); {
				case u >= c[1]:
					beyond++
				case u >= c[0]:
					want = append(want, u)
				}
			}
			got := make([]uint32, n+PickMargin)
			picked, above := Pick(got, x, c[0], c[1])
			if !slices.Equal(got[:picked], want) || above != beyond {
				t.Fatalf("Pick %x of %d: %x and %d above, expected %x and %d", c, n, got[:picked], above, want, beyond)
			}
			picked, above = pickGeneric(got, x, c[0], c[1])
			if !slices.Equal(got[:picked], want) || above != beyond {
				t.Fatalf("generic: pick %x of %d: %x and %d above, expected %x and %d", c, n, got[:picked], above, want, beyond)
			}
		}
	}
}

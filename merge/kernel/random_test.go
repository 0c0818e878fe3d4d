package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestPhiloxVectors: the known answers of Random123 (kat_vectors, philox4x32 7).
func TestPhiloxVectors(t *testing.T) {
	for _, c := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48}},
		{
			[4]uint32{math.MaxUint32, math.MaxUint32, math.MaxUint32, math.MaxUint32},
			[2]uint32{math.MaxUint32, math.MaxUint32},
			[4]uint32{0x5207ddc2, 0x45165e59, 0x4d8ee751, 0x8c52f662},
		},
		{
			[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
			[2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0x4dfccaba, 0x190a87f0, 0xc47362ba, 0xb6b5242a},
		},
	} {
		r := newRandom(c.key, [2]uint32{c.counter[2], c.counter[3]})
		n := uint64(c.counter[1])<<32 | uint64(c.counter[0])
		if got := r.block(n); got != c.want {
			t.Errorf("%x: %x, expected %x", c.counter, got, c.want)
		}
		var fast [64]uint32
		r.blocks(fast[:], n)
		if [4]uint32(fast[:4]) != c.want {
			t.Errorf("%x: %x, expected %x", c.counter, fast[:4], c.want)
		}
	}
}

// TestWordsOfASeed pins the words of a seed and names: recipes count on them for ever.
func TestWordsOfASeed(t *testing.T) {
	got := make([]uint32, 6)
	NewRandom(1, "math", "model.layers.0.mlp.weight").Words(got, 0)
	if want := []uint32{0x480bcea2, 0xb517f865, 0x8e3b3886, 0x3112b45e, 0x1b70d95, 0x49e4cf32}; !slices.Equal(got, want) {
		t.Errorf("words %#x, expected %#x", got, want)
	}
}

// TestWordsAreFreeOfChunks: any part is the same words as in one go, by every implementation.
func TestWordsAreFreeOfChunks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := NewRandom(rapid.Uint64().Draw(t, "seed"), rapid.String().Draw(t, "model"), rapid.String().Draw(t, "tensor"))
		start := rapid.OneOf(rapid.Int64Range(0, 100), rapid.Int64Range(1<<34-300, 1<<34), rapid.Int64Range(0, math.MaxInt64-1<<20)).Draw(t, "start")
		n := rapid.IntRange(0, 300).Draw(t, "n")
		got := make([]uint32, n+1)
		got[n] = 42
		r.Words(got[:n], start)
		for i := range n {
			at := start + int64(i)
			if want := r.block(uint64(at) / 4)[at%4]; got[i] != want {
				t.Fatalf("word %d: %#x, expected %#x", at, got[i], want)
			}
		}
		if got[n] != 42 {
			t.Fatal("a word outside was written")
		}
	})
}

// TestRowsAreUnrelated: seed, names and where names are cut all matter, and words look uniform.
func TestRowsAreUnrelated(t *testing.T) {
	const n = 1 << 16
	rows := []*Random{NewRandom(1, "a", "b"), NewRandom(2, "a", "b"), NewRandom(1, "b", "a"), NewRandom(1, "ab", ""), NewRandom(1, "", "ab"), NewRandom(1, "ab")}
	words := make([][]uint32, len(rows))
	for i, r := range rows {
		words[i] = make([]uint32, n)
		r.Words(words[i], 0)
		mean := 0.0
		for _, w := range words[i] {
			mean += float64(w) / (1 << 32) / n
		}
		if math.Abs(mean-.5) > 4/math.Sqrt(12*n) {
			t.Errorf("row %d has mean %v", i, mean)
		}
		for j := range i {
			both := 0
			for k := range n {
				if words[i][k] < 1<<31 == (words[j][k] < 1<<31) {
					both++
				}
			}
			if math.Abs(float64(both)/n-.5) > 4*.5/math.Sqrt(n) {
				t.Errorf("rows %d and %d agree in %d of %d halves", i, j, both, n)
			}
		}
	}
}

func TestThreshold(t *testing.T) {
	for _, c := range []struct {
		p    float64
		want uint64
	}{{0, 0}, {1, 1 << 32}, {.5, 1 << 31}, {1e-300, 1}, {math.Nextafter(.5, 1), 1<<31 + 1}, {1 - 0x1p-53, 1 << 32}} {
		if got := Threshold(c.p); got != c.want {
			t.Errorf("Threshold(%v) = %d, expected %d", c.p, got, c.want)
		}
	}
}

// TestKeep: fast and slow agree with u < p, whatever the length; masks nest as p grows.
func TestKeep(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	row := NewRandom(3, "model", "tensor")
	for n := range 70 {
		for _, p := range []float64{0, 0x1p-33, .1, .5, .9, 1 - 0x1p-40, 1} {
			x := randoms(r, n, true)
			words := make([]uint32, n)
			row.Words(words, int64(n))
			if n > 2 {
				words[0], words[1], words[2] = 0, math.MaxUint32, 1<<31
			}
			got := append(slices.Clone(x), 42)
			Keep(got[:n], words, p)
			for i := range n {
				want := float32(0)
				if float64(words[i])*0x1p-32 < p {
					want = x[i] / float32(p)
				}
				if math.Float32bits(got[i]) != math.Float32bits(want) && want == want {
					t.Fatalf("p %v, word %#x: %v of %v, expected %v", p, words[i], got[i], x[i], want)
				}
			}
			if got[n] != 42 {
				t.Fatal("an element outside was written")
			}
		}
	}
}

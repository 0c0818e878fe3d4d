package method

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRanksOnLargeTensors(t *testing.T) {
	// Above a million entries a sample guides the search; this is the same search without one.
	r := rand.New(rand.NewPCG(5, 6))
	n := minSampled + 12345
	for name, draw := range map[string]func(e int) float32{
		"normal":    func(int) float32 { return float32(r.NormFloat64()) },
		"few":       func(int) float32 { return float32(r.IntN(5)-2) / 4 },
		"equal":     func(int) float32 { return 1 },
		"misguided": func(e int) float32 { return float32(e/(n/50)+1) * float32(r.NormFloat64()) },
		"zeros":     func(e int) float32 { return float32(max(0, e-n+7)) },
	} {
		x := make([]float32, n)
		for e := range x {
			x[e] = draw(e)
		}
		info := Tensor{Name: "w", Shape: []int64{int64(n)}, Len: int64(n)}
		for _, share := range []float64{0.0001, 0.2, 0.9} {
			rank := kept(share, int64(n))
			fast := newRanks([]Tensor{info}, [][]int64{{rank}})
			settle(fast, info, x)
			slow := newRanks([]Tensor{info}, [][]int64{{rank}})
			slow.searches = []search{slow.newDigits(0, slow.cuts[0])}
			slow.expect()
			settle(slow, info, x)
			a, b := fast.cuts[0][0], slow.cuts[0][0]
			if a.at != b.at || a.quota != b.quota || !slices.Equal(a.before, b.before) {
				t.Errorf("%s at %v: %+v with a sample, %+v without", name, share, *a, *b)
			}
		}
	}
}

func TestRanksOfSmallTensors(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, n := range []int{2, 3, 16, 1000, smallTensor} {
		for name, draw := range map[string]func() float32{
			"normal": func() float32 { return float32(r.NormFloat64()) },
			"few":    func() float32 { return float32(r.IntN(5)-2) / 4 },
		} {
			x := make([]float32, n)
			for e := range x {
				x[e] = draw()
			}
			info := Tensor{Name: "w", Shape: []int64{int64(n)}, Len: int64(n)}
			want := [][]int64{{1, int64(n) / 2, int64(n) - 1}}
			fast, slow := newRanks([]Tensor{info}, want), newRanks([]Tensor{info}, want)
			slow.searches = []search{slow.newDigits(0, slow.cuts[0])}
			settle(fast, info, x)
			settle(slow, info, x)
			for k, a := range fast.cuts[0] {
				if b := slow.cuts[0][k]; a.at != b.at || a.quota != b.quota || !slices.Equal(a.before, b.before) {
					t.Errorf("%d entries, %s, rank %d: %+v when sorted, %+v when counted", n, name, a.rank, *a, *b)
				}
			}
		}
	}
}

// settle runs a reducer over a tensor.
func settle(r *ranks, info Tensor, x []float32) {
	for again := true; again; again, _ = r.Finish(0) {
		spans := r.Spans(0, info)
		if spans == nil {
			for at := int64(0); at < info.Len; at += ChunkElements {
				spans = append(spans, Span{at, min(ChunkElements, info.Len-at)})
			}
		}
		for _, s := range spans {
			r.Reduce32(0, Chunk[float32]{Tensor: info, Index: int(s.Start / ChunkElements), Start: s.Start, Models: [][]float32{x[s.Start : s.Start+s.Len]}})
		}
	}
}

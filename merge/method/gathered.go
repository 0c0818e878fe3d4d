package method

import (
	"math"
	"slices"
)

// smallTensor is the number of entries up to which sorting them is cheaper than counting their bits: a mixture of
// experts has tens of thousands of such tensors, and a histogram is 65,536 counts.
const smallTensor = 1 << 13

// gathered finds the cuts of a small tensor, which is one chunk, by sorting its magnitudes: one pass, and where
// equal entries are need not be counted, as none are in a chunk before.
type gathered struct {
	of         int
	cuts       []*cut
	magnitudes []uint64
}

func (s *gathered) model() int                  { return s.of }
func (s *gathered) spans(*ranks, Tensor) []Span { return nil }

func (s *gathered) count(x any, _ int64) {
	switch x := x.(type) {
	case []float32:
		for _, v := range x {
			s.magnitudes = append(s.magnitudes, uint64(math.Float32bits(v)&^(1<<31)))
		}
	case []float64:
		for _, v := range x {
			s.magnitudes = append(s.magnitudes, math.Float64bits(v)&^(1<<63))
		}
	}
}

func (s *gathered) next(r *ranks) []search {
	slices.Sort(s.magnitudes)
	n := len(s.magnitudes)
	for _, c := range s.cuts {
		at := s.magnitudes[n-int(c.rank)]
		first, _ := slices.BinarySearch(s.magnitudes, at)
		above, _ := slices.BinarySearch(s.magnitudes, at+1)
		if c.place(at, c.rank-int64(n-above), int64(above-first), r.chunks) {
			c.before[r.chunks] = int64(above - first)
		}
	}
	s.magnitudes = nil
	return nil
}

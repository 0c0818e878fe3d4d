package pareto

import (
	"cmp"
	"math/bits"
	"slices"
)

// front2 is the front of two objectives of a growing set of points, all of which are known beforehand: they are
// numbered in ascending order of x, and the front is the set of the numbers that are on it. Along it y falls.
type front2 struct {
	on   *indexSet
	x, y []float64 // by number
}

// orderByXY orders the points by the first objective, ties by the second from large to small: then of
// points with equal x the best is the last, and those before it are steps without width.
func orderByXY(c shifted) []int32 {
	order := ascending(c.n(), func(i int32) float64 { return c.at(i, 0) })
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && c.at(order[j], 0) == c.at(order[i], 0) {
			j++
		}
		if j > i+1 {
			slices.SortFunc(order[i:j], func(a, b int32) int {
				return cmp.Or(cmp.Compare(c.at(b, 1), c.at(a, 1)), cmp.Compare(a, b))
			})
		}
		i = j
	}
	return order
}

func newFront2(c shifted, byX []int32) *front2 {
	s := &front2{on: newIndexSet(len(byX)), x: make([]float64, len(byX)), y: make([]float64, len(byX))}
	for k, i := range byX {
		s.x[k], s.y[k] = c.at(i, 0), c.at(i, 1)
	}
	return s
}

// add puts point p on the front, takes off the points that it dominates, and returns the area gained within the
// origin. Amortised O(log n).
func (s *front2) add(p int32) float64 {
	x, y, top := s.x[p], s.y[p], 0.0
	if before := s.on.before(p); before >= 0 {
		if top = s.y[before]; top <= y {
			return 0
		}
	}
	gained, from := 0.0, x
	for {
		after := s.on.after(p)
		if after < 0 {
			gained += (0 - from) * (top - y)
			break
		}
		gained += (s.x[after] - from) * (top - y)
		if s.y[after] < y {
			break
		}
		from, top = s.x[after], s.y[after]
		s.on.remove(after)
	}
	s.on.insert(p)
	return gained
}

// indexSet is a set of integers from 0 to n−1 that knows neighbours: a bitmap of 64-bit words under a bitmap of
// the words that are not empty, and so on up. Every operation is O(log n) with base 64.
type indexSet struct{ level [][]uint64 }

func newIndexSet(n int) *indexSet {
	p := &indexSet{}
	for {
		n = (n + 63) / 64
		p.level = append(p.level, make([]uint64, max(n, 1)))
		if n <= 1 {
			return p
		}
	}
}

func (p *indexSet) insert(i int32) {
	for _, l := range p.level {
		l[i>>6] |= 1 << (i & 63)
		i >>= 6
	}
}

func (p *indexSet) remove(i int32) {
	for _, l := range p.level {
		if l[i>>6] &^= 1 << (i & 63); l[i>>6] != 0 {
			return
		}
		i >>= 6
	}
}

// after returns the smallest member above i, or −1.
func (p *indexSet) after(i int32) int32 {
	for h, l := range p.level {
		if w := l[i>>6] &^ (2<<(i&63) - 1); w != 0 {
			i = i&^63 | int32(bits.TrailingZeros64(w))
			for h--; h >= 0; h-- {
				i = i<<6 | int32(bits.TrailingZeros64(p.level[h][i]))
			}
			return i
		}
		i >>= 6
	}
	return -1
}

// before returns the largest member below i, or −1.
func (p *indexSet) before(i int32) int32 {
	for h, l := range p.level {
		if w := l[i>>6] & (1<<(i&63) - 1); w != 0 {
			i = i&^63 | int32(63-bits.LeadingZeros64(w))
			for h--; h >= 0; h-- {
				i = i<<6 | int32(63-bits.LeadingZeros64(p.level[h][i]))
			}
			return i
		}
		i >>= 6
	}
	return -1
}

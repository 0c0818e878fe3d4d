package pareto

import (
	"cmp"
	"math"
	"slices"
)

// Dominates says whether a is at least as good as b in every objective and better in one. Vectors of
// different lengths, and vectors with a NaN, neither dominate nor are dominated.
func Dominates(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	better := false
	for i, v := range a {
		if !(v <= b[i]) {
			return false
		}
		better = better || v < b[i]
	}
	return better
}

// NonDominated returns the indices of the points that no other dominates, in ascending order; of equal
// points the first stands for all.
//
// O(n log n) for two and three objectives, O(n log^(M−1) n) above (Kung, Luccio and Preparata 1975).
func NonDominated(points [][]float64) []int {
	t := newTable(points)
	if t.n() == 0 {
		return nil
	}
	var keep []int32
	switch {
	case t.m <= 1:
		keep = []int32{0}
	case t.m == 2:
		keep = t.nonDominated2()
	case t.m == 3:
		keep = t.nonDominated3()
	default:
		s := newSorter(t, 1)
		for i, r := range s.rank {
			if r == 0 {
				keep = append(keep, int32(i))
			}
		}
	}
	out := make([]int, len(keep))
	for i, k := range keep {
		out[i] = t.first[k]
	}
	slices.Sort(out)
	return out
}

// Ranks is non-dominated sorting: it returns the rank of every point, 0 for those that nothing dominates, 1 for
// those that only points of rank 0 dominate, and so on. Equal points share their rank; rows that cannot be
// compared have −1.
//
// Divide and conquer, O(n log^(M−1) n): Jensen 2003, corrected by Fortin, Grenier and Parizeau 2013.
func Ranks(points [][]float64) []int { return ranksTo(points, math.MaxInt32) }

// ranksTo is Ranks where ranks of depth and above need not be told apart.
func ranksTo(points [][]float64, depth int32) []int {
	out := make([]int, len(points))
	for i := range out {
		out[i] = -1
	}
	t := newTable(points)
	if t.n() == 0 {
		return out
	}
	s := newSorter(t, depth)
	for i, k := range t.row {
		if k >= 0 {
			out[i] = int(s.rank[k])
		}
	}
	return out
}

// table holds the distinct comparable points in lexicographic order, row after row.
type table struct {
	m     int
	v     []float64 // n × m
	first []int     // row → lowest index in the points
	row   []int32   // index in the points → row, or −1
}

func newTable(points [][]float64) *table {
	t := &table{row: make([]int32, len(points))}
	if len(points) == 0 {
		return t
	}
	t.m = len(points[0])
	order := make([]int32, 0, len(points))
	for i, p := range points {
		t.row[i] = -1
		if orderable(p, t.m) {
			order = append(order, int32(i))
		}
	}
	lexicographic(order, points)
	t.v = make([]float64, 0, len(order)*t.m)
	for k, i := range order {
		if k == 0 || !slices.Equal(points[i], points[order[k-1]]) {
			t.v = append(t.v, points[i]...)
			t.first = append(t.first, int(i))
		}
		t.row[i] = int32(len(t.first) - 1)
	}
	return t
}

// lexicographic sorts order by the points' objectives, then by index; it is ascending to begin with.
func lexicographic(order []int32, points [][]float64) {
	if len(points[0]) == 0 {
		return
	}
	first := func(i int32) float64 { return points[i][0] }
	was := slices.Clone(order)
	for k, i := range ascending(len(was), func(k int32) float64 { return first(was[k]) }) {
		order[k] = was[i]
	}
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && first(order[j]) == first(order[i]) {
			j++
		}
		if j > i+1 {
			slices.SortFunc(order[i:j], func(a, b int32) int {
				return cmp.Or(slices.Compare(points[a], points[b]), cmp.Compare(a, b))
			})
		}
		i = j
	}
}

// orderable says whether p has m numbers, none of them NaN.
func orderable(p []float64, m int) bool {
	return len(p) == m && !slices.ContainsFunc(p, math.IsNaN)
}

func (t *table) n() int { return len(t.first) }

func (t *table) at(row int32, k int) float64 { return t.v[int(row)*t.m+k] }

// covers says whether row a is at least as good as row b from objective k on.
func (t *table) covers(a, b int32, k int) bool {
	x, y := t.v[int(a)*t.m+k:int(a+1)*t.m], t.v[int(b)*t.m+k:int(b+1)*t.m]
	for i, v := range x {
		if v > y[i] {
			return false
		}
	}
	return true
}

// nonDominated2 sweeps the first objective and keeps the best second so far.
func (t *table) nonDominated2() []int32 {
	var keep []int32
	best := math.Inf(1)
	for i := range int32(t.n()) {
		if v := t.at(i, 1); v < best || i == 0 {
			best, keep = v, append(keep, i)
		}
	}
	return keep
}

// nonDominated3 sweeps the first objective and keeps, for every value of the second, the best third so far.
func (t *table) nonDominated3() []int32 {
	n := t.n()
	order := ascending(n, func(i int32) float64 { return t.at(i, 1) })
	rank := make([]int, n) // of the second objective, from 1: equal values share a rank
	last := 0
	for k, i := range order {
		if k == 0 || t.at(i, 1) != t.at(order[k-1], 1) {
			last++
		}
		rank[i] = last
	}
	best := make([]float64, last+1) // Fenwick tree of minima of prefixes
	for i := range best {
		best[i] = math.Inf(1)
	}
	known := make([]bool, last+1)
	var keep []int32
	for i := range int32(n) {
		v, dominated := t.at(i, 2), false
		for p := rank[i]; p > 0 && !dominated; p &= p - 1 {
			dominated = known[p] && best[p] <= v
		}
		if dominated {
			continue
		}
		keep = append(keep, i)
		for p := rank[i]; p <= last; p += p & -p {
			known[p], best[p] = true, min(best[p], v)
		}
	}
	return keep
}

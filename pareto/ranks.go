package pareto

import (
	"cmp"
	"slices"
)

// Non-dominated sorting by divide and conquer
//
// Idea (Jensen 2003, corrected by Fortin, Grenier and Parizeau 2013). Rows of a table are in lexicographic order,
// so none dominates an earlier one. sort finds the ranks of the first half, raises those of the second half
// above the first's (update), and then sorts the second half within itself. update compares two sets of which
// one is known to be at least as good in the first k objectives: it splits both at a pivot of the next one, which
// settles that objective for one of the four pairs of parts, is impossible for another, and leaves the other
// two as smaller problems of the same kind. For the last two objectives it is a sweep (update2).
//
// Invariant. rank is a lower bound of every row's rank, and exact for the rows that sort has returned from.
//
// Cost. O(n log^(M−1) n). Small sets are compared pair by pair, which is faster there.

// sorter is the state of a sort.
type sorter struct {
	*table
	depth int32 // ranks of this and above need not be told apart: such rows are dropped on the way
	rank  []int32
	tree  []int32 // Fenwick tree of update2: largest rank + 1 of prefixes
}

// Up to these sizes pairs are compared one by one.
const (
	maxDirectRows  = 32
	maxDirectPairs = 1024
)

func newSorter(t *table, depth int32) *sorter {
	s := &sorter{table: t, depth: depth, rank: make([]int32, t.n())}
	rows := make([]int32, t.n())
	for i := range rows {
		rows[i] = int32(i)
	}
	s.sort(rows)
	return s
}

// sort settles the ranks of rows, which are in lexicographic order and carry lower bounds of their ranks.
func (s *sorter) sort(rows []int32) {
	rows = s.alive(rows)
	if len(rows) <= maxDirectRows {
		for i, b := range rows {
			for _, a := range rows[:i] {
				if s.rank[a] >= s.rank[b] && s.covers(a, b, 0) {
					s.rank[b] = s.rank[a] + 1
				}
			}
		}
		return
	}
	half := len(rows) / 2
	s.sort(rows[:half])
	// update reorders what it is given.
	s.update(s.alive(rows[:half]), slices.Clone(rows[half:]), min(1, s.m-1))
	s.sort(rows[half:])
}

// alive returns a copy of rows without those whose rank no longer matters.
func (s *sorter) alive(rows []int32) []int32 {
	out := make([]int32, 0, len(rows))
	for _, r := range rows {
		if s.rank[r] < s.depth {
			out = append(out, r)
		}
	}
	return out
}

// update raises the ranks of high above those of the rows of low that cover them from objective k on;
// in the objectives before k every low is at least as good as every high.
func (s *sorter) update(low, high []int32, k int) {
	switch {
	case len(low) == 0 || len(high) == 0:
		return
	case len(low)*len(high) <= maxDirectPairs || k == s.m-1:
		for _, b := range high {
			for _, a := range low {
				if s.rank[a] >= s.rank[b] && s.covers(a, b, k) {
					s.rank[b] = s.rank[a] + 1
				}
			}
		}
		return
	case k == s.m-2:
		s.update2(low, high, k)
		return
	}
	pivot := s.pivot(low, high, k)
	l1, l2 := s.partition(low, k, pivot)
	h1, h2 := s.partition(high, k, pivot)
	s.update(low[:l1], high[:h1], k)
	s.update(low[l2:], high[h2:], k)
	s.update(low[:l2], high[h1:], k+1)
}

// pivot is about the median of objective k, from up to 62 of the rows.
func (s *sorter) pivot(low, high []int32, k int) float64 {
	const probes = 31
	v := make([]float64, 0, 2*probes)
	for _, rows := range [][]int32{low, high} {
		step := len(rows)/probes + 1
		for i := step / 2; i < len(rows); i += step {
			v = append(v, s.at(rows[i], k))
		}
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// partition reorders rows into those below, at and above the pivot in objective k.
func (s *sorter) partition(rows []int32, k int, pivot float64) (below, notAbove int) {
	i, j, end := 0, 0, len(rows)
	for j < end {
		switch v := s.at(rows[j], k); {
		case v < pivot:
			rows[i], rows[j] = rows[j], rows[i]
			i++
			j++
		case v > pivot:
			end--
			rows[j], rows[end] = rows[end], rows[j]
		default:
			j++
		}
	}
	return i, end
}

// update2 is update for the last two objectives: a sweep of one, with the largest rank of prefixes of
// the other. O(n log n).
func (s *sorter) update2(low, high []int32, k int) {
	byFirst := func(a, b int32) int { return cmp.Compare(s.at(a, k), s.at(b, k)) }
	slices.SortFunc(low, byFirst)
	slices.SortFunc(high, byFirst)
	values := make([]float64, len(low))
	for i, a := range low {
		values[i] = s.at(a, k+1)
	}
	slices.Sort(values)
	values = slices.Compact(values)
	if len(s.tree) <= len(values) {
		s.tree = make([]int32, len(values)+1)
	}
	tree := s.tree[:len(values)+1]
	clear(tree)
	next := 0
	for _, b := range high {
		for next < len(low) && s.at(low[next], k) <= s.at(b, k) {
			a := low[next]
			p, _ := slices.BinarySearch(values, s.at(a, k+1))
			for p++; p < len(tree); p += p & -p {
				tree[p] = max(tree[p], s.rank[a]+1)
			}
			next++
		}
		p, found := slices.BinarySearch(values, s.at(b, k+1))
		if found {
			p++
		}
		for ; p > 0; p &= p - 1 {
			s.rank[b] = max(s.rank[b], tree[p])
		}
	}
}

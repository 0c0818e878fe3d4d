package search

import (
	"cmp"
	"math/bits"
	"slices"
)

// dominanceIndex finds which of many rows of objectives weakly dominate a point, that is are at least as good in
// all of them (all are minimised).
//
// Idea: the rows stand in blocks of 512. For every objective of a block its rows are sorted, and for every n it is
// known which rows are the best n, as bits. A binary search an objective gives n, the number of rows at least as
// good as the point in it; the rows that dominate the point are the intersection of the bits, an AND of eight
// words an objective.
//
// Invariant: bit i of ranking.best[n·words:] is set where row i of the block is among the n best in the objective;
// rows of equal value stand in any order, and n counts all of them or none.
//
// Cost: O(m·rows·log rows) and 32 KiB an objective and block to build; O(m·(log 512 + 8)) a block and query for m
// objectives, about five times less than to compare row after row.
type dominanceIndex []block

type block struct {
	objectives []ranking
	words      int
}

// ranking are the rows of a block by one objective.
type ranking struct {
	values []float64 // ascending
	best   []uint64  // the bits of the best 0, 1, 2 … rows, so many words each
}

const blockRows = 512

func newDominanceIndex(fs [][]float64) dominanceIndex {
	var d dominanceIndex
	for rows := range slices.Chunk(fs, blockRows) {
		b := block{objectives: make([]ranking, len(rows[0])), words: (len(rows) + 63) / 64}
		order := make([]int, len(rows))
		for k := range b.objectives {
			for i := range order {
				order[i] = i
			}
			slices.SortFunc(order, func(i, j int) int { return cmp.Compare(rows[i][k], rows[j][k]) })
			r := ranking{values: make([]float64, len(rows)), best: make([]uint64, b.words*(len(rows)+1))}
			for n, i := range order {
				r.values[n] = rows[i][k]
				next := r.best[b.words*(n+1):]
				copy(next, r.best[b.words*n:b.words*(n+1)])
				next[i/64] |= 1 << (i % 64)
			}
			b.objectives[k] = r
		}
		d = append(d, b)
	}
	return d
}

// dominated says whether any row weakly dominates y.
func (d dominanceIndex) dominated(y []float64) bool {
	var found [blockRows / 64]uint64
	return slices.ContainsFunc(d, func(b block) bool { return b.of(found[:], y) })
}

// dominating appends the rows that weakly dominate y, ascending.
func (d dominanceIndex) dominating(rows []int32, y []float64) []int32 {
	var found [blockRows / 64]uint64
	for i, b := range d {
		if !b.of(found[:], y) {
			continue
		}
		for w, set := range found[:b.words] {
			for ; set != 0; set &= set - 1 {
				rows = append(rows, int32(i*blockRows+w*64+bits.TrailingZeros64(set)))
			}
		}
	}
	return rows
}

// of stores the rows of the block that weakly dominate y as bits and says whether there are any.
func (b block) of(found []uint64, y []float64) bool {
	found = found[:b.words]
	for k, r := range b.objectives {
		n := countAtMost(r.values, y[k])
		best, any := r.best[n*b.words:][:b.words], uint64(0)
		for w, set := range best {
			if k > 0 {
				set &= found[w]
			}
			found[w] = set
			any |= set
		}
		if any == 0 {
			return false
		}
	}
	return true
}

// countAtMost is how many of the ascending values are at most v: a binary search without branches on the values,
// which no processor could predict.
func countAtMost(values []float64, v float64) int {
	at, n := 0, len(values)
	for n > 1 {
		half := n / 2
		next := at + half
		if values[next-1] <= v {
			at = next
		}
		n -= half
	}
	if n == 1 && values[at] <= v {
		at++
	}
	return at
}

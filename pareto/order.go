package pareto

import (
	"cmp"
	"math"
	"slices"
)

// ascending returns 0…n−1 ordered by key, ties by index. No key may be NaN. O(n), by a radix sort from the
// least significant digit.
func ascending(n int, key func(int32) float64) []int32 {
	room := make([]keyed, 2*n)
	items, spare := room[:n], room[n:]
	for i := range items {
		items[i] = keyed{sortable(key(int32(i))), int32(i)}
	}
	if n < 500 {
		slices.SortFunc(items, func(a, b keyed) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.i, b.i)) })
	} else {
		items = radix(items, spare)
	}
	out := make([]int32, n)
	for i, it := range items {
		out[i] = it.i
	}
	return out
}

type keyed struct {
	key uint64
	i   int32
}

// radix returns items or spare, whichever ends up sorted by key, stably.
func radix(items, spare []keyed) []keyed {
	const bits, digits = 11, 6
	n := len(items)
	var count [digits][1 << bits]int32
	for _, it := range items {
		for d := range digits {
			count[d][it.key>>(d*bits)&(1<<bits-1)]++
		}
	}
	for d := range digits {
		c := &count[d]
		if c[items[0].key>>(d*bits)&(1<<bits-1)] == int32(n) {
			continue // all equal in this digit
		}
		sum := int32(0)
		for v, k := range c {
			c[v] = sum
			sum += k
		}
		for _, it := range items {
			v := it.key >> (d * bits) & (1<<bits - 1)
			spare[c[v]] = it
			c[v]++
		}
		items, spare = spare, items
	}
	return items
}

// sortable maps a float to an integer of the same order; −0 and 0 are one.
func sortable(v float64) uint64 {
	b := math.Float64bits(v + 0)
	if b>>63 == 1 {
		return ^b
	}
	return b | 1<<63
}

package method

import (
	"cmp"
	"math"
	"slices"
)

// digitBits is how much of a magnitude one pass of the radix sort looks at.
const digitBits = 11

// shortRow is the length up to which comparing is faster than counting digits.
const shortRow = 512

// ranked is an entry of a row: its magnitude as bits, which order as magnitudes do, and its place.
type ranked struct {
	bits uint64
	at   int32
}

// rankRows ranks the entries of each row by magnitude, from 0 for the smallest, the lowest index of
// equal ones highest. O(n) for long rows (a radix sort), O(n log n) for short ones.
func rankRows[F Float](delta []F, row int) []int32 {
	out := make([]int32, len(delta))
	entries, spare := make([]ranked, row), make([]ranked, row)
	for lo := 0; lo < len(delta); lo += row {
		part := delta[lo:min(lo+row, len(delta))]
		entries, spare := entries[:len(part)], spare[:len(part)]
		for e, v := range part { // from the last to the first, as equal ones are to stand
			entries[len(part)-1-e] = ranked{magnitudeBits(v), int32(e)}
		}
		for rank, entry := range sortByMagnitude[F](entries, spare) {
			out[lo+int(entry.at)] = int32(rank)
		}
	}
	return out
}

// magnitudeBits is a number's bits without its sign.
func magnitudeBits[F Float](v F) uint64 {
	switch v := any(v).(type) {
	case float32:
		return uint64(math.Float32bits(v) << 1 >> 1)
	case float64:
		return math.Float64bits(v) << 1 >> 1
	}
	return 0
}

// sortByMagnitude sorts, leaving equal ones in their order, and returns one of its two arguments.
func sortByMagnitude[F Float](entries, spare []ranked) []ranked {
	if len(entries) <= shortRow {
		slices.SortStableFunc(entries, func(a, b ranked) int { return cmp.Compare(a.bits, b.bits) })
		return entries
	}
	width := 31
	if _, wide := any(F(0)).(float64); wide {
		width = 63
	}
	var counts [1 << digitBits]int32
	for shift := 0; shift < width; shift += digitBits {
		clear(counts[:])
		for _, e := range entries {
			counts[e.bits>>shift&(1<<digitBits-1)]++
		}
		sum := int32(0)
		for d, n := range counts {
			counts[d] = sum
			sum += n
		}
		for _, e := range entries {
			d := e.bits >> shift & (1<<digitBits - 1)
			spare[counts[d]] = e
			counts[d]++
		}
		entries, spare = spare, entries
	}
	return entries
}

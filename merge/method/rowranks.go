package method

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"sync"
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
// equal ones highest, in O(n): float32 by buckets, float64 by a radix sort where rows are long.
func rankRows[F Float](delta []F, row int) []int32 {
	out := make([]int32, len(delta))
	if narrow, ok := any(delta).([]float32); ok {
		s := sorters.Get().(*sorter)
		for lo := 0; lo < len(narrow); lo += row {
			hi := min(lo+row, len(narrow))
			s.rank(narrow[lo:hi], out[lo:hi])
		}
		sorters.Put(s)
		return out
	}
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

// sorter sorts rows of float32 by magnitude: into buckets, of which there are some more than entries, by the upper bits,
// then by insertion, which has next to nothing left to do. An entry is its magnitude's bits and, below them, its place from
// the end, so that no two are the same.
type sorter struct {
	keys   []uint64
	starts []uint32
	full   [][2]uint32 // buckets with many entries
}

var sorters = sync.Pool{New: func() any { return new(sorter) }}

const (
	bucketBits   = 16 // at most: what stays in the second cache
	octaves      = 12 // below the largest magnitude that are told apart by buckets
	manyEntries  = 24 // of a bucket, above which insertion is slow
	magnitude    = 1<<31 - 1
	mantissaBits = 23
)

// rank is rankRows for one row.
func (s *sorter) rank(part []float32, out []int32) {
	n := len(part)
	largest := uint32(0)
	for _, v := range part {
		largest = max(largest, math.Float32bits(v)&magnitude)
	}
	floor := largest - min(largest, octaves<<mantissaBits)
	shift := max(0, bits.Len32(largest-floor)-min(bucketBits, bits.Len(uint(n))+1))
	starts := grown(&s.starts, int((largest-floor)>>shift)+1)
	clear(starts)
	for _, v := range part {
		starts[(max(math.Float32bits(v)&magnitude, floor)-floor)>>shift]++
	}
	sum := uint32(0)
	s.full = s.full[:0]
	for b, count := range starts {
		starts[b] = sum
		sum += count
		if count > manyEntries {
			s.full = append(s.full, [2]uint32{sum - count, sum})
		}
	}
	keys := grown(&s.keys, n)
	for e := n - 1; e >= 0; e-- { // so that equal ones stand in their order at once
		v := math.Float32bits(part[e]) & magnitude
		b := (max(v, floor) - floor) >> shift
		keys[starts[b]] = uint64(v)<<32 | uint64(n-1-e)
		starts[b]++
	}
	for _, b := range s.full {
		slices.Sort(keys[b[0]:b[1]])
	}
	for i := 1; i < n; i++ {
		key, k := keys[i], i
		for ; k > 0 && keys[k-1] > key; k-- {
			keys[k] = keys[k-1]
		}
		keys[k] = key
	}
	for rank, key := range keys {
		out[n-1-int(uint32(key))] = int32(rank)
	}
}

// grown is n elements of a buffer that is made longer when it is needed.
func grown[E any](b *[]E, n int) []E {
	if cap(*b) < n {
		*b = make([]E, n)
	}
	return (*b)[:n]
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

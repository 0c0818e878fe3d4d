package kernel

import (
	"fmt"
	"math"
	"unsafe"
)

// Histogram counts magnitudes by 16 of their bits, to find the k-th largest exactly without sorting or
// a copy: magnitudes of floating-point numbers are in the order of their bits. One pass over the data
// settles the upper 16 bits, the next one the following 15 or 16: two passes for float32, four for
// float64.
//
// Count in as many histograms as there are goroutines (each made by Like) and Merge them; Find the
// digit of the rank that is wanted, and begin the next pass with Child. A histogram of a first pass
// takes 1 MiB, of a later one 256 KiB, and half a MiB more from the first Merge or Find on.
type Histogram struct {
	format Format
	prefix uint64 // bits above the digit, shared by all that is counted
	shift  int    // of the digit
	lanes  [][]uint32
	sums   []int64 // what was in lanes before
	room   int64   // how many elements may be counted before a lane could overflow
}

const (
	digitBits  = 16
	digitCount = 1 << digitBits
	laneRoom   = math.MaxUint32
)

// NewHistogram begins the first pass over numbers of format F32 or F64.
func NewHistogram(f Format) *Histogram {
	switch f {
	case F32:
		return newHistogram(f, 0, 15, 4)
	case F64:
		return newHistogram(f, 0, 47, 4)
	}
	panic(fmt.Sprintf("kernel: a histogram of %v, expected F32 or F64", f))
}

// newHistogram makes a histogram with some lanes: equal neighbours, which deltas of models in BF16 are
// full of, would wait for each other's increments in one.
func newHistogram(f Format, prefix uint64, shift, lanes int) *Histogram {
	h := &Histogram{format: f, prefix: prefix, shift: shift, room: laneRoom}
	for range lanes {
		h.lanes = append(h.lanes, make([]uint32, digitCount))
	}
	return h
}

// Like is an empty histogram of the same pass.
func (h *Histogram) Like() *Histogram { return newHistogram(h.format, h.prefix, h.shift, len(h.lanes)) }

// Count adds the magnitudes of x, for F32.
func (h *Histogram) Count(x []float32) {
	h.reserve(len(x))
	if h.prefix == 0 && h.shift == 15 {
		h.countFirst(x)
		return
	}
	counts := (*[digitCount]uint32)(h.lanes[0])
	var found [pickElements + PickMargin]uint32
	for len(x) > 0 {
		part := x[:min(len(x), pickElements)]
		x = x[len(part):]
		n, _ := pick(found[:], part, uint32(h.prefix), uint32(h.prefix)+1<<15)
		for _, u := range found[:n] {
			counts[u&0x7fff]++
		}
	}
}

// pickElements is how many elements are picked from at a time.
const pickElements = 512

// PickMargin is how many words dst of Pick needs beyond the elements of x.
const PickMargin = 8

// Pick writes to dst the magnitudes of x, as bits of a float32, from low to below high, in order, and
// returns how many they are, and how many are high and above. dst has PickMargin words more than x has
// elements; high is at most 2³¹.
func Pick(dst []uint32, x []float32, low, high uint32) (picked int, above int64) {
	_ = dst[:len(x)+PickMargin]
	return pick(dst, x, low, high)
}

// pickGeneric does without a branch on what cannot be predicted. dst has more words than x has elements.
func pickGeneric(dst []uint32, x []float32, low, high uint32) (picked int, above int64) {
	dst = dst[:len(x)+1]
	bits := unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
	for _, u := range bits {
		u &= magnitude
		dst[picked] = u
		beyond := (uint64(high-1) - uint64(u)) >> 63 // 1 if u ≥ high
		picked += int((uint64(u)-uint64(low))>>63 ^ 1 ^ beyond)
		above += int64(beyond)
	}
	return picked, above
}

// countFirst counts all of x, two numbers a load, in four lanes.
func (h *Histogram) countFirst(x []float32) {
	l0, l1 := (*[digitCount]uint32)(h.lanes[0]), (*[digitCount]uint32)(h.lanes[1])
	l2, l3 := (*[digitCount]uint32)(h.lanes[2]), (*[digitCount]uint32)(h.lanes[3])
	var pairs [][2]uint64
	if len(x) >= 4 {
		pairs = unsafe.Slice((*[2]uint64)(unsafe.Pointer(&x[0])), len(x)/4)
	}
	for i := range pairs {
		a, b := pairs[i][0], pairs[i][1]
		l0[uint16(a>>15)]++ // the sign is cut off
		l1[uint16(a>>47)]++
		l2[uint16(b>>15)]++
		l3[uint16(b>>47)]++
	}
	for _, v := range x[len(pairs)*4:] {
		l0[uint16(math.Float32bits(v)>>15)]++
	}
}

// Count64 adds the magnitudes of x, for F64.
func (h *Histogram) Count64(x []float64) {
	h.reserve(len(x))
	counts := (*[digitCount]uint32)(h.lanes[0])
	above, mask := h.shift+h.width(), uint64(1)<<h.width()-1
	for _, v := range x {
		if u := math.Float64bits(v) &^ (1 << 63); u>>above == h.prefix>>above {
			counts[u>>h.shift&mask]++
		}
	}
}

// width of the digit: the last one has a bit less.
func (h *Histogram) width() int {
	if h.shift == 0 {
		return digitBits - 1
	}
	return digitBits
}

// reserve makes room for n more elements.
func (h *Histogram) reserve(n int) {
	if int64(n) > h.room {
		h.fold()
	}
	h.room -= int64(n)
}

// fold empties the lanes into the sums.
func (h *Histogram) fold() {
	if h.sums == nil {
		h.sums = make([]int64, digitCount)
	}
	for _, lane := range h.lanes {
		for i, n := range lane {
			h.sums[i] += int64(n)
		}
		clear(lane)
	}
	h.room = laneRoom
}

// Merge adds what o has counted, in the same pass; o is empty afterwards.
func (h *Histogram) Merge(o *Histogram) {
	if o.format != h.format || o.prefix != h.prefix || o.shift != h.shift {
		panic("kernel: histograms of different passes are merged")
	}
	h.fold()
	o.fold()
	for i, n := range o.sums {
		h.sums[i] += n
	}
	clear(o.sums)
}

// Total is how many elements were counted.
func (h *Histogram) Total() int64 {
	h.fold()
	var n int64
	for _, c := range h.sums {
		n += c
	}
	return n
}

// Find locates the rank-th largest of what was counted (1 is the largest): its digit, and its rank
// among those with the same digit. The rank has to be from 1 to Total.
func (h *Histogram) Find(rank int64) (digit int, rest int64) {
	h.fold()
	rest = rank
	for digit = digitCount - 1; digit > 0 && rest > h.sums[digit]; digit-- {
		rest -= h.sums[digit]
	}
	return digit, rest
}

// Equal is how many elements of the digit were counted.
func (h *Histogram) Equal(digit int) int64 {
	h.fold()
	return h.sums[digit]
}

// Child begins the next pass, over those that have the digit. It is nil after the last pass, when
// Bits(digit) is the number itself.
func (h *Histogram) Child(digit int) *Histogram {
	if h.shift == 0 {
		return nil
	}
	shift := max(0, h.shift-digitBits)
	return newHistogram(h.format, h.Bits(digit), shift, 1)
}

// Bits are the bits of the least magnitude with the digit, as a float32 or float64 has them.
func (h *Histogram) Bits(digit int) uint64 { return h.prefix | uint64(digit)<<h.shift }

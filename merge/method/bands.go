package method

import (
	"math"

	"parfait/merge/kernel"
)

// bands keeps of a model's entries those that lie below one cut and above another, in one chunk. It is
// used on the parts of the chunk from the left to the right.
type bands struct {
	wide              bool
	high, low         *cut  // high has the smaller rank
	seenHigh, seenLow int64 // equal entries up to here, or of those the kept ones
	top               []float32
}

// between prepares the entries of model i with ranks from, … to−1 of n.
func (r *ranks) between(i int, from, to, n int64, t Tensor, start int64) *bands {
	b := &bands{high: r.find(i, from, n), low: r.find(i, to, n)}
	if r != nil {
		number := r.chunk(t, start)
		b.wide, b.seenHigh, b.seenLow = r.wide, b.high.seen(number), b.low.seen(number)
	}
	return b
}

// seen is the number of equal entries before a chunk.
func (c *cut) seen(chunk int64) int64 {
	if c.before == nil {
		return 0
	}
	return c.before[chunk]
}

// above says whether an entry lies above the cut; seen counts the equal ones.
func (c *cut) above(key uint64, seen *int64) bool {
	if key != c.at {
		return key > c.at
	}
	*seen++
	return c.before == nil || *seen <= c.quota
}

func (b *bands) keeps(key uint64) bool {
	low, high := b.low.above(key, &b.seenLow), b.high.above(key, &b.seenHigh)
	return low && !high
}

// keepBand puts zero in the place of the entries that b does not keep.
func keepBand[F Float](b *bands, part []F) {
	if narrow, ok := any(part).([]float32); ok && !b.wide {
		b.keep32(narrow)
		return
	}
	for i, v := range part { // a float32 tensor may be among float64 ones, whose magnitudes the cuts are of
		if !b.keeps(math.Float64bits(float64(v)) &^ (1 << 63)) {
			part[i] = 0
		}
	}
}

// keep32 is keepBand on the kernel: what lies above the lower cut, less what lies above the higher one.
func (b *bands) keep32(part []float32) {
	if b.high == nothing {
		trimAt(b.low, &b.seenLow, part)
		return
	}
	if b.top == nil {
		b.top = make([]float32, BlockElements)
	}
	top := b.top[:len(part)]
	copy(top, part)
	trimAt(b.high, &b.seenHigh, top)
	trimAt(b.low, &b.seenLow, part)
	for i, v := range top {
		part[i] = math.Float32frombits(math.Float32bits(part[i]) ^ math.Float32bits(v)) // v, or zero
	}
}

// trimAt keeps what lies above a cut, of which seen entries were equal to it and kept before.
func trimAt(c *cut, seen *int64, part []float32) {
	ties := int64(math.MaxInt64)
	if c.before != nil {
		ties = max(0, c.quota-*seen)
	}
	*seen += kernel.Trim(part, uint32(c.at), ties)
}

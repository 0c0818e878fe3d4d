package merge

import (
	"math"
	"slices"
	"sync"
	"unsafe"

	"parfait/merge/kernel"
)

// ranks is the Reducer of the methods that trim. Sort a task vector by falling magnitude and, where
// magnitudes are equal, by rising index: ranks finds where given ranks cut that order. It works on a
// stream, by histograms of the magnitudes' bits from the top: two passes for float32, four for
// float64, and one more to number equal entries where a cut falls among them. Memory is a histogram a
// model and worker, whatever the tensor's size.
type ranks struct {
	wide   bool // some tensor is computed in float64: all magnitudes are taken as such
	cuts   [][]*cut
	first  []int64 // number of the first chunk of each tensor, by TensorInfo.Index; nil for one tensor
	chunks int64

	mu    sync.Mutex
	slots []*slot // of the present pass
	done  int64
	idle  []tally
}

// cut is one rank of one model. An entry lies above it if its magnitude is greater than at, or equal
// and among the first quota such entries.
type cut struct {
	rank   int64 // how many entries lie above
	at     uint64
	quota  int64
	before []int64 // equal entries before each chunk; nil where the equal entries all lie above
}

// everything and nothing are the cuts below and above all entries.
var (
	everything = &cut{quota: math.MaxInt64}
	nothing    = &cut{at: math.MaxUint64, quota: math.MaxInt64}
)

// slot is what is counted of one model in one pass, for some cuts: the digits of the entries that share
// the bits known so far, or, when these are all, the entries equal to the cuts in each chunk.
type slot struct {
	model  int
	cuts   []*cut
	digits *kernel.Histogram // nil when equal entries are counted
}

// tally is one goroutine's histograms, one a slot.
type tally []*kernel.Histogram

// newRanks prepares cuts of the tensors taken together. want has the ranks for each model. It returns
// nil where no rank needs a search.
func newRanks(ts []TensorInfo, want [][]int64) *ranks {
	r := &ranks{cuts: make([][]*cut, len(want))}
	var n int64
	for _, t := range ts {
		r.wide = r.wide || t.Wide
		if len(ts) > 1 {
			r.first = append(r.first, r.chunks)
		}
		n += t.Len
		r.chunks += ceil(t.Len, ChunkElements)
	}
	for i, list := range want {
		list = slices.Clone(list)
		slices.Sort(list)
		s := &slot{model: i}
		for _, rank := range slices.Compact(list) {
			if rank > 0 && rank < n {
				s.cuts = append(s.cuts, &cut{rank: rank, quota: rank})
			}
		}
		if r.cuts[i] = s.cuts; len(s.cuts) == 0 {
			continue
		}
		s.digits = kernel.NewHistogram(kernel.F32)
		if r.wide {
			s.digits = kernel.NewHistogram(kernel.F64)
		}
		r.slots = append(r.slots, s)
	}
	if len(r.slots) == 0 {
		return nil
	}
	return r
}

// find returns the cut of a model at one of the ranks that were asked for, of n entries in all.
func (r *ranks) find(model int, rank, n int64) *cut {
	switch {
	case rank <= 0:
		return nothing
	case rank >= n:
		return everything
	}
	for _, c := range r.cuts[model] {
		if c.rank == rank {
			return c
		}
	}
	panic("merge: a rank is used that was not asked for")
}

func (r *ranks) Stats() Stats { return r }

func (r *ranks) Finish(int) (bool, error) { return len(r.slots) > 0, nil }

func (r *ranks) Reduce32(_ int, in Chunk[float32]) {
	t := r.take()
	for k, s := range r.slots {
		v := in.Models[s.model]
		switch {
		case r.wide:
			r.widened(t, k, in.Tensor, in.Index, v)
		case s.digits != nil:
			t[k].Count(v)
		default:
			s.countEqual(r.chunk(in.Tensor, in.Index), equal32(v, uint32(s.cuts[0].at)))
		}
	}
	r.give(t)
}

func (r *ranks) Reduce64(_ int, in Chunk[float64]) {
	t := r.take()
	for k, s := range r.slots {
		r.count64(t, k, s, in.Tensor, in.Index, in.Models[s.model])
	}
	r.give(t)
}

// widened counts a float32 tensor among float64 ones.
func (r *ranks) widened(t tally, k int, tensor TensorInfo, index int, v []float32) {
	var part [1024]float64
	for len(v) > 0 {
		n := min(len(v), len(part))
		for e, x := range v[:n] {
			part[e] = float64(x)
		}
		r.count64(t, k, r.slots[k], tensor, index, part[:n])
		v = v[n:]
	}
}

func (r *ranks) count64(t tally, k int, s *slot, tensor TensorInfo, index int, v []float64) {
	if s.digits != nil {
		t[k].Count64(v)
		return
	}
	n := int64(0)
	for _, bits := range bits64(v) {
		if bits&^(1<<63) == s.cuts[0].at {
			n++
		}
	}
	s.countEqual(r.chunk(tensor, index), n)
}

func equal32(v []float32, at uint32) int64 {
	n := int64(0)
	for _, bits := range bits32(v) {
		if bits&^(1<<31) == at {
			n++
		}
	}
	return n
}

// countEqual is called by one goroutine for a chunk.
func (s *slot) countEqual(chunk, n int64) {
	for _, c := range s.cuts {
		c.before[chunk] += n
	}
}

// chunk numbers the chunks of all tensors.
func (r *ranks) chunk(t TensorInfo, index int) int64 {
	if r.first == nil {
		return int64(index)
	}
	return r.first[t.Index] + int64(index)
}

// take gives a goroutine histograms of its own.
func (r *ranks) take() tally {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.idle); n > 0 {
		t := r.idle[n-1]
		r.idle = r.idle[:n-1]
		return t
	}
	t := make(tally, len(r.slots))
	for k, s := range r.slots {
		if s.digits != nil {
			t[k] = s.digits.Like()
		}
	}
	return t
}

// give takes them back. The last chunk ends the pass, so that histograms are not kept while other
// tensors are read.
func (r *ranks) give(t tally) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, t)
	if r.done++; r.done < r.chunks {
		return
	}
	for k, s := range r.slots {
		for _, t := range r.idle {
			if s.digits != nil {
				s.digits.Merge(t[k])
			}
		}
	}
	r.idle, r.done = nil, 0
	var next []*slot
	for _, s := range r.slots {
		next = append(next, s.resolve(r.chunks)...)
	}
	r.slots = next
}

// resolve ends a pass and gives what has to be counted in the next one.
func (s *slot) resolve(chunks int64) []*slot {
	if s.digits == nil {
		for _, c := range s.cuts {
			sum := int64(0)
			for i, n := range c.before {
				c.before[i] = sum
				sum += n
			}
		}
		return nil
	}
	var next []*slot
	byDigit := map[int]*slot{}
	for _, c := range s.cuts {
		digit, rest := s.digits.Find(c.quota)
		c.quota, c.at = rest, s.digits.Bits(digit)
		child := s.digits.Child(digit)
		if child == nil {
			if rest == s.digits.Equal(digit) {
				continue // no equal entries on the other side
			}
			c.before = make([]int64, chunks)
		}
		if byDigit[digit] == nil {
			byDigit[digit] = &slot{model: s.model, digits: child}
			next = append(next, byDigit[digit])
		}
		byDigit[digit].cuts = append(byDigit[digit].cuts, c)
	}
	return next
}

// bits32 and bits64 are the bits of numbers, in place.
func bits32(v []float32) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(v))), len(v))
}

func bits64(v []float64) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(v))), len(v))
}

// bands keeps of a model's entries those that lie below one cut and above another. It is used on the
// parts of one chunk from the left to the right.
type bands struct {
	wide              bool
	high, low         *cut // high has the smaller rank
	seenHigh, seenLow int64
}

// between prepares the entries of model i with ranks from, … to−1 of n, in one chunk.
func (r *ranks) between(i int, from, to, n int64, t TensorInfo, chunk int) *bands {
	b := &bands{high: r.find(i, from, n), low: r.find(i, to, n)}
	if r != nil {
		b.wide = r.wide
		b.seenHigh, b.seenLow = b.high.seen(r.chunk(t, chunk)), b.low.seen(r.chunk(t, chunk))
	}
	return b
}

// keepBand copies to dst the entries of src that b keeps, and zero in place of the rest.
func keepBand[F Float](b *bands, dst, src []F) {
	switch src := any(src).(type) {
	case []float32:
		dst := any(dst).([]float32)
		if !b.wide {
			bandKeys(b, bits32(dst), bits32(src))
			return
		}
		for i, v := range src { // among float64 tensors, whose magnitudes the cuts are of
			dst[i] = 0
			if b.keeps(math.Float64bits(float64(v)) &^ (1 << 63)) {
				dst[i] = v
			}
		}
	case []float64:
		bandKeys(b, bits64(any(dst).([]float64)), bits64(src))
	}
}

func bandKeys[K uint32 | uint64](b *bands, dst, src []K) {
	magnitude := ^K(0) >> 1
	switch {
	case b.high == nothing && b.low == everything:
		copy(dst, src)
	case b.high == nothing && b.low.before == nil:
		at := K(b.low.at)
		for i, v := range src {
			keep := K(0)
			if v&magnitude >= at {
				keep = ^K(0)
			}
			dst[i] = v & keep
		}
	default:
		for i, v := range src {
			dst[i] = 0
			if b.keeps(uint64(v & magnitude)) {
				dst[i] = v
			}
		}
	}
}

func (b *bands) keeps(key uint64) bool {
	low, high := b.low.above(key, &b.seenLow), b.high.above(key, &b.seenHigh)
	return low && !high
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

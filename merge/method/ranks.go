package method

import (
	"math"
	"slices"
	"sync"

	"parfait/merge/kernel"
)

// ranks is the Reducer of the methods that trim. Sort a task vector by falling magnitude and, where
// magnitudes are equal, by rising index: ranks finds where given ranks cut that order, exactly, on a
// stream. A sample says about where a cut is (sampling), and one pass over the tensor settles it (window; see there).
// A small tensor is sorted (gathered). Where none of that does, histograms of the magnitudes' bits from the top do (digits): two passes for
// float32, four for float64. Where a cut falls among equal entries and it is not known yet how many of
// them each chunk has, they are counted in one more pass (equal).
type ranks struct {
	wide   bool // some tensor is computed in float64: all magnitudes are taken as such
	cuts   [][]*cut
	ts     []Tensor
	first  []int64 // number of the first chunk of each tensor of ts
	chunks int64
	n      int64

	mu       sync.Mutex
	searches []search // of the present pass
	left     int64    // elements that this pass has still to see
}

// cut is one rank of one model. An entry lies above it if its magnitude is greater than at, or equal
// and among the first quota such entries.
type cut struct {
	rank   int64 // how many entries lie above
	at     uint64
	quota  int64
	before []int64 // equal entries before each chunk, and in all; nil where the equal entries all lie above
}

// everything and nothing are the cuts below and above all entries.
var (
	everything = &cut{quota: math.MaxInt64}
	nothing    = &cut{at: math.MaxInt64, quota: math.MaxInt64}
)

// search looks for some cuts of one model in one pass.
type search interface {
	model() int
	// spans are the parts of a tensor to be read; nil means all of it.
	spans(r *ranks, t Tensor) []Span
	// count looks at a chunk; numbers are float32, or float64 where ranks is wide. It may be called by
	// several goroutines at once.
	count(x any, chunk int64)
	// next ends the pass and says what is to be done in the next one.
	next(r *ranks) []search
}

// newRanks prepares cuts of the tensors taken together. want has the ranks for each model. It returns
// nil where no rank needs a search.
func newRanks(ts []Tensor, want [][]int64) *ranks {
	r := &ranks{cuts: make([][]*cut, len(want)), ts: ts}
	for _, t := range ts {
		r.wide = r.wide || t.Wide
		r.first = append(r.first, r.chunks)
		r.n += t.Len
		r.chunks += t.Chunks()
	}
	for i, list := range want {
		list = slices.Clone(list)
		slices.Sort(list)
		for _, rank := range slices.Compact(list) {
			if rank > 0 && rank < r.n {
				r.cuts[i] = append(r.cuts[i], &cut{rank: rank, quota: rank})
			}
		}
		if len(r.cuts[i]) > 0 {
			r.searches = append(r.searches, r.begin(i))
		}
	}
	if len(r.searches) == 0 {
		return nil
	}
	r.expect()
	return r
}

// begin chooses how to look for the cuts of a model.
func (r *ranks) begin(model int) search {
	if len(r.ts) == 1 && r.n <= smallTensor {
		return &gathered{of: model, cuts: r.cuts[model], magnitudes: make([]uint64, 0, r.n)}
	}
	if len(r.ts) == 1 && !r.wide && len(r.cuts[model]) <= maxWindows && r.n >= minSampled && r.n < math.MaxUint32 {
		return &sampling{of: model, cuts: r.cuts[model]}
	}
	return r.newDigits(model, r.cuts[model])
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
	panic("method: a rank is used that was not asked for")
}

func (r *ranks) Stats() Stats { return r }

func (r *ranks) Finish(int) (bool, error) { return len(r.searches) > 0, nil }

// Spans are the parts of a tensor that the present pass has to see: all of it unless every search is
// content with less.
func (r *ranks) Spans(_ int, t Tensor) []Span {
	var all []Span
	for _, s := range r.searches {
		part := s.spans(r, t)
		if part == nil {
			return nil
		}
		all = append(all, part...)
	}
	slices.SortFunc(all, func(a, b Span) int { return int(a.Start - b.Start) })
	return slices.Compact(all)
}

// expect counts the elements of the pass that begins.
func (r *ranks) expect() {
	r.left = 0
	for _, t := range r.ts {
		spans := r.Spans(0, t)
		if spans == nil {
			spans = []Span{{0, t.Len}}
		}
		for _, s := range spans {
			r.left += s.Len
		}
	}
	if r.left == 0 && len(r.searches) > 0 {
		r.end()
	}
}

func (r *ranks) Reduce32(_ int, in Chunk[float32]) {
	number := r.chunk(in.Tensor, in.Start)
	for _, s := range r.searches {
		x := in.Models[s.model()]
		if !r.wide {
			s.count(x, number)
			continue
		}
		var part [1024]float64 // a float32 tensor among float64 ones
		for len(x) > 0 {
			n := min(len(x), len(part))
			for e, v := range x[:n] {
				part[e] = float64(v)
			}
			s.count(part[:n], number)
			x = x[n:]
		}
	}
	r.counted(in.Len())
}

func (r *ranks) Reduce64(_ int, in Chunk[float64]) {
	for _, s := range r.searches {
		s.count(in.Models[s.model()], r.chunk(in.Tensor, in.Start))
	}
	r.counted(in.Len())
}

// counted ends the pass with its last element, so that nothing is kept while other tensors are read.
func (r *ranks) counted(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left -= int64(n); r.left == 0 {
		r.end()
	}
}

func (r *ranks) end() {
	var next []search
	for _, s := range r.searches {
		next = append(next, s.next(r)...)
	}
	r.searches = next
	r.expect()
}

// chunk numbers the chunks of all tensors.
func (r *ranks) chunk(t Tensor, start int64) int64 {
	i := 0
	if len(r.ts) > 1 {
		i = t.Index - r.ts[0].Index
	}
	return r.first[i] + start/ChunkElements
}

// place puts a cut at a magnitude that equal entries have, of which quota lie above, and says whether
// it has to be known where they are.
func (c *cut) place(at uint64, quota, equal, chunks int64) (unsettled bool) {
	c.at, c.quota = at, quota
	if quota < equal {
		c.before = make([]int64, chunks+1)
	}
	return quota < equal
}

// accumulate turns the numbers of equal entries in each chunk into those before it.
func (c *cut) accumulate() {
	sum := int64(0)
	for i, n := range c.before {
		c.before[i] = sum
		sum += n
	}
}

// digits finds cuts by histograms of 16 bits.
type digits struct {
	of     int
	cuts   []*cut
	format kernel.Format

	mu    sync.Mutex
	total *kernel.Histogram // of a first pass from its first chunk on
	idle  []*kernel.Histogram
}

func (r *ranks) newDigits(model int, cuts []*cut) *digits {
	for _, c := range cuts {
		c.quota = c.rank
	}
	if r.wide {
		return &digits{of: model, cuts: cuts, format: kernel.F64}
	}
	return &digits{of: model, cuts: cuts, format: kernel.F32}
}

func (s *digits) model() int                  { return s.of }
func (s *digits) spans(*ranks, Tensor) []Span { return nil }

func (s *digits) count(x any, _ int64) {
	h := s.take()
	switch x := x.(type) {
	case []float32:
		h.Count(x)
	case []float64:
		h.Count64(x)
	}
	s.mu.Lock()
	s.idle = append(s.idle, h)
	s.mu.Unlock()
}

// take gives a goroutine a histogram of its own.
func (s *digits) take() *kernel.Histogram {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.idle); n > 0 {
		h := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return h
	}
	if s.total == nil {
		s.total = kernel.NewHistogram(s.format)
		return s.total // the first goroutine's is the one that the others are merged into
	}
	return s.total.Like()
}

func (s *digits) next(r *ranks) []search {
	for _, h := range s.idle {
		if h != s.total {
			s.total.Merge(h)
		}
	}
	s.idle = nil
	var out []search
	byDigit := map[int]*digits{}
	count := &equal{of: s.of}
	for _, c := range s.cuts {
		digit, rest := s.total.Find(c.quota)
		child := s.total.Child(digit)
		if child == nil {
			if c.place(s.total.Bits(digit), rest, s.total.Equal(digit), r.chunks) {
				count.cuts = append(count.cuts, c)
			}
			continue
		}
		c.quota = rest
		if byDigit[digit] == nil {
			byDigit[digit] = &digits{of: s.of, total: child}
			out = append(out, byDigit[digit])
		}
		byDigit[digit].cuts = append(byDigit[digit].cuts, c)
	}
	if len(count.cuts) > 0 {
		out = append(out, count)
	}
	return out
}

// equal counts the entries that are equal to cuts in each chunk, or in those of some chunks that are
// not known yet.
type equal struct {
	of   int
	cuts []*cut
	only []Span // nil: every chunk

	wanted map[int64]bool // the chunks of only
}

func (s *equal) model() int                  { return s.of }
func (s *equal) spans(*ranks, Tensor) []Span { return s.only }

func (s *equal) count(x any, chunk int64) {
	if s.only != nil && !s.wanted[chunk] {
		return // read for the sake of another model
	}
	for _, c := range s.cuts {
		n := int64(0)
		switch x := x.(type) {
		case []float32:
			n = kernel.CountEqual(x, uint32(c.at))
		case []float64:
			for _, v := range x {
				if math.Float64bits(v)&^(1<<63) == c.at {
					n++
				}
			}
		}
		c.before[chunk] += n // one goroutine a chunk
	}
}

func (s *equal) next(*ranks) []search {
	for _, c := range s.cuts {
		c.accumulate()
	}
	return nil
}

package method

import (
	"math"
	"sync"

	"parfait/merge/kernel"
)

// A cut in a large tensor is first guessed from a sample, as magnitudes between which it lies almost
// certainly; then one pass counts what is above and keeps a count of every magnitude between
// (Floyd and Rivest, Expected time bounds for selection, CACM 18(3), 1975).

const (
	sampleSpans    = 64
	sampleElements = 4096    // a span
	leastForGuess  = 1 << 20 // entries of a tensor that is sampled
	mostWindows    = 4       // cuts of a model that are looked for in this way; more are cheaper by digits
	widestWindow   = 1 << 20 // magnitudes in a window
	sampleShift    = 15      // bits of a magnitude below those that a sample counts
	sketchEntries  = 64      // different magnitudes of a chunk that are remembered

	windowsInFlight = 2 // tensors whose counts are kept at one time: one ends while the next begins
)

// ranking is implemented by methods that look for ranks: how many for each model and output.
type ranking interface{ cuts() int }

// ScanMemory is about what the statistics of a method take, in bytes, for some outputs of a merge.
func ScanMemory(m Method, models, outs, workers int) int64 {
	r, ok := m.(ranking)
	if !ok {
		return 0
	}
	windows := int64(min(r.cuts()*outs, mostWindows) * models)
	return 4 * widestWindow * (windowsInFlight*windows + 2*int64(workers))
}

// Span is a part of a tensor: what a pass has to read of it.
type Span struct{ Start, Len int64 }

// guess samples a tensor for the cuts of a model.
type guess struct {
	of   int
	cuts []*cut

	mu     sync.Mutex
	size   int64
	counts []uint32 // of the samples' upper 16 bits, from the first span on
}

// spareCounts are arrays of zeros by their length: widestWindow, a quarter, and so on. What is put back
// has to be zeros again.
var spareCounts [4]sync.Pool

// takeCounts gives an array of at least n zeros, n up to widestWindow.
func takeCounts(n uint32) []uint32 {
	class, size := 0, widestWindow
	for class+1 < len(spareCounts) && n <= uint32(size/4) {
		class, size = class+1, size/4
	}
	if spare, ok := spareCounts[class].Get().([]uint32); ok {
		return spare
	}
	return make([]uint32, size)
}

// giveCounts takes an array back whose first n elements may not be zeros.
func giveCounts(counts []uint32, n uint32) {
	clear(counts[:n])
	class := 0
	for size := len(counts); size < widestWindow; size *= 4 {
		class++
	}
	spareCounts[class].Put(counts) //nolint:staticcheck // a slice's header is small
}

// tallies are what goroutines count a part of a chunk with: as many as there are goroutines, not as
// windows, since each is empty again after a part.
var tallies = sync.Pool{New: func() any { return &windowTally{counts: make([]uint32, widestWindow)} }}

func (s *guess) model() int { return s.of }

// spans are spread evenly.
func (s *guess) spans(_ *ranks, t Tensor) []Span {
	n := min(sampleSpans, t.Len/(16*sampleElements))
	out := make([]Span, n)
	for i := range out {
		out[i] = Span{t.Len / n * int64(i), sampleElements}
	}
	return out
}

func (s *guess) see(x any, _ int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts == nil {
		s.counts = make([]uint32, math.MaxUint16+1)
	}
	v := x.([]float32)
	for _, u := range v {
		s.counts[uint16(math.Float32bits(u)>>sampleShift)]++ // the sign is cut off
	}
	s.size += int64(len(v))
}

// find is the digit of the rank-th largest sample.
func (s *guess) find(rank int64) uint32 {
	d := uint32(math.MaxUint16)
	for ; d > 0 && rank > int64(s.counts[d]); d-- {
		rank -= int64(s.counts[d])
	}
	return d
}

// next opens a window of eight standard deviations of the sample's quantile on both sides of it:
// entries that are near each other are alike.
func (s *guess) next(r *ranks) []search {
	size := float64(s.size)
	var out []search
	var rest []*cut
	for _, c := range s.cuts {
		share := float64(c.rank) / float64(r.n)
		slack := 8*math.Sqrt(size*share*(1-share)) + 16
		top, bottom := s.find(int64(max(1, size*share-slack))), s.find(int64(min(size, size*share+slack)))
		w := &window{of: s.of, cut: c, low: bottom << sampleShift, high: (top + 1) << sampleShift}
		if size*share-slack < 1 {
			w.high = math.Float32bits(float32(math.Inf(1)))
		}
		if size*share+slack > size {
			w.low = 0
		}
		if w.high-w.low > widestWindow {
			rest = append(rest, c)
			continue
		}
		w.sketches = make([]sketch, r.chunks)
		out = append(out, w)
	}
	if len(rest) > 0 {
		out = append(out, r.newDigits(s.of, rest))
	}
	s.counts = nil
	return out
}

// window settles a cut between two magnitudes.
type window struct {
	of        int
	cut       *cut
	low, high uint32

	mu       sync.Mutex
	above    int64 // entries at high and above
	within   int64
	counts   []uint32 // of each magnitude from low on, from the first chunk on
	sketches []sketch // a chunk
}

// sketch remembers how many entries of a chunk have each magnitude within, if these are few.
type sketch struct {
	many bool
	list []sketched
}

type sketched struct{ offset, n uint32 }

func (s *sketch) add(offset, n uint32) {
	if s.many {
		return
	}
	for i := range s.list {
		if s.list[i].offset == offset {
			s.list[i].n += n
			return
		}
	}
	if s.many = len(s.list) == sketchEntries; s.many {
		s.list = nil
		return
	}
	s.list = append(s.list, sketched{offset, n})
}

// windowTally is one goroutine's counts for a part of a chunk.
type windowTally struct {
	counts []uint32
	met    []uint32 // offsets with a count
}

func (w *window) model() int                  { return w.of }
func (w *window) spans(*ranks, Tensor) []Span { return nil }

func (w *window) see(x any, chunk int64) {
	t := tallies.Get().(*windowTally)
	defer tallies.Put(t)
	above := t.count(x.([]float32), w.low, w.high)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.counts == nil {
		w.counts = takeCounts(w.high - w.low)
	}
	w.above += above
	s := &w.sketches[chunk]
	for _, offset := range t.met {
		n := t.counts[offset]
		t.counts[offset] = 0
		w.counts[offset] += n
		w.within += int64(n)
		s.add(offset, n)
	}
	t.met = t.met[:0]
}

// count tallies the magnitudes from low to high and returns how many are at high or above.
func (t *windowTally) count(x []float32, low, high uint32) (above int64) {
	var found [512 + kernel.PickMargin]uint32
	for len(x) > 0 {
		part := x[:min(len(x), len(found)-kernel.PickMargin)]
		x = x[len(part):]
		picked, beyond := kernel.Pick(found[:], part, low, high)
		above += beyond
		for _, u := range found[:picked] {
			if t.counts[u-low] == 0 {
				t.met = append(t.met, u-low)
			}
			t.counts[u-low]++
		}
	}
	return above
}

// next places the cut, or gives it to digits where the sample had misled.
func (w *window) next(r *ranks) []search {
	defer w.release()
	rest := w.cut.rank - w.above
	if rest < 1 || rest > w.within {
		return []search{r.newDigits(w.of, []*cut{w.cut})}
	}
	offset := int(w.high-w.low) - 1
	for ; rest > int64(w.counts[offset]); offset-- {
		rest -= int64(w.counts[offset])
	}
	if !w.cut.place(uint64(w.low)+uint64(offset), rest, int64(w.counts[offset]), r.chunks) {
		return nil
	}
	count := &equal{of: w.of, cuts: []*cut{w.cut}, only: []Span{}, wanted: map[int64]bool{}}
	for i, s := range w.sketches {
		if s.many {
			start := int64(i) * ChunkElements
			count.only = append(count.only, Span{start, min(ChunkElements, r.n-start)})
			count.wanted[int64(i)] = true
		}
		for _, known := range s.list {
			if known.offset == uint32(offset) {
				w.cut.before[i] = int64(known.n)
			}
		}
	}
	if len(count.only) == 0 {
		w.cut.accumulate()
		return nil
	}
	return []search{count}
}

// release gives the array back.
func (w *window) release() {
	if w.counts != nil {
		giveCounts(w.counts, w.high-w.low)
		w.counts = nil
	}
}

package method

import (
	"math"
	"sync"

	"parfait/merge/kernel"
)

// How a cut is found in a large tensor: selection by a sample, after Floyd and Rivest (Expected time bounds
// for selection, CACM 18(3), 1975).
//
// Wanted is the magnitude v that has exactly k entries of a task vector above it, of n, where the entries come
// as a stream of chunks in any order, on several processors, and are too many to be kept. Magnitudes are taken
// as the bits of their float32 without the sign: non-negative floats order as these integers do, so that
// neighbours are one apart and a range of magnitudes is a range of indices into an array of counts.
//
//  1. sampling reads 64 spans of 4096 entries, spread evenly, and counts their upper 16 bits. In a random
//     sample of m entries the number of those above v is binomial with mean m·k/n and standard deviation
//     √(m·(k/n)(1−k/n)). Entries that are near each other are alike, so that a window is opened not of one or
//     two but of eight standard deviations to both sides of the sample's quantile.
//  2. window reads every entry once: it counts those above the window and, by magnitude, those in it.
//     Invariant: above + Σ counts = the number of entries at low and higher. If above < k ≤ above + Σ counts
//     the cut lies in the window, and going down the counts from its top finds it exactly. Whatever the sample
//     said, the answer is right or known to be missing: then digits finds it, by histograms alone.
//  3. Of the entries equal to v only some lie above the cut, those with the lowest indices. Which these are is
//     known from the number of equal entries in each chunk before. The window remembers up to 64 different
//     magnitudes a chunk; only chunks with more are read again (equal).
//
// Cost: one pass over the tensor and 1/16 of it at most for the sample, against two passes of digits (four in
// float64), and O(1) memory: 4 MiB a window. Results are integers that are added up, and so the same whatever
// the order of the chunks.

const (
	sampleSpans    = 64
	sampleElements = 4096    // a span
	minSampled     = 1 << 20 // entries of a tensor that is sampled
	maxWindows     = 4       // cuts of a model that are looked for in this way; more are cheaper by digits
	maxWindow      = 1 << 20 // magnitudes in a window
	sampleShift    = 15      // bits of a magnitude below those that a sample counts
	maxRemembered  = 64      // different magnitudes of a chunk that are remembered

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
	windows := int64(min(r.cuts()*outs, maxWindows) * models)
	return 4 * maxWindow * (windowsInFlight*windows + 2*int64(workers))
}

// Span is a part of a tensor: what a pass has to read of it.
type Span struct{ Start, Len int64 }

// sampling samples a tensor for the cuts of a model.
type sampling struct {
	of   int
	cuts []*cut

	mu     sync.Mutex
	size   int64
	counts []uint32 // of the samples' upper 16 bits, from the first span on
}

// spareCounts are arrays of zeros by their length: maxWindow, a quarter, and so on. What is put back
// has to be zeros again.
var spareCounts [4]sync.Pool

// takeCounts gives an array of at least n zeros, n up to maxWindow.
func takeCounts(n uint32) []uint32 {
	class, size := 0, maxWindow
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
	for size := len(counts); size < maxWindow; size *= 4 {
		class++
	}
	spareCounts[class].Put(counts) //nolint:staticcheck // a slice's header is small
}

// tallies are what goroutines count a part of a chunk with: as many as there are goroutines, not as
// windows, since each is empty again after a part.
var tallies = sync.Pool{New: func() any { return &tally{counts: make([]uint32, maxWindow)} }}

func (s *sampling) model() int { return s.of }

// spans are spread evenly.
func (s *sampling) spans(_ *ranks, t Tensor) []Span {
	n := min(sampleSpans, t.Len/(16*sampleElements))
	out := make([]Span, n)
	for i := range out {
		out[i] = Span{t.Len / n * int64(i), sampleElements}
	}
	return out
}

func (s *sampling) count(x any, _ int64) {
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
func (s *sampling) find(rank int64) uint32 {
	d := uint32(math.MaxUint16)
	for ; d > 0 && rank > int64(s.counts[d]); d-- {
		rank -= int64(s.counts[d])
	}
	return d
}

// next opens a window of eight standard deviations of the sample's quantile on both sides of it:
// entries that are near each other are alike.
func (s *sampling) next(r *ranks) []search {
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
		if w.high-w.low > maxWindow {
			rest = append(rest, c)
			continue
		}
		w.perChunk = make([]chunkCounts, r.chunks)
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
	counts   []uint32      // of each magnitude from low on, from the first chunk on
	perChunk []chunkCounts // a chunk
}

// chunkCounts remembers how many entries of a chunk have each magnitude within, if these are few.
type chunkCounts struct {
	many bool
	list []magnitudeCount
}

type magnitudeCount struct{ offset, n uint32 }

func (s *chunkCounts) add(offset, n uint32) {
	if s.many {
		return
	}
	for i := range s.list {
		if s.list[i].offset == offset {
			s.list[i].n += n
			return
		}
	}
	if s.many = len(s.list) == maxRemembered; s.many {
		s.list = nil
		return
	}
	s.list = append(s.list, magnitudeCount{offset, n})
}

// tally is one goroutine's counts for a part of a chunk.
type tally struct {
	counts []uint32
	met    []uint32 // offsets with a count
}

func (w *window) model() int                  { return w.of }
func (w *window) spans(*ranks, Tensor) []Span { return nil }

func (w *window) count(x any, chunk int64) {
	t := tallies.Get().(*tally)
	defer tallies.Put(t)
	above := t.add(x.([]float32), w.low, w.high)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.counts == nil {
		w.counts = takeCounts(w.high - w.low)
	}
	w.above += above
	s := &w.perChunk[chunk]
	for _, offset := range t.met {
		n := t.counts[offset]
		t.counts[offset] = 0
		w.counts[offset] += n
		w.within += int64(n)
		s.add(offset, n)
	}
	t.met = t.met[:0]
}

// add tallies the magnitudes from low to high and returns how many are at high or above.
func (t *tally) add(x []float32, low, high uint32) (above int64) {
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
	for i, s := range w.perChunk {
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

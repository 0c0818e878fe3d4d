package merge

import (
	"context"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"

	"parfait/internal/rescue"
	"parfait/merge/codes"
	"parfait/merge/kernel"
	"parfait/merge/method"
)

// chunk is a run of elements of one tensor.
type chunk struct {
	index int
	start int64
	n     int
}

// job is one execution of a plan for some outputs.
type job struct {
	plan    *Plan
	outs    []*output
	groups  []groupUse
	workers int
	meter   *meter
	hash    *hashing // nil: nothing is hashed
	masked  maskCounts
	notes   []string // what statistics say for the receipt
	cuts    [][]cut  // a module of an adapter that is written, an output: what truncation takes away
	free    chan *worker
	ledger  *ledger // nil, or which matrices are written already

	shardSize int64
}

// groupUse is what the outputs ask for in one group.
type groupUse struct {
	settings []method.Setting // an output
	idle     []bool           // an output: every weight is zero, the base is copied
	need     []bool           // a model: whether an output uses it
}

// newJob resolves the coefficients of all outputs; the error names all that is wrong with any of them.
func newJob(p *Plan, outs []*output, workers int) (*job, error) {
	if workers <= 0 {
		workers = defaultWorkers()
	}
	j := &job{plan: p, outs: outs, workers: workers, free: make(chan *worker, workers)}
	j.masked = maskCounts{make([]atomic.Int64, len(p.models)), make([]atomic.Int64, len(outs))}
	j.groups = make([]groupUse, p.r.classes())
	var found problems
	for k, out := range outs {
		settings, err := p.r.settings(k, out.At)
		if err != nil {
			found.take(codes.CoefficientValue, out.Target, err)
			continue
		}
		for g := range settings {
			u := &j.groups[g]
			if u.need == nil {
				u.need = make([]bool, len(p.models))
			}
			idle := true
			for i, a := range p.r.active(settings[g]) {
				u.need[i] = u.need[i] || a || p.r.info.ReadsAll
				idle = idle && !a
			}
			u.settings = append(u.settings, settings[g])
			u.idle = append(u.idle, idle && p.r.info.NeedsBase)
		}
	}
	if p.r.spec.Prepare.matrices() && j.groups[0].need != nil {
		j.groups = append(j.groups, j.groups[0].averaged(len(p.models)))
	}
	for range workers {
		j.free <- &worker{job: j}
	}
	return j, found.err()
}

// defaultWorkers is a worker a processor, and no more than keep a disk busy.
func defaultWorkers() int { return min(runtime.GOMAXPROCS(0), 8) }

func (j *job) uses(t *tensor) *groupUse { return &j.groups[t.group] }

// worker is one goroutine's buffers.
type worker struct {
	job    *job
	bytes  [][]byte // as read and written; the fused kernel has one for each operand and output
	factor []byte   // as read of an adapter
	narrow *workspace[float32]
	wide   *workspace[float64]
}

// buffer is the i-th buffer for the bytes of a chunk.
func (w *worker) buffer(i int) []byte {
	for len(w.bytes) <= i {
		w.bytes = append(w.bytes, nil)
	}
	if w.bytes[i] == nil {
		w.bytes[i] = make([]byte, w.job.plan.widest*method.ChunkElements)
	}
	return w.bytes[i]
}

// read reads n elements of an operand from start on into a buffer.
func (w *worker) read(into []byte, o operand, start int64, n int) ([]byte, error) {
	if o.rows != nil {
		return w.gather(into, o, start, n)
	}
	size := o.tensor.DType.Bits() / 8
	raw := into[:int64(n)*size]
	if _, err := o.file.ReadAt(raw, o.tensor.Offset+start*size); err != nil {
		return nil, readProblem(o, err)
	}
	w.job.meter.add(int64(len(raw)))
	w.job.hash.read(o, start, raw)
	return raw, nil
}

func readProblem(o operand, err error) error {
	return Problem{Code: codes.Read, Where: o.file.Path() + ": " + o.tensor.Name, What: err.Error(), Expected: "a file that can be read to its end", Fix: "the file was cut short or the disk fails: take a good copy"}
}

// run merges every tensor.
func (j *job) run(ctx context.Context) error {
	copied, merged := j.plan.byRole()
	merged = j.plan.unprepared(merged)
	if err := j.each(ctx, copied, j.copyChunk); err != nil {
		return err
	}
	stats, err := j.scanModel(ctx, merged)
	if err != nil {
		return err
	}
	for _, window := range j.windows(merged, stats != nil) {
		if err := j.mergeWindow(ctx, window, stats); err != nil {
			return err
		}
	}
	if err := j.writeProducts(ctx); err != nil {
		return err
	}
	if speaker, ok := stats.(interface{ Notes() []string }); ok {
		j.notes = append(j.notes, speaker.Notes()...)
	}
	return nil
}

// each calls f for every chunk of the tensors, on all workers. Chunks are claimed in order, so that the
// error that comes back is the one of the first chunk that has any, however many workers there are.
func (j *job) each(ctx context.Context, ts []*tensor, f func(w *worker, t *tensor, c chunk) error) error {
	return j.eachOf(ctx, ts, nil, f)
}

// eachOf is each for the spans of some tensors; a tensor without spans is taken whole.
func (j *job) eachOf(ctx context.Context, ts []*tensor, spans map[*tensor][]method.Span, f func(w *worker, t *tensor, c chunk) error) error {
	first := make([]int64, len(ts)+1) // number of the first chunk of each tensor
	for i, t := range ts {
		if part := spans[t]; part != nil {
			first[i+1] = first[i] + int64(len(part))
		} else {
			first[i+1] = first[i] + j.chunks(t)
		}
	}
	total := first[len(ts)]
	var next, failed atomic.Int64
	failed.Store(total)
	var mu sync.Mutex
	var worst error
	var wg rescue.Group
	for range min(int64(j.workers), total) {
		wg.Go(func() {
			w := <-j.free
			defer func() { j.free <- w }()
			for ctx.Err() == nil {
				n := next.Add(1) - 1
				if n >= failed.Load() {
					return
				}
				i := sort.Search(len(ts), func(i int) bool { return first[i+1] > n })
				var c chunk
				if part := spans[ts[i]]; part != nil {
					c = chunk{int(part[n-first[i]].Start / method.ChunkElements), part[n-first[i]].Start, int(part[n-first[i]].Len)}
				} else {
					c = j.chunk(ts[i], n-first[i])
				}
				if err := f(w, ts[i], c); err != nil {
					mu.Lock()
					if n < failed.Load() {
						failed.Store(n)
						worst = err
					}
					mu.Unlock()
					return
				}
			}
		})
	}
	wg.Wait()
	if worst != nil {
		return worst
	}
	return ctx.Err()
}

// chunks is the number of chunks of a tensor.
func (j *job) chunks(t *tensor) int64 {
	if t.Len == 0 {
		return 0
	}
	if row := t.Row(); j.byRows(t) {
		if row > method.ChunkElements {
			return t.Len / row * ceil(row, method.ChunkElements)
		}
		return ceil(t.Len, method.ChunkElements/row*row)
	}
	return ceil(t.Len, method.ChunkElements)
}

// chunk is the i-th chunk of a tensor.
func (j *job) chunk(t *tensor, i int64) chunk {
	start, end := i*method.ChunkElements, t.Len
	size := int64(method.ChunkElements)
	if row := t.Row(); j.byRows(t) {
		if row > method.ChunkElements {
			blocks := ceil(row, method.ChunkElements)
			start = i/blocks*row + i%blocks*method.ChunkElements
			end = (i/blocks + 1) * row
		} else {
			size = method.ChunkElements / row * row
			start = i * size
		}
	}
	return chunk{int(i), start, int(min(size, end-start))}
}

func (j *job) byRows(t *tensor) bool { return t.role == roleMerge && j.plan.r.info.Rows }

func ceil(a, b int64) int64 { return (a + b - 1) / b }

// copyChunk copies a tensor that is taken from the base, converting floats where a dtype was asked for.
func (j *job) copyChunk(w *worker, t *tensor, c chunk) error {
	in := t.layout.tensor.DType
	lo, hi := c.start*in.Bits()/8, (c.start+int64(c.n))*in.Bits()/8
	raw := w.buffer(0)[:hi-lo]
	if t.layout.rows != nil {
		if _, err := w.gather(raw, t.layout, c.start, c.n); err != nil {
			return err
		}
	} else {
		if _, err := t.layout.file.ReadAt(raw, t.layout.tensor.Offset+lo); err != nil {
			return readProblem(t.layout, err)
		}
		j.meter.add(hi - lo)
		j.hash.read(t.layout, c.start, raw)
	}
	if t.out != in {
		converted := w.buffer(1)[:int64(c.n)*t.out.Bits()/8]
		kernel.Convert(vector(converted, t.out), vector(raw, in))
		raw = converted
	}
	for k := range j.outs {
		if err := j.put(k, t, c, raw); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) workspace32() *workspace[float32] {
	if w.narrow == nil {
		w.narrow = newWorkspace[float32](len(w.job.plan.models), len(w.job.outs))
	}
	return w.narrow
}

func (w *worker) workspace64() *workspace[float64] {
	if w.wide == nil {
		w.wide = newWorkspace[float64](len(w.job.plan.models), len(w.job.outs))
	}
	return w.wide
}

// put writes a chunk's bytes into an output.
func (j *job) put(k int, t *tensor, c chunk, raw []byte) error {
	out := j.outs[k]
	place := out.places[t.outName()]
	f := out.files[place.file]
	if _, err := f.file.WriteAt(raw, place.offset+c.start*t.out.Bits()/8); err != nil {
		return writeProblem(f.path, err)
	}
	j.meter.add(int64(len(raw)))
	j.hash.wrote(k, place.file, t.outName(), c.start, raw)
	return nil
}

// mergeWindow gathers the statistics of some tensors, then merges them.
func (j *job) mergeWindow(ctx context.Context, ts []*tensor, whole method.Stats) error {
	stats, err := j.scanTensors(ctx, ts, whole)
	if err != nil {
		return err
	}
	return j.each(ctx, ts, func(w *worker, t *tensor, c chunk) error {
		switch {
		case j.fused(t):
			return w.fuse(t, c)
		case t.Wide:
			return w.workspace64().merge(w, t, c, stats[t.Index])
		}
		return w.workspace32().merge(w, t, c, stats[t.Index])
	})
}

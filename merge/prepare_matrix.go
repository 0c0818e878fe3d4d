package merge

import (
	"context"

	"github.com/zeebo/xxh3"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"parfait/merge/method"
	"parfait/merge/spectral"
)

// prepareMatrices prepares and writes every matrix that is not written yet.
func (j *job) prepareMatrices(ctx context.Context, progress func(Progress)) error {
	p := j.plan
	if len(p.matrices) == 0 {
		return nil
	}
	var total int64
	var left []*tensor
	for _, t := range p.matrices {
		if !j.ledger.has(t.Name) {
			left = append(left, t)
			total += int64(p.work(t))
		}
	}
	j.meter = startMeter("", 0, nil) // bytes are not what takes the time
	said := progress
	if progress != nil {
		said = func(p Progress) {
			p.Work = true
			progress(p)
		}
	}
	m := startMeter("prepare", total, said)
	at := p.pace(j.workers)
	err := each(at.matrices, len(left), func(n int) error {
		if err := j.prepareMatrix(ctx, left[n], at.models); err != nil {
			return err
		}
		m.add(int64(p.work(left[n])))
		return nil
	})
	m.end(err == nil)
	j.meter.end(false)
	return err
}

// matrix is a tensor of two dimensions while it is prepared: its longer side are the rows.
type matrix struct {
	job        *job
	t          *tensor
	rows, cols int
	wide       bool // it is stored as cols × rows
	readers    []*worker
	spare      []*mat.Dense // a model: the base's rows
	weights    []float64    // what task vectors are multiplied by; nil: nothing
}

func (j *job) prepareMatrix(ctx context.Context, t *tensor, atOnce int) error {
	n := len(j.plan.models)
	x := &matrix{job: j, t: t, rows: int(max(t.Shape[0], t.Shape[1])), cols: int(min(t.Shape[0], t.Shape[1])), wide: t.Shape[0] < t.Shape[1], spare: make([]*mat.Dense, n)}
	for range n {
		x.readers = append(x.readers, &worker{job: j})
	}
	s := spectral.Stack{Models: n, Rows: x.rows, Cols: x.cols, Turned: x.wide, Read: x.read, AtOnce: atOnce}
	sinks := make([]*sink, len(j.outs))
	for k := range sinks {
		sinks[k] = newSink(x, k)
	}
	if err := x.execute(ctx, s, sinks); err != nil {
		return err
	}
	var sums []string
	for _, out := range sinks {
		if err := out.flush(true); err != nil {
			return err
		}
		sums = append(sums, digestText(out.digest.Sum128()))
	}
	return j.ledger.add(j, t, sums)
}

// execute makes the rows of every output.
func (x *matrix) execute(ctx context.Context, s spectral.Stack, sinks []*sink) error {
	prep, use := x.job.plan.r.spec.Prepare, x.job.groups[0]
	weights := func(k int) []float64 {
		out := make([]float64, s.Models)
		for i := range out {
			out[i] = use.settings[k].Effective(i)
		}
		return out
	}
	if prep.Name == PrepareTSV {
		return spectral.TSV(ctx, s, prep.rankOf(x.t.Shape[0], x.t.Shape[1], s.Models), func(first, rows int, shares []*mat.Dense) error {
			for k, out := range sinks {
				if err := out.put(first, rows, shares, weights(k)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for k, out := range sinks {
		x.weights = weights(k)
		write := func(first, rows int, shares []*mat.Dense) error { return out.put(first, rows, shares, []float64{1}) }
		var err error
		if prep.Name == PrepareIsoC {
			err = spectral.Iso(ctx, s, write)
		} else {
			err = spectral.IsoCTS(ctx, s, prep.share(), write)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// read is spectral.Stack.Read.
func (x *matrix) read(ctx context.Context, model, first int, into *mat.Dense) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := x.readers[model]
	if err := x.stored(w, x.t.models[model], x.job.plan.r.spec.Models[model].Name, first, into); err != nil {
		return err
	}
	n, _ := into.Dims()
	if x.spare[model] == nil {
		x.spare[model] = mat.NewDense(n, x.cols, nil) // the first run is the longest
	}
	base := x.spare[model].Slice(0, n, 0, x.cols).(*mat.Dense)
	if err := x.stored(w, x.t.base, "base", first, base); err != nil {
		return err
	}
	into.Sub(into, base)
	if x.weights != nil {
		into.Scale(x.weights[model], into)
	}
	return nil
}

// stored reads rows as an input has them.
func (x *matrix) stored(w *worker, o operand, name string, first int, into *mat.Dense) error {
	n, _ := into.Dims()
	raw := into.RawMatrix()
	if x.wide {
		run := make([]float64, n)
		for c := range x.cols {
			if err := readRun(w, run, o, int64(c)*int64(x.rows)+int64(first), name); err != nil {
				return err
			}
			for r, v := range run {
				raw.Data[r*raw.Stride+c] = v
			}
		}
		return nil
	}
	for r := range n {
		if err := readRun(w, raw.Data[r*raw.Stride:][:x.cols], o, int64(first+r)*int64(x.cols), name); err != nil {
			return err
		}
	}
	return nil
}

// sink takes rows of prepared task vectors and writes θ₀ + their sum into an output, in runs that are hashed.
type sink struct {
	*matrix
	k      int
	base   *worker
	rows   *mat.Dense
	raw    []byte // encoded, from element start on; of a wide matrix the whole
	start  int64
	digest *xxh3.Hasher
}

func newSink(x *matrix, k int) *sink {
	o := &sink{matrix: x, k: k, base: &worker{job: x.job}, digest: xxh3.New()}
	if x.wide {
		o.raw = make([]byte, x.t.bytes())
	}
	return o
}

// put takes a run of rows of some shares, to be summed with weights.
func (o *sink) put(first, rows int, shares []*mat.Dense, weights []float64) error {
	if o.rows == nil {
		o.rows = mat.NewDense(rows, o.cols, nil) // the first run is the longest
	}
	sum := o.rows.Slice(0, rows, 0, o.cols).(*mat.Dense)
	if err := o.stored(o.base, o.t.base, "base", first, sum); err != nil {
		return err
	}
	for i, share := range shares {
		if share == nil || weights[i] == 0 {
			continue
		}
		for r := range rows {
			blas64.Axpy(weights[i], blas64.Vector{N: o.cols, Inc: 1, Data: share.RawRowView(r)}, blas64.Vector{N: o.cols, Inc: 1, Data: sum.RawRowView(r)})
		}
	}
	size := o.t.out.Bits() / 8
	encoded := func(raw []byte, values []float64, start int64) error {
		if encode(vector(raw, o.t.out), values) {
			return nil
		}
		return o.base.overflow(o.t, start, o.k, raw)
	}
	if o.wide {
		column := make([]float64, rows)
		for c := range o.cols {
			at := int64(c)*int64(o.matrix.rows) + int64(first)
			if err := encoded(o.raw[at*size:(at+int64(rows))*size], mat.Col(column, c, sum), at); err != nil {
				return err
			}
		}
		return nil
	}
	for r := range rows {
		n := len(o.raw)
		o.raw = append(o.raw, make([]byte, int64(o.cols)*size)...)
		if err := encoded(o.raw[n:], sum.RawRowView(r), int64(first+r)*int64(o.cols)); err != nil {
			return err
		}
	}
	return o.flush(false)
}

// flush writes whole runs, and at the end all there is.
func (o *sink) flush(end bool) error {
	size := o.t.out.Bits() / 8
	at := int64(0)
	for have := int64(len(o.raw)); at < have; {
		n := min(int64(method.ChunkElements), (have-at)/size)
		if n < method.ChunkElements && !end {
			break
		}
		raw := o.raw[at : at+n*size]
		if err := o.job.put(o.k, o.t, chunk{int(o.start / method.ChunkElements), o.start, int(n)}, raw); err != nil {
			return err
		}
		_, _ = o.digest.Write(raw) // a hash takes everything
		at, o.start = at+n*size, o.start+n
	}
	o.raw = append(o.raw[:0], o.raw[at:]...)
	return nil
}

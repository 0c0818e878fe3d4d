package merge

import (
	"fmt"
	"math"

	"parfait/merge/kernel"
	"parfait/merge/safetensors"
)

// bench is one worker's buffers for one arithmetic, reused from chunk to chunk.
type bench[F Float] struct {
	base   []F
	models [][]F
	outs   [][]F
	tiles  []Tile[F]
}

func newBench[F Float](models, outs int) *bench[F] {
	return &bench[F]{base: make([]F, ChunkElements), models: make([][]F, models), outs: make([][]F, outs)}
}

// out is the buffer of output k.
func (b *bench[F]) out(k, n int) []F {
	if b.outs[k] == nil {
		b.outs[k] = make([]F, ChunkElements)
	}
	return b.outs[k][:n]
}

// load reads and decodes a chunk: the base, and every model that is needed as the method wants it.
func load[F Float](w *worker, b *bench[F], t *tensor, c chunk, need []bool) (Chunk[F], error) {
	in := Chunk[F]{Tensor: t.TensorInfo, Index: c.index, Start: c.start, Models: make([][]F, len(need))}
	if t.base.present() {
		in.Base = b.base[:c.n]
		if err := readElements(w, in.Base, t.base, c.start, "base"); err != nil {
			return in, err
		}
	}
	for i, wanted := range need {
		if !wanted {
			continue
		}
		if b.models[i] == nil {
			b.models[i] = make([]F, ChunkElements)
		}
		in.Models[i] = b.models[i][:c.n]
		if err := readElements(w, in.Models[i], t.models[i], c.start, w.job.plan.r.spec.Models[i].Name); err != nil {
			return in, err
		}
		if w.job.plan.r.info.Operand == Deltas {
			subtract(in.Models[i], in.Base)
		}
	}
	return in, nil
}

// readElements reads and decodes dst's elements of an operand from start on, and refuses NaN and Inf.
func readElements[F Float](w *worker, dst []F, o operand, start int64, input string) error {
	raw, err := w.read(w.raw, o, start, len(dst))
	if err != nil {
		return err
	}
	if !decode(dst, vector(raw, o.tensor.DType)) {
		return notFiniteInput(raw, o, start, input)
	}
	return nil
}

// notFiniteInput names the first element of raw that is not finite.
func notFiniteInput(raw []byte, o operand, start int64, input string) error {
	v := vector(raw, o.tensor.DType)
	where := fmt.Sprintf("%s (%s)", input, o.file.Path())
	if i := kernel.FirstNonFinite(v); i >= 0 {
		return notFiniteProblem(o.tensor.Name, start+int64(i), where, v.At(i))
	}
	for i := range v.Len() { // an F64 that float32 cannot hold
		if x := v.At(i); math.IsInf(float64(float32(x)), 0) {
			return notFiniteProblem(o.tensor.Name, start+int64(i), where, x)
		}
	}
	return nil
}

func notFiniteProblem(tensor string, index int64, where string, v float64) Problem {
	return Problem{
		CodeNotFinite, fmt.Sprintf("%s: %s[%d]", where, tensor, index), fmt.Sprintf("the value %v", v), "finite numbers",
		"the model is damaged or its training diverged: take a good copy, leave it out, or take the tensor from the base with skip",
	}
}

// subtract makes θ into θ − θ₀.
func subtract[F Float](theta, base []F) {
	if t, ok := any(theta).([]float32); ok {
		kernel.Sub(t, t, any(base).([]float32))
		return
	}
	for i, v := range base {
		theta[i] -= v
	}
}

// decode fills dst with v's elements and says whether all are finite.
func decode[F Float](dst []F, v kernel.Vector) (ok bool) {
	if d, narrow := any(dst).([]float32); narrow {
		return kernel.Decode(d, v)
	}
	return kernel.Decode64(any(dst).([]float64), v)
}

// encode rounds src once into v and says whether all of v is finite.
func encode[F Float](v kernel.Vector, src []F) (ok bool) {
	if s, narrow := any(src).([]float32); narrow {
		return kernel.Encode(v, s)
	}
	return kernel.Encode64(v, any(src).([]float64))
}

// vector is raw as the kernel takes it.
func vector(raw []byte, d safetensors.DType) kernel.Vector {
	return kernel.Vector{Data: raw, Format: formats[d]}
}

var formats = map[safetensors.DType]kernel.Format{
	safetensors.BF16: kernel.BF16, safetensors.F16: kernel.F16, safetensors.F32: kernel.F32, safetensors.F64: kernel.F64,
}

// applyTo calls the method in the arithmetic of F.
func applyTo[F Float](m Method, dst []Tile[F], in Chunk[F], s Stats) {
	switch in := any(in).(type) {
	case Chunk[float32]:
		m.Apply32(any(dst).([]Tile[float32]), in, s)
	case Chunk[float64]:
		m.Apply64(any(dst).([]Tile[float64]), in, s)
	}
}

// reduceInto calls the reducer in the arithmetic of F.
func reduceInto[F Float](r Reducer, pass int, in Chunk[F]) {
	switch in := any(in).(type) {
	case Chunk[float32]:
		r.Reduce32(pass, in)
	case Chunk[float64]:
		r.Reduce64(pass, in)
	}
}

// mergeChunk computes one chunk of every output and writes it.
func mergeChunk[F Float](w *worker, b *bench[F], t *tensor, c chunk, s Stats) error {
	use := w.job.uses(t)
	in, err := load(w, b, t, c, use.need)
	if err != nil {
		return err
	}
	b.tiles = b.tiles[:0]
	for k, idle := range use.idle {
		out := b.out(k, c.n)
		if idle {
			copy(out, in.Base) // every weight is zero: the base, to the bit
			continue
		}
		b.tiles = append(b.tiles, Tile[F]{Setting: use.settings[k], Out: out})
	}
	if len(b.tiles) > 0 {
		applyTo(w.job.plan.r.method, b.tiles, in, s)
	}
	for k := range use.idle {
		raw := w.encoded[:int64(c.n)*t.out.Bits()/8]
		if !encode(vector(raw, t.out), b.out(k, c.n)) {
			return w.overflow(t, c, k, raw)
		}
		if err := w.job.put(k, t, c, raw); err != nil {
			return err
		}
	}
	return nil
}

// overflow names the first element of output k that is not finite.
func (w *worker) overflow(t *tensor, c chunk, k int, raw []byte) error {
	v := vector(raw, t.out)
	i := kernel.FirstNonFinite(v)
	return Problem{
		CodeNotFinite, fmt.Sprintf("%s: %s[%d]", w.job.outs[k].Target, t.Name, c.start+int64(i)), fmt.Sprintf("the merged value is %v as %s", v.At(i), t.out),
		"finite numbers", "the coefficients are too large for this dtype: lower them, or write bf16 or f32",
	}
}

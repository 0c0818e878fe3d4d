package merge

import (
	"fmt"
	"math"

	"parfait/merge/kernel"
	"parfait/merge/safetensors"
)

// desk is one worker's buffers for one arithmetic, reused from chunk to chunk.
type desk[F Float] struct {
	base    []F
	models  [][]F
	aux     [][]F
	outs    [][]F
	scratch [][]F
	average []F
	tiles   []Tile[F]
	loras   []factors[F]
	zeros   [][]uint64 // a model: bit e is set where element e of θᵢ is zero
}

func newDesk[F Float](models, outs int) *desk[F] {
	return &desk[F]{
		models: make([][]F, models), aux: make([][]F, models), outs: make([][]F, outs),
		zeros: make([][]uint64, models),
	}
}

// buffer is n elements of a buffer that is made when it is first needed.
func buffer[F Float](b *[]F, n int) []F {
	if *b == nil {
		*b = make([]F, ChunkElements)
	}
	return (*b)[:n]
}

// load reads and decodes a chunk: the base, and every model that is needed as the method wants it.
func (d *desk[F]) load(w *worker, t *tensor, c chunk, need []bool) (Chunk[F], error) {
	p := w.job.plan
	in := Chunk[F]{Tensor: t.TensorInfo, Index: c.index, Start: c.start, Models: make([][]F, len(need)), scratch: &d.scratch}
	if t.base.present() && (p.r.info.NeedsBase || t.leansOnBase) {
		in.Base = buffer(&d.base, c.n)
		if err := d.loadBase(w, t, c, in.Base); err != nil {
			return in, err
		}
	}
	for i, wanted := range need {
		if !wanted {
			continue
		}
		in.Models[i] = buffer(&d.models[i], c.n)
		if err := d.loadModel(w, t, c, i, in.Models[i], in.Base); err != nil {
			return in, err
		}
	}
	if t.aux == nil {
		return in, nil
	}
	in.Aux = make([][]F, len(need))
	for i, wanted := range need {
		if wanted {
			in.Aux[i] = buffer(&d.aux[i], c.n)
			if err := readElements(w, in.Aux[i], t.aux[i], c.start, p.r.spec.Models[i].Name); err != nil {
				return in, err
			}
		}
	}
	return in, nil
}

// loadBase reads θ₀. Rows that only models have (padded vocabularies) start from the first such model.
func (d *desk[F]) loadBase(w *worker, t *tensor, c chunk, base []F) error {
	have := t.base.elements(c.start, c.n)
	if err := readElements(w, base[:have], t.base, c.start, "base"); err != nil {
		return err
	}
	for i := 0; have < c.n && i < len(t.models); i++ {
		if n := t.models[i].elements(c.start, c.n); n > have {
			from := c.start + int64(have)
			if err := readElements(w, base[have:n], t.models[i], from, w.job.plan.r.spec.Models[i].Name); err != nil {
				return err
			}
			have = n
		}
	}
	return nil
}

// loadModel reads θᵢ or δᵢ. What a model lacks is as in the base.
func (d *desk[F]) loadModel(w *worker, t *tensor, c chunk, i int, dst, base []F) error {
	o, name := t.models[i], w.job.plan.r.spec.Models[i].Name
	deltas := w.job.plan.r.info.Operand == Deltas
	switch {
	case o.lora != nil:
		if err := d.loadLoRA(w, i, dst, o.lora, c, name); err != nil {
			return err
		}
		if deltas && w.job.plan.r.spec.Masks == MasksNone {
			return nil
		}
		plus(dst, base, dst)
	case deltas && w.job.plan.r.spec.Masks == MasksNone && o.elements(c.start, c.n) == c.n:
		return readDeltas(w, dst, base, o, c.start, name)
	default:
		have := o.elements(c.start, c.n)
		if err := readElements(w, dst[:have], o, c.start, name); err != nil {
			return err
		}
		if have < c.n {
			copy(dst[have:], base[have:])
		}
	}
	if w.job.plan.r.spec.Masks != MasksNone {
		if d.zeros[i] == nil {
			d.zeros[i] = make([]uint64, ChunkElements/64)
		}
		noteZeros(d.zeros[i], dst)
	}
	if deltas {
		minus(dst, dst, base)
	}
	return nil
}

// elements is how many of n elements from start on an operand has.
func (o operand) elements(start int64, n int) int {
	if o.file == nil {
		return 0
	}
	return int(min(max(o.tensor.Elements()-start, 0), int64(n)))
}

// readElements reads and decodes dst's elements of an operand from start on, and refuses NaN and Inf.
func readElements[F Float](w *worker, dst []F, o operand, start int64, input string) error {
	if len(dst) == 0 {
		return nil
	}
	raw, err := w.read(w.buffer(0), o, start, len(dst))
	if err != nil {
		return err
	}
	if !decode(dst, vector(raw, o.tensor.DType)) {
		return notFiniteInput(raw, o, start, input)
	}
	return nil
}

// readDeltas is readElements less the base, a block at a time while it is in the first caches.
func readDeltas[F Float](w *worker, dst, base []F, o operand, start int64, input string) error {
	raw, err := w.read(w.buffer(0), o, start, len(dst))
	if err != nil {
		return err
	}
	size := int(o.tensor.DType.Bits() / 8)
	for lo := 0; lo < len(dst); lo += BlockElements {
		hi := min(lo+BlockElements, len(dst))
		if !decode(dst[lo:hi], vector(raw[lo*size:hi*size], o.tensor.DType)) {
			return notFiniteInput(raw, o, start, input)
		}
		minus(dst[lo:hi], dst[lo:hi], base[lo:hi])
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

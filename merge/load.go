package merge

import (
	"fmt"
	"math"

	"parfait/merge/codes"
	"parfait/merge/kernel"
	"parfait/merge/method"
	"parfait/merge/safetensors"
)

// partElements is how much of a chunk is decoded at a time: what the inputs' parts take stays in the
// second cache, between the bytes that were read and the bytes that are to be written.
const partElements = 1 << 14

// workspace is one worker's buffers for one arithmetic, reused from part to part.
type workspace[F method.Float] struct {
	base    []F
	models  [][]F
	aux     [][]F
	outs    [][]F
	buffers method.Buffers[F]
	average []F // of an inspection
	tiles   []method.Tile[F]
	loras   []factors[F]
	zeros   [][]uint64 // a model: bit e is set where element e of θᵢ is zero
}

func newWorkspace[F method.Float](models, outs int) *workspace[F] {
	return &workspace[F]{
		models: make([][]F, models), aux: make([][]F, models), outs: make([][]F, outs),
		zeros: make([][]uint64, models),
	}
}

// buffer is n elements of a buffer that is made, or made longer, when it is needed.
func buffer[F method.Float](b *[]F, n int) []F {
	if cap(*b) < n {
		*b = make([]F, max(n, partElements))
	}
	return (*b)[:n]
}

// inputs are the bytes of one chunk in every input that is read; what is shorter than the chunk ends
// where its input does.
type inputs struct {
	base   []byte
	models [][]byte
	aux    [][]byte
}

// fetch reads a chunk: the base, and every model that is needed.
func (w *worker) fetch(t *tensor, c chunk, need []bool) (in inputs, err error) {
	p := w.job.plan
	in.models, in.aux = make([][]byte, len(need)), make([][]byte, len(need))
	have := c.n
	if p.readsBase(t) {
		have = t.base.elements(c.start, c.n)
		if in.base, err = w.read(w.buffer(0), t.base, c.start, have); err != nil {
			return in, err
		}
	}
	for i, o := range t.models {
		n := o.elements(c.start, c.n)
		starts := have < c.n && n > have // rows that the base lacks begin as this model's
		if have = max(have, n); n == 0 || !need[i] && !starts {
			continue
		}
		if in.models[i], err = w.read(w.buffer(1+i), o, c.start, n); err != nil {
			return in, err
		}
	}
	for i, o := range t.aux {
		if need[i] {
			if in.aux[i], err = w.read(w.buffer(1+len(need)+i), o, c.start, c.n); err != nil {
				return in, err
			}
		}
	}
	return in, nil
}

// readsBase says whether the base is needed to merge a tensor.
func (p *Plan) readsBase(t *tensor) bool {
	return t.base.present() && (p.r.info.NeedsBase || t.leansOnBase)
}

// reads is how many bytes of the inputs one reading of a tensor takes, but for adapters.
func (p *Plan) reads(t *tensor, need []bool) int64 {
	var n int64
	if p.readsBase(t) {
		n = t.base.bytes(t.Len)
	}
	for i, needed := range need {
		if needed {
			n += t.models[i].bytes(t.Len)
			if t.aux != nil {
				n += t.aux[i].bytes(t.Len)
			}
		}
	}
	return n
}

// bytes is the size of an operand's first n elements.
func (o operand) bytes(n int64) int64 {
	return int64(o.elements(0, int(n))) * o.tensor.DType.Bits() / 8
}

// elements is how many of n elements from start on an operand has.
func (o operand) elements(start int64, n int) int {
	if o.file == nil {
		return 0
	}
	return int(min(max(o.tensor.Elements()-start, 0), int64(n)))
}

// decode makes a part of a chunk, from element lo on, into what the method wants.
func (d *workspace[F]) decode(w *worker, t *tensor, c chunk, raw inputs, need []bool, lo, n int) (method.Chunk[F], error) {
	names := w.job.plan.r.spec.Models
	part := method.Chunk[F]{
		Tensor: t.Tensor, Index: c.index, Start: c.start + int64(lo), Models: make([][]F, len(need)), Buffers: &d.buffers,
		Deltas: w.job.plan.r.info.Operand == method.Deltas,
	}
	if w.job.plan.readsBase(t) {
		part.Base = buffer(&d.base, n)
		have, err := decodePart(part.Base, raw.base, t.base, c.start, lo, "base")
		for i := 0; err == nil && have < n && i < len(t.models); i++ {
			if more := t.models[i].elements(part.Start, n); more > have {
				_, err = decodePart(part.Base[have:more], raw.models[i], t.models[i], c.start, lo+have, names[i].Name)
				have = more
			}
		}
		if err != nil {
			return part, err
		}
	}
	for i, wanted := range need {
		if wanted {
			part.Models[i] = buffer(&d.models[i], n)
			if err := d.decodeModel(w, t, c, raw, i, lo, part); err != nil {
				return part, err
			}
		}
	}
	if t.aux != nil {
		part.Aux = make([][]F, len(need))
		for i, wanted := range need {
			if wanted {
				part.Aux[i] = buffer(&d.aux[i], n)
				if _, err := decodePart(part.Aux[i], raw.aux[i], t.aux[i], c.start, lo, names[i].Name); err != nil {
					return part, err
				}
			}
		}
	}
	return part, nil
}

// decodeModel makes θᵢ or δᵢ. What a model lacks is as in the base.
func (d *workspace[F]) decodeModel(w *worker, t *tensor, c chunk, raw inputs, i, lo int, part method.Chunk[F]) error {
	o, dst, r := t.models[i], part.Models[i], w.job.plan.r
	deltas := r.info.Operand == method.Deltas
	if o.lora != nil {
		if err := d.loadLoRA(w, i, dst, o.lora, part.Start); err != nil {
			return err
		}
		if deltas && r.spec.Masks == MasksNone {
			return nil
		}
		method.Add(dst, part.Base, dst)
	} else {
		have, err := decodePart(dst, raw.models[i], o, c.start, lo, r.spec.Models[i].Name)
		if err != nil {
			return err
		}
		if have < len(dst) {
			copy(dst[have:], part.Base[have:])
		}
	}
	if r.spec.Masks != MasksNone {
		if need := (len(dst) + 63) / 64; len(d.zeros[i]) < need {
			d.zeros[i] = make([]uint64, need)
		}
		noteZeros(d.zeros[i], dst)
	}
	if deltas {
		method.Sub(dst, dst, part.Base)
	}
	return nil
}

// decodePart decodes into dst the elements of a chunk's bytes from lo on, as many as there are, and
// refuses NaN and infinities.
func decodePart[F method.Float](dst []F, raw []byte, o operand, start int64, lo int, input string) (have int, err error) {
	size := int(o.tensor.DType.Bits() / 8)
	if size == 0 || len(raw) <= lo*size {
		return 0, nil
	}
	raw = raw[lo*size : min(len(raw), (lo+len(dst))*size)]
	have = len(raw) / size
	if !decode(dst[:have], vector(raw, o.tensor.DType)) {
		return have, notFiniteInput(raw, o, start+int64(lo), input)
	}
	return have, nil
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
		Code: codes.NotFinite, Where: fmt.Sprintf("%s: %s[%d]", where, tensor, index), What: fmt.Sprintf("the value %v", v), Expected: "finite numbers",
		Fix: "the model is damaged or its training diverged: take a good copy, leave it out, or take the tensor from the base with skip",
	}
}

// decode fills dst with v's elements and says whether all are finite.
func decode[F method.Float](dst []F, v kernel.Vector) (ok bool) {
	if d, narrow := any(dst).([]float32); narrow {
		return kernel.Decode(d, v)
	}
	return kernel.Decode64(any(dst).([]float64), v)
}

// encode rounds src once into v and says whether all of v is finite.
func encode[F method.Float](v kernel.Vector, src []F) (ok bool) {
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

package merge

import (
	"parfait/merge/kernel"
)

// Weighted is implemented by methods whose outputs are weighted sums of their operands, plus the base
// where operands are deltas. They run on the kernel, from bytes to bytes; Apply is then the reference
// that the kernel is equal to.
type Weighted interface {
	// Sum gives the weights of the sum.
	Sum(s Setting) []float64
}

// fused says whether the kernel can do a tensor.
func (j *job) fused(t *tensor) bool {
	_, ok := j.plan.r.method.(Weighted)
	return ok
}

// fuse merges one chunk on the kernel.
func (w *worker) fuse(t *tensor, c chunk) error {
	use := w.job.uses(t)
	info := w.job.plan.r.info
	method := w.job.plan.r.method.(Weighted)
	var base kernel.Vector
	if t.base.present() && info.Operand == Deltas {
		raw, err := w.read(w.buffer(0), t.base, c.start, c.n)
		if err != nil {
			return err
		}
		base = vector(raw, t.base.tensor.DType)
	}
	models := make([]kernel.Vector, len(use.need))
	for i, wanted := range use.need {
		models[i] = vector(nil, t.models[i].tensor.DType) // the kernel asks every model's format
		if wanted {
			raw, err := w.read(w.buffer(1+i), t.models[i], c.start, c.n)
			if err != nil {
				return err
			}
			models[i] = vector(raw, t.models[i].tensor.DType)
		}
	}
	for lo := 0; lo < len(use.settings); lo += fusedOutputs {
		hi := min(lo+fusedOutputs, len(use.settings))
		outs := make([]kernel.Output, 0, fusedOutputs)
		for k := lo; k < hi; k++ {
			n := int64(c.n) * t.out.Bits() / 8
			out := w.buffer(1 + len(models) + k - lo)[:n]
			outs = append(outs, kernel.Output{Vector: vector(out, t.out), Weights: method.Sum(use.settings[k])})
		}
		finite := false
		if info.Operand == Deltas {
			finite = kernel.TaskArithmetic(outs, base, models)
		} else {
			finite = kernel.WeightedSum(outs, models, c.n)
		}
		if !finite {
			return w.blame(t, c, lo, outs, base, models)
		}
		for k := lo; k < hi; k++ {
			if err := w.job.put(k, t, c, outs[k-lo].Data); err != nil {
				return err
			}
		}
	}
	return nil
}

// fusedOutputs is how many outputs the kernel computes in one call.
const fusedOutputs = 4

// buffer is the i-th buffer for bytes of a chunk.
func (w *worker) buffer(i int) []byte {
	for len(w.bytes) <= i {
		w.bytes = append(w.bytes, nil)
	}
	if w.bytes[i] == nil {
		w.bytes[i] = make([]byte, 8*ChunkElements)
	}
	return w.bytes[i]
}

// blame finds whose element is not finite: an input's, or else an output's.
func (w *worker) blame(t *tensor, c chunk, first int, outs []kernel.Output, base kernel.Vector, models []kernel.Vector) error {
	if base.Data != nil {
		if err := notFiniteInput(base.Data, t.base, c.start, "base"); err != nil {
			return err
		}
	}
	for i, m := range models {
		if m.Data != nil {
			if err := notFiniteInput(m.Data, t.models[i], c.start, w.job.plan.r.spec.Models[i].Name); err != nil {
				return err
			}
		}
	}
	for k, out := range outs {
		if kernel.FirstNonFinite(out.Vector) >= 0 {
			return w.overflow(t, c, first+k, out.Data)
		}
	}
	return nil
}

package merge

import (
	"parfait/merge/kernel"
	"parfait/merge/method"
)

// fusedOutputs is how many outputs the kernel computes in one call.
const fusedOutputs = 4

// fused says whether the kernel can do a tensor: every operand is there as it is, from its first
// element to its last, and all outputs are computed in one arithmetic.
func (j *job) fused(t *tensor) bool {
	_, weighted := j.plan.r.method.(method.Weighted)
	return weighted && !t.leansOnBase && !t.narrowed && j.plan.r.spec.Masks == MasksNone
}

// fuse merges one chunk on the kernel.
func (w *worker) fuse(t *tensor, c chunk) error {
	group, info := w.job.uses(t), &w.job.plan.r.info
	f := fusedChunk{w: w, t: t, c: c, models: make([]kernel.Vector, len(group.need))}
	if info.Operand == method.Deltas {
		raw, err := w.read(w.buffer(0), t.base, c.start, c.n)
		if err != nil {
			return err
		}
		f.base = vector(raw, t.base.tensor.DType)
	}
	for i, wanted := range group.need {
		f.models[i].Format = formats[t.models[i].tensor.DType]
		if wanted {
			raw, err := w.read(w.buffer(1+i), t.models[i], c.start, c.n)
			if err != nil {
				return err
			}
			f.models[i].Data = raw
		}
	}
	for lo := 0; lo < len(group.settings); lo += fusedOutputs {
		if err := f.sum(lo, group.settings[lo:min(lo+fusedOutputs, len(group.settings))]); err != nil {
			return err
		}
	}
	return nil
}

// fusedChunk is one chunk's bytes.
type fusedChunk struct {
	w      *worker
	t      *tensor
	c      chunk
	base   kernel.Vector
	models []kernel.Vector
}

// sum computes and writes some outputs, from output first on.
func (f *fusedChunk) sum(first int, settings []method.Setting) error {
	j := f.w.job
	weighted := j.plan.r.method.(method.Weighted)
	outs := make([]kernel.Output, len(settings))
	for k, s := range settings {
		raw := f.w.buffer(1 + len(f.models) + k)[:int64(f.c.n)*f.t.out.Bits()/8]
		outs[k] = kernel.Output{Vector: vector(raw, f.t.out), Weights: weighted.Sum(s)}
	}
	finite := false
	if f.base.Data != nil {
		finite = kernel.TaskArithmetic(outs, f.base, f.models)
	} else {
		finite = kernel.WeightedSum(outs, f.models, f.c.n)
	}
	if !finite {
		return f.locateNonFinite(first, outs)
	}
	for k, out := range outs {
		if err := j.put(first+k, f.t, f.c, out.Data); err != nil {
			return err
		}
	}
	return nil
}

// locateNonFinite finds whose element is not finite: an input's, or else an output's.
func (f *fusedChunk) locateNonFinite(first int, outs []kernel.Output) error {
	if f.base.Data != nil {
		if err := notFiniteInput(f.base.Data, f.t.base, f.c.start, "base"); err != nil {
			return err
		}
	}
	for i, m := range f.models {
		if m.Data != nil {
			if err := notFiniteInput(m.Data, f.t.models[i], f.c.start, f.w.job.plan.r.spec.Models[i].Name); err != nil {
				return err
			}
		}
	}
	for k, out := range outs {
		if kernel.FirstNonFinite(out.Vector) >= 0 {
			return f.w.overflow(f.t, f.c.start, first+k, out.Data)
		}
	}
	return nil
}

//go:build !purego

package kernel

import "unsafe"

// fusedSum is a group whose inputs and outputs have one format, so that assembly makes its sums from
// bytes to bytes.
type fusedSum struct {
	format Format
	base   *byte // nil without a base
	models []*byte
	parts  []fusedPart
}

// fusedPart is one call's outputs: 1, 2 or 4.
type fusedPart struct {
	outs    [4]*byte
	weights []float32 // of the models for each output, 8 times over
	tasks   tasksRoutine
	sum     sumRoutine
}

// fusedBlock is the number of elements that every routine works on at once, or a multiple of it.
const fusedBlock = 32

// newFusedSum is nil where the group has to be done step by step.
func newFusedSum(g *group) *fusedSum {
	if !fast || len(g.sums) == 0 || !g.uniform() {
		return nil
	}
	f := &fusedSum{format: g.sums[0].Format}
	if g.base != nil {
		f.base = unsafe.SliceData(g.base.Data)
	}
	for _, m := range g.models {
		f.models = append(f.models, unsafe.SliceData(m.Data))
	}
	for k := 0; k < len(g.sums); {
		width := 1
		for 2*width <= len(g.sums)-k {
			width *= 2
		}
		part := fusedPart{}
		part.tasks, part.sum = fusedRoutines(f.format, width)
		for j := range width {
			part.outs[j] = unsafe.SliceData(g.sums[k+j].Data)
		}
		for i := range g.models {
			for j := range width {
				w := g.weights[i*len(g.sums)+k+j]
				part.weights = append(part.weights, w, w, w, w, w, w, w, w)
			}
		}
		f.parts = append(f.parts, part)
		k += width
	}
	return f
}

// uniform says whether inputs and outputs have one format, and there are routines for it.
func (g *group) uniform() bool {
	f := g.sums[0].Format
	same := f <= F32 && (g.base == nil || g.base.Format == f)
	for _, m := range g.models {
		same = same && m.Format == f
	}
	for _, o := range g.sums {
		same = same && o.Format == f
	}
	for _, w := range g.weights {
		same = same && w == w // what assembly asks
	}
	return same
}

// run computes the whole blocks of elements lo to hi, at most a tile. It returns how many elements are
// done: 0 too where a sum was not finite.
func (f *fusedSum) run(lo, hi int) (done int) {
	n := (hi - lo) / fusedBlock * fusedBlock
	if n == 0 {
		return 0
	}
	var most uint32
	off := lo * f.format.Size()
	for i := range f.parts {
		p := &f.parts[i]
		if f.base != nil {
			most = max(most, p.tasks(&p.outs[0], &f.models[0], f.base, &p.weights[0], len(f.models), off, n))
		} else {
			most = max(most, p.sum(&p.outs[0], &f.models[0], &p.weights[0], len(f.models), off, n))
		}
	}
	limit := f.format.limit()
	if f.format == BF16 { // seen after rounding
		limit = F32.limit()
	}
	if most >= limit {
		return 0
	}
	return n
}

type (
	tasksRoutine = func(outs, models **byte, base *byte, weights *float32, count, off, n int) uint32
	sumRoutine   = func(outs, models **byte, weights *float32, count, off, n int) uint32
)

func fusedRoutines(f Format, outputs int) (tasksRoutine, sumRoutine) {
	type key struct {
		format  Format
		outputs int
	}
	switch (key{f, outputs}) {
	case key{BF16, 1}:
		return tasksBF16x1, sumBF16x1
	case key{BF16, 2}:
		return tasksBF16x2, sumBF16x2
	case key{BF16, 4}:
		return tasksBF16x4, sumBF16x4
	case key{F16, 1}:
		return tasksF16x1, sumF16x1
	case key{F16, 2}:
		return tasksF16x2, sumF16x2
	case key{F16, 4}:
		return tasksF16x4, sumF16x4
	case key{F32, 1}:
		return tasksF32x1, sumF32x1
	case key{F32, 2}:
		return tasksF32x2, sumF32x2
	}
	return tasksF32x4, sumF32x4
}

package merge

import (
	"context"

	"gonum.org/v1/gonum/mat"

	"parfait/merge/codes"
	"parfait/merge/spectral"
)

// align writes a module's matrices for every output: the left one that all adapters share, and the sum of their right ones.
func (w *worker) align(ctx context.Context, m product) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n := len(m.parts)
	lefts, rights := make([]*mat.Dense, n), make([]*mat.Dense, n)
	for i, l := range m.parts {
		if l == nil {
			continue
		}
		lefts[i], rights[i] = mat.NewDense(int(m.out), int(l.rank), nil), mat.NewDense(int(m.in), int(l.rank), nil)
		if err := w.columns(lefts[i], 0, l.b, i, false); err != nil {
			return err
		}
		if err := w.columns(rights[i], 0, l.a, i, true); err != nil {
			return err
		}
		lefts[i].Scale(l.scale, lefts[i])
	}
	density := w.job.plan.r.spec.Prepare.Density
	left, aligned := spectral.Knots(lefts, rights, density > 0, density)
	if left == nil || !finite(left) {
		return Problem{Code: codes.NotFinite, Where: m.module, What: "the adapters have no singular values that are numbers", Expected: "finite numbers", Fix: "look for NaN and infinities in the adapters"}
	}
	nameA, nameB := m.names()
	for k := range w.job.outs {
		s := w.job.groups[m.group].settings[k]
		right := mat.NewDense(int(m.in), int(m.rank), nil)
		for i, part := range aligned {
			if weight := s.Effective(i); part != nil && weight != 0 {
				var scaled mat.Dense
				scaled.Scale(weight, part)
				right.Add(right, &scaled)
			}
		}
		if err := w.job.putDense(k, nameA, right.T()); err != nil {
			return err
		}
		if err := w.job.putDense(k, nameB, left); err != nil {
			return err
		}
	}
	return nil
}

package merge

import (
	"fmt"

	"parfait/merge/codes"
	"parfait/merge/kernel"
	"parfait/merge/method"
)

// applyTo calls the method in the arithmetic of F.
func applyTo[F method.Float](m method.Method, dst []method.Tile[F], in method.Chunk[F], s method.Stats) {
	switch in := any(in).(type) {
	case method.Chunk[float32]:
		m.Apply32(any(dst).([]method.Tile[float32]), in, s)
	case method.Chunk[float64]:
		m.Apply64(any(dst).([]method.Tile[float64]), in, s)
	}
}

// reduceInto calls the reducer in the arithmetic of F.
func reduceInto[F method.Float](r method.Reducer, pass int, in method.Chunk[F]) {
	switch in := any(in).(type) {
	case method.Chunk[float32]:
		r.Reduce32(pass, in)
	case method.Chunk[float64]:
		r.Reduce64(pass, in)
	}
}

// eachPart reads a chunk and hands its parts to f, from the left to the right. Where the method wants
// whole rows there is one part.
func (d *workspace[F]) eachPart(w *worker, t *tensor, c chunk, need []bool, f func(lo int, part method.Chunk[F]) error) error {
	raw, err := w.fetch(t, c, need)
	if err != nil {
		return err
	}
	d.buffers.Begin()
	step := partElements
	if w.job.byRows(t) {
		step = c.n
	}
	for lo := 0; lo < c.n; lo += step {
		part, err := d.decode(w, t, c, raw, need, lo, min(step, c.n-lo))
		if err == nil {
			err = f(lo, part)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// merge computes one chunk of every output and writes it.
func (d *workspace[F]) merge(w *worker, t *tensor, c chunk, s method.Stats) error {
	group := w.job.uses(t)
	size := int(t.out.Bits() / 8)
	out := func(k int) []byte { return w.buffer(1 + 2*len(group.need) + k)[:c.n*size] }
	err := d.eachPart(w, t, c, group.need, func(lo int, in method.Chunk[F]) error {
		n := in.Len()
		if err := d.apply(w, t, in, s); err != nil {
			return err
		}
		for k := range group.idle {
			raw := out(k)[lo*size : (lo+n)*size]
			if !encode(vector(raw, t.out), d.outs[k][:n]) {
				return w.overflow(t, in.Start, k, raw)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for k, idle := range group.idle {
		if idle && t.narrowed && t.base.elements(c.start, c.n) == c.n {
			if err := w.convertBase(out(k), t, c); err != nil {
				return err
			}
		}
		if err := w.job.put(k, t, c, out(k)); err != nil {
			return err
		}
	}
	return nil
}

// apply computes a part of every output.
func (d *workspace[F]) apply(w *worker, t *tensor, in method.Chunk[F], s method.Stats) error {
	group, r := w.job.uses(t), w.job.plan.r
	d.tiles = d.tiles[:0]
	for k, idle := range group.idle {
		out := buffer(&d.outs[k], in.Len())
		if idle {
			copy(out, in.Base) // every weight is zero: the base, to the bit
			continue
		}
		d.tiles = append(d.tiles, method.Tile[F]{Setting: group.settings[k], Out: out})
	}
	if len(d.tiles) > 0 {
		applyTo(r.method, d.tiles, in, s)
	}
	if r.spec.Masks == MasksNone {
		return nil
	}
	return d.applyMasks(w, t, in)
}

// convertBase gives the base's bytes, which may say more than float32 can.
func (w *worker) convertBase(into []byte, t *tensor, c chunk) error {
	raw, err := w.read(w.buffer(0), t.base, c.start, c.n)
	if err == nil {
		kernel.Convert(vector(into, t.out), vector(raw, t.base.tensor.DType))
	}
	return err
}

// scan hands one chunk to a reducer.
func (d *workspace[F]) scan(w *worker, t *tensor, c chunk, need []bool, r method.Reducer, pass int) error {
	return d.eachPart(w, t, c, need, func(_ int, part method.Chunk[F]) error {
		reduceInto(r, pass, part)
		return nil
	})
}

// overflow names the first element of output k that is not finite, among those from start on.
func (w *worker) overflow(t *tensor, start int64, k int, raw []byte) error {
	v := vector(raw, t.out)
	i := kernel.FirstNonFinite(v)
	return Problem{
		Code: codes.NotFinite, Where: fmt.Sprintf("%s: %s[%d]", w.job.outs[k].Target, t.Name, start+int64(i)), What: fmt.Sprintf("the merged value is %v as %s", v.At(i), t.out),
		Expected: "finite numbers", Fix: "the coefficients are too large for this dtype: lower them, or write bf16 or f32",
	}
}

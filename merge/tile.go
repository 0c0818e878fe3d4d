package merge

import (
	"fmt"

	"parfait/merge/kernel"
)

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

// merge computes one chunk of every output and writes it.
func (d *desk[F]) merge(w *worker, t *tensor, c chunk, s Stats) error {
	use := w.job.uses(t)
	in, err := d.load(w, t, c, use.need)
	if err != nil {
		return err
	}
	d.tiles = d.tiles[:0]
	for k, idle := range use.idle {
		out := buffer(&d.outs[k], c.n)
		if idle {
			copy(out, in.Base) // every weight is zero: the base, to the bit
			continue
		}
		d.tiles = append(d.tiles, Tile[F]{Setting: use.settings[k], Out: out})
	}
	if len(d.tiles) > 0 {
		applyTo(w.job.plan.r.method, d.tiles, in, s)
	}
	if w.job.plan.r.spec.Masks != MasksNone {
		if err := d.applyMasks(w, t, c); err != nil {
			return err
		}
	}
	for k, idle := range use.idle {
		raw := w.buffer(1)[:int64(c.n)*t.out.Bits()/8]
		if idle && t.narrowed && t.base.elements(c.start, c.n) == c.n {
			if err := w.convertBase(raw, t, c); err != nil {
				return err
			}
		} else if !encode(vector(raw, t.out), d.outs[k][:c.n]) {
			return w.overflow(t, c, k, raw)
		}
		if err := w.job.put(k, t, c, raw); err != nil {
			return err
		}
	}
	return nil
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
func (d *desk[F]) scan(w *worker, t *tensor, c chunk, need []bool, r Reducer, pass int) error {
	in, err := d.load(w, t, c, need)
	if err == nil {
		reduceInto(r, pass, in)
	}
	return err
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

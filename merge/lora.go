package merge

import "parfait/merge/method"

// factors are the two matrices of a module, decoded: right a row of the tensor's width for each of the
// rank, and of left the rows that were asked for last, each of rank numbers, scaled. A tensor may have
// a row for every token, so that left is never whole.
type factors[F method.Float] struct {
	of    *lora
	left  []F
	first int64 // row of the tensor that left begins with
	right []F
	spare []F // numbers as they are stored
}

// loadLoRA computes the elements of δ = s·B·A from at on: every entry is the sum over the rank, in
// order, of products with f(s·b), each rounded.
func (d *workspace[F]) loadLoRA(w *worker, model int, dst []F, l *lora, at int64) error {
	if len(dst) == 0 {
		return nil
	}
	if l.blocks != nil {
		return d.loadBlocks(w, model, dst, l, at)
	}
	f, err := d.factors(w, model, l, at/l.cols, (at+int64(len(dst))-1)/l.cols)
	if err != nil {
		return err
	}
	for len(dst) > 0 {
		row, col := at/l.cols, at%l.cols
		n := min(l.cols-col, int64(len(dst)))
		part := dst[:n]
		clear(part)
		left := f.left[(row-f.first)*l.rank:][:l.rank]
		for k, v := range left {
			method.Axpy(part, v, f.right[int64(k)*l.cols+col:][:n])
		}
		dst, at = dst[n:], at+n
	}
	return nil
}

// loadBlocks is loadLoRA for a tensor of several matrices.
func (d *workspace[F]) loadBlocks(w *worker, model int, dst []F, l *lora, at int64) error {
	size := l.blocks[0].rows * l.blocks[0].cols
	for len(dst) > 0 {
		within := at % size
		n := min(size-within, int64(len(dst)))
		if err := d.loadLoRA(w, model, dst[:n], l.blocks[at/size], within); err != nil {
			return err
		}
		dst, at = dst[n:], at+n
	}
	return nil
}

// factors decodes what is needed of a module for the tensor's rows from first to last.
func (d *workspace[F]) factors(w *worker, model int, l *lora, first, last int64) (*factors[F], error) {
	if d.loras == nil {
		d.loras = make([]factors[F], len(d.models))
	}
	f := &d.loras[model]
	name := w.job.plan.r.spec.Models[model].Name
	if f.of != l {
		var err error
		f.of = nil
		if f.right, err = readRows(w, f.right, &f.spare, l.right, name, 0, l.rank); err != nil {
			return nil, err
		}
		f.of, f.first, f.left = l, 0, f.left[:0]
	}
	if first >= f.first && (last-f.first+1)*l.rank <= int64(len(f.left)) {
		return f, nil
	}
	// The rest of the chunk will be asked for next.
	n := min(max(last-first+1, ceil(method.ChunkElements, l.cols)+1), l.rows-first)
	var err error
	if f.left, err = readRows(w, f.left[:0], &f.spare, l.left, name, first, n); err != nil {
		return nil, err
	}
	for i, v := range f.left {
		f.left[i] = F(l.scale * float64(v))
	}
	f.first = first
	return f, nil
}

// readRows reads n rows of a factor from first on. Where it is used transposed these are columns of what is stored.
func readRows[F method.Float](w *worker, into []F, spare *[]F, m factor, name string, first, n int64) ([]F, error) {
	width := m.tensor.Shape[1]
	if !m.transposed && m.cols == (span{0, 1, width}) && m.rows.step == 1 {
		into = buffer(&into, int(n*width))
		return into, readRun(w, into, m.operand, (m.rows.from+first)*width, name)
	}
	runs, each := span{m.rows.from + first*m.rows.step, m.rows.step, n}, m.cols
	if m.transposed {
		runs, each = m.rows, span{m.cols.from + first*m.cols.step, m.cols.step, n}
	}
	into = buffer(&into, int(runs.n*each.n))
	run := buffer(spare, int((each.n-1)*each.step+1))
	for k := range runs.n {
		if err := readRun(w, run, m.operand, (runs.from+k*runs.step)*width+each.from, name); err != nil {
			return nil, err
		}
		for i := range each.n {
			if v := run[i*each.step]; m.transposed {
				into[i*runs.n+k] = v
			} else {
				into[k*each.n+i] = v
			}
		}
	}
	return into, nil
}

// readRun reads and decodes dst's elements of an operand from start on, a chunk at a time.
func readRun[F method.Float](w *worker, dst []F, o operand, start int64, name string) error {
	for len(dst) > 0 {
		n := min(len(dst), method.ChunkElements)
		if need := n * int(o.tensor.DType.Bits()/8); len(w.factor) < need {
			w.factor = make([]byte, need)
		}
		raw, err := w.read(w.factor, o, start, n)
		if err == nil {
			_, err = decodePart(dst[:n], raw, o, start, 0, name)
		}
		if err != nil {
			return err
		}
		dst, start = dst[n:], start+int64(n)
	}
	return nil
}

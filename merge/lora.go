package merge

// factors are the two matrices of a module, decoded: left has a row of rank numbers for each row of
// the tensor, scaled; right a row of the tensor's width for each of the rank.
type factors[F Float] struct {
	of          *lora
	left, right []F
}

// loadLoRA computes the elements of δ = s·B·A from at on: every entry is the sum over the rank, in order, of products
// with f(s·b), each rounded.
func (d *desk[F]) loadLoRA(w *worker, model int, dst []F, l *lora, at int64) error {
	f, err := d.factors(w, model, l, w.job.plan.r.spec.Models[model].Name)
	if err != nil {
		return err
	}
	for len(dst) > 0 {
		row, col := at/l.cols, at%l.cols
		n := min(l.cols-col, int64(len(dst)))
		part := dst[:n]
		clear(part)
		for k := range l.rank {
			axpy(part, f.left[row*l.rank+k], f.right[k*l.cols+col:k*l.cols+col+n])
		}
		dst, at = dst[n:], at+n
	}
	return nil
}

// factors decodes the matrices of a module, once for all chunks that a worker meets in a row.
func (d *desk[F]) factors(w *worker, model int, l *lora, name string) (*factors[F], error) {
	if d.loras == nil {
		d.loras = make([]factors[F], len(d.models))
	}
	f := &d.loras[model]
	if f.of == l {
		return f, nil
	}
	var err error
	f.of = nil
	if f.left, err = readMatrix(w, f.left, l.left, name); err != nil {
		return nil, err
	}
	for i, v := range f.left {
		f.left[i] = F(l.scale * float64(v))
	}
	if f.right, err = readMatrix(w, f.right, l.right, name); err != nil {
		return nil, err
	}
	f.of = l
	return f, nil
}

// readMatrix reads a whole matrix, transposed where the factor says so.
func readMatrix[F Float](w *worker, into []F, m factor, name string) ([]F, error) {
	n := int(m.tensor.Elements())
	if cap(into) < n {
		into = make([]F, n)
	}
	into = into[:n]
	for at := 0; at < n; at += ChunkElements {
		part := into[at:min(at+ChunkElements, n)]
		if err := readElements(w, part, m.operand, int64(at), name); err != nil {
			return nil, err
		}
	}
	if !m.transposed {
		return into, nil
	}
	rows, cols := int(m.tensor.Shape[0]), int(m.tensor.Shape[1])
	out := make([]F, n)
	for r := range rows {
		for c := range cols {
			out[c*rows+r] = into[r*cols+c]
		}
	}
	return out, nil
}

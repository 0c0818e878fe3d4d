package merge

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"parfait/merge/codes"
	"parfait/merge/method"
	"parfait/merge/spectral"
)

// An adapter of more than Spec.MaxRank is written as the nearest one of that rank, in the Frobenius and the spectral norm
// (Eckart and Young, 1936). With B = Q_B·R_B and Aᵀ = Q_A·R_A, B·A = Q_B·(R_B·R_Aᵀ)·Q_Aᵀ, and the singular values of the
// product are those of the small matrix between: nothing of the tensor's size is ever formed. Coefficients scale the
// columns of R_B, so that several outputs share the two decompositions. For a module of out × in and the sum of ranks r
// that is O((out + in)·r²) and, for each output, O(r³), in float64.

// Cut says what was taken away where an adapter was brought to a rank: by how much the sum of the adapters, Δ, and
// what was written, Δ′, differ beside rounding to the dtype.
type Cut struct {
	MaxRank   int     `json:"max_rank"`
	Modules   int     `json:"modules"`   // whose rank was above it
	Rank      int64   `json:"rank"`      // the largest among them
	Frobenius float64 `json:"frobenius"` // ‖Δ − Δ′‖/‖Δ‖, of these modules together
	Spectral  float64 `json:"spectral"`  // the same in the spectral norm, of the module where it is largest
	Worst     string  `json:"worst"`     // that module
}

// String says it in words.
func (c Cut) String() string {
	return fmt.Sprintf("%d modules were brought from rank %d at most to %d, which changes their sum by %.3g %% (Frobenius norm; spectral norm %.3g %% at most, in %s)",
		c.Modules, c.Rank, c.MaxRank, 100*c.Frobenius, 100*c.Spectral, c.Worst)
}

// cut is what truncation takes away from one module of one output: squares of Frobenius norms, and spectral norms.
type cut struct{ lost, all, largest, first float64 }

// cut sums up an output's, in the order of the modules; nil where none was truncated.
func (j *job) cut(k int) *Cut {
	c := Cut{MaxRank: j.plan.r.spec.MaxRank}
	var lost, all float64
	for n, cuts := range j.cuts {
		if cuts == nil || j.plan.products[n].rank >= j.plan.products[n].sum {
			continue // nothing of it can be lost
		}
		m, of := j.plan.products[n], cuts[k]
		c.Modules++
		c.Rank = max(c.Rank, m.sum)
		lost, all = lost+of.lost, all+of.all
		if s := share(of.largest, of.first); c.Worst == "" || s > c.Spectral {
			c.Spectral, c.Worst = s, m.module
		}
	}
	if c.Modules == 0 {
		return nil
	}
	c.Frobenius = math.Sqrt(share(lost, all))
	return &c
}

// truncate writes a module's matrices for every output, brought to its rank.
func (w *worker) truncate(ctx context.Context, m product) ([]cut, error) {
	b, a := mat.NewDense(int(m.out), int(m.sum), nil), mat.NewDense(int(m.in), int(m.sum), nil) // a is Aᵀ
	models := make([]int, 0, m.sum)                                                             // of each column
	for i, l := range m.parts {
		if l == nil {
			continue
		}
		at := len(models)
		for range l.rank {
			models = append(models, i)
		}
		if !w.job.groups[m.group].need[i] {
			continue // its columns stay zero
		}
		if err := w.columns(b, at, l.b, i, false); err != nil {
			return nil, err
		}
		if err := w.columns(a, at, l.a, i, true); err != nil {
			return nil, err
		}
	}
	qb, rb := spectral.Thin(b)
	qa, ra := spectral.Thin(a)
	cuts := make([]cut, len(w.job.outs))
	for k, out := range w.job.outs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := w.job.groups[m.group].settings[k]
		var scaled, core mat.Dense
		scaled.Apply(func(_, c int, v float64) float64 {
			if weight := s.Effective(models[c]); weight != 0 {
				return v * float64(weight*m.parts[models[c]].scale)
			}
			return 0
		}, rb)
		core.Mul(&scaled, ra.T())
		var svd mat.SVD
		if !finite(&core) || !svd.Factorize(&core, mat.SVDThin) {
			return nil, Problem{Code: codes.NotFinite, Where: out.Target + ": " + m.module, What: "the sum of the adapters has no singular values that are numbers", Expected: "finite numbers", Fix: "look for NaN and infinities in the adapters, or lower the coefficients"}
		}
		var u, v mat.Dense
		svd.UTo(&u)
		svd.VTo(&v)
		values := svd.Values(nil)
		cuts[k] = cutAt(values, int(m.rank))
		left, right := lift(qb, &u, values, int(m.rank)), lift(qa, &v, values, int(m.rank))
		if err := w.job.putFactors(k, m, left, right); err != nil {
			return nil, err
		}
	}
	return cuts, nil
}

// putFactors writes the matrices of a module, left·rightᵀ, of an output.
func (j *job) putFactors(k int, m product, left, right *mat.Dense) error {
	orient(left, right)
	nameA, nameB := m.names()
	if err := j.putDense(k, nameA, right.T()); err != nil {
		return err
	}
	return j.putDense(k, nameB, left)
}

// columns reads a stored matrix into columns of m from at on: its columns, or turned its rows.
func (w *worker) columns(m *mat.Dense, at int, o operand, model int, turned bool) error {
	rows, cols := int(o.tensor.Shape[0]), int(o.tensor.Shape[1])
	row := make([]float64, cols)
	for r := range rows {
		if err := readRun(w, row, o, int64(r)*int64(cols), w.job.plan.r.spec.Models[model].Name); err != nil {
			return err
		}
		for c, v := range row {
			if turned {
				m.Set(c, at+r, v)
			} else {
				m.Set(r, at+c, v)
			}
		}
	}
	return nil
}

// lift is q times the first columns of vectors, each times the root of its singular value.
func lift(q, vectors *mat.Dense, values []float64, rank int) *mat.Dense {
	rows, _ := vectors.Dims()
	var some mat.Dense
	some.Apply(func(_, c int, v float64) float64 { return v * math.Sqrt(values[c]) }, vectors.Slice(0, rows, 0, rank))
	if q == nil {
		return &some
	}
	var out mat.Dense
	out.Mul(q, &some)
	return &out
}

// orient turns pairs of columns so that the largest entry on the left is positive, the first of several: a pair and its
// negative are the same product.
func orient(left, right *mat.Dense) {
	rows, cols := left.Dims()
	others, _ := right.Dims()
	for c := range cols {
		largest := 0.0
		for r := range rows {
			if v := left.At(r, c); math.Abs(v) > math.Abs(largest) {
				largest = v
			}
		}
		if largest >= 0 {
			continue
		}
		for r := range rows {
			left.Set(r, c, -left.At(r, c))
		}
		for r := range others {
			right.Set(r, c, -right.At(r, c))
		}
	}
}

func cutAt(values []float64, rank int) cut {
	var c cut
	for i := len(values) - 1; i >= 0; i-- { // the smallest first
		c.all += values[i] * values[i]
		if i == rank {
			c.lost, c.largest = c.all, values[i]
		}
	}
	c.first = values[0]
	return c
}

func finite(m *mat.Dense) bool {
	for _, v := range m.RawMatrix().Data {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// putDense writes a matrix as a tensor of an output.
func (j *job) putDense(k int, name string, m mat.Matrix) error {
	rows, cols := m.Dims()
	n := max(1, method.ChunkElements/cols)
	run := make([]float32, 0, min(n, rows)*cols)
	for first := 0; first < rows; first += n {
		run = run[:0]
		for r := first; r < min(first+n, rows); r++ {
			for c := range cols {
				run = append(run, float32(m.At(r, c)))
			}
		}
		for start := 0; start < len(run); start += method.ChunkElements {
			part := run[start:min(start+method.ChunkElements, len(run))]
			if err := j.putRun(k, name, part, int64(first)*int64(cols)+int64(start)); err != nil {
				return err
			}
		}
	}
	return nil
}

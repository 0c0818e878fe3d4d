package spectral

import (
	"context"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"parfait/internal/rescue"
)

// Least is the share of the largest singular value below which one counts as none.
const Least = 1e-6

// least is the same of the eigenvalues of UᵀU, whose columns have the length 1.
const least = 1e-10

// Stack is the task vectors of one matrix.
type Stack struct {
	Models     int
	Rows, Cols int // no more columns than rows: a matrix that is wider than tall is given transposed
	// Turned says that it is given transposed, which matters to Iso-CTS only.
	Turned bool
	// Read fills into with rows of a model's task vector, from first on. It is called for several models at once.
	Read func(ctx context.Context, model, first int, into *mat.Dense) error
	// AtOnce is how many models are decomposed at the same time; it changes no bit.
	AtOnce int
}

// Write takes rows of what comes out, from first on: of each model's share, or of the one result. nil stands for zeros. They
// are not its to keep.
type Write func(first, rows int, shares []*mat.Dense) error

// runElements is about how much of a task vector is read at a time.
const runElements = 1 << 18

// run is the number of rows that are read at a time.
func (s *Stack) run() int { return min(s.Rows, max(64, runElements/s.Cols)) }

// each calls f for every run of rows.
func (s *Stack) each(ctx context.Context, f func(first, rows int) error) error {
	for first := 0; first < s.Rows; first += s.run() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f(first, min(s.run(), s.Rows-first)); err != nil {
			return err
		}
	}
	return nil
}

// sum fills into with rows of Σδᵢ; one is as large.
func (s *Stack) sum(ctx context.Context, first int, into, one *mat.Dense) error {
	into.Zero()
	for i := range s.Models {
		if err := s.Read(ctx, i, first, one); err != nil {
			return err
		}
		into.Add(into, one)
	}
	return nil
}

// gram is δᵀδ of what read gives.
func (s *Stack) gram(ctx context.Context, read func(first int, into *mat.Dense) error) (*mat.SymDense, error) {
	g := mat.NewSymDense(s.Cols, nil)
	into := mat.NewDense(s.run(), s.Cols, nil)
	err := s.each(ctx, func(first, rows int) error {
		part := into.Slice(0, rows, 0, s.Cols).(*mat.Dense)
		err := read(first, part)
		blas64.Syrk(blas.Trans, 1, part.RawMatrix(), 1, g.RawSymmetric())
		return err
	})
	return g, err
}

// inParallel calls f for every model, some at a time.
func (s *Stack) inParallel(f func(model int) error) error {
	errs := make([]error, s.Models)
	slots := make(chan struct{}, max(1, s.AtOnce))
	var wg rescue.Group
	for i := range s.Models {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			errs[i] = f(i)
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// part is some singular vectors of a task vector, or of their sum.
type part struct {
	model int        // −1: the sum, which comes first
	v     *mat.Dense // columns × k: the right ones; nil for k = 0
	s     []float64  // their singular values, the largest first
	less  *mat.Dense // nil, or what of the first part's left ones is taken away of each left one before it is divided by its value
}

// top is the part of the most largest singular values, of δᵀδ.
func top(ctx context.Context, model int, gram *mat.SymDense, most int) (part, error) {
	p := part{model: model}
	values, vectors, err := eigen(ctx, gram)
	n := len(values)
	for k := n - 1; k >= max(0, n-most); k-- {
		if values[k] <= Least*Least*values[n-1] {
			break
		}
		p.s = append(p.s, math.Sqrt(values[k]))
	}
	if len(p.s) == 0 {
		return p, err
	}
	p.v = mat.NewDense(n, len(p.s), nil)
	for k := range p.s {
		for i := range n {
			p.v.Set(i, k, vectors.At(n-1-k, i))
		}
	}
	return p, nil
}

// inverseRoot is m^(−½), of a pseudo-inverse.
func inverseRoot(ctx context.Context, m *mat.SymDense) (*mat.Dense, error) {
	values, vectors, err := eigen(ctx, m)
	if err != nil {
		return nil, err
	}
	n := len(values)
	for k, v := range values {
		scale := 0.0
		if !(v <= least*values[n-1]) {
			scale = 1 / math.Sqrt(math.Sqrt(v))
		}
		blas64.Scal(scale, vector(vectors.RawRowView(k)))
	}
	out := mat.NewDense(n, n, nil)
	out.Mul(vectors.T(), vectors)
	return out, nil
}

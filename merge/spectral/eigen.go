package spectral

import (
	"context"
	"math"
	"runtime"
	"slices"
	"sync/atomic"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"

	"parfait/internal/rescue"
)

// Eigenvalues of symmetric matrices by Householder's reflections and implicit QL (Golub and Van Loan, chapter 8), because the
// library's take four times as long on one processor and have no use for more: here the reflections are put together in
// panels (Dongarra, Hammarling and Sorensen, 1989), and the rotations of a sweep are applied to strips of the vectors, which
// are rows, on all processors. No bit depends on how many there are.

// eigen is the eigenvalues of m, the smallest first, and their vectors, a row each; NaN where there are none. The error is the context's.
func eigen(ctx context.Context, m *mat.SymDense) ([]float64, *mat.Dense, error) {
	n := m.SymmetricDim()
	a := mat.NewDense(n, n, nil)
	a.Copy(m)
	d, e, z := tridiagonal(ctx, a)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	// QL finds the values of its beginning first, and wants the small ones there.
	if math.Abs(d[0]) > math.Abs(d[n-1]) {
		slices.Reverse(d)
		slices.Reverse(e)
		slices.Reverse(order)
	}
	found := implicitQL(ctx, d, e, func(list []rotation) { rotate(z, order, list) })
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if !found {
		for i := range d {
			d[i] = math.NaN()
		}
		return d, z, nil
	}
	by := make([]int, n)
	for i := range by {
		by[i] = i
	}
	slices.SortStableFunc(by, func(i, k int) int {
		switch {
		case d[i] < d[k]:
			return -1
		case d[i] > d[k]:
			return 1
		}
		return 0
	})
	values, vectors := make([]float64, n), a // which is as large and done with
	for to, i := range by {
		values[to] = d[i]
		vectors.SetRow(to, z.RawRowView(order[i]))
	}
	return values, vectors, nil
}

const (
	panel     = 32  // reflections
	blockRows = 256 // that one processor multiplies at a time
	strip     = 256 // columns that one processor rotates at a time
)

// tridiagonal makes z·a·zᵀ tridiagonal, with d on its diagonal and e beside it, unless the context ends. a is
// overwritten.
func tridiagonal(ctx context.Context, a *mat.Dense) (d, e []float64, z *mat.Dense) {
	n, _ := a.Dims()
	d, e = make([]float64, n), make([]float64, max(0, n-1))
	reflections, tau := mat.NewDense(max(1, n-1), max(1, n-1), nil), make([]float64, max(1, n-1))
	for p := 0; p < n && ctx.Err() == nil; p += panel {
		size := n - p
		width := min(panel, size)
		v, w := mat.NewDense(size, width, nil), mat.NewDense(size, width, nil)
		for j := range width {
			i := p + j
			column := make([]float64, n-i) // of a, with the reflections of the panel so far
			copy(column, a.RawRowView(i)[i:])
			if j > 0 {
				less(column, v.Slice(j, size, 0, j).(*mat.Dense), w.RawRowView(j)[:j])
				less(column, w.Slice(j, size, 0, j).(*mat.Dense), v.RawRowView(j)[:j])
			}
			if d[i] = column[0]; i == n-1 {
				break
			}
			x := column[1:]
			var t float64
			e[i], t = reflection(x)
			tau[i] = t
			y := symmetric(a.Slice(i+1, n, i+1, n).(*mat.Dense), x)
			if j > 0 {
				vs, ws := v.Slice(j+1, size, 0, j).(*mat.Dense), w.Slice(j+1, size, 0, j).(*mat.Dense)
				less(y, vs, dots(ws, x))
				less(y, ws, dots(vs, x))
			}
			blas64.Scal(t, vector(y))
			blas64.Axpy(-t/2*blas64.Dot(vector(y), vector(x)), vector(x), vector(y))
			for r, value := range x {
				v.Set(j+1+r, j, value)
				w.Set(j+1+r, j, y[r])
				reflections.Set(i+r, i, value)
			}
		}
		if p+width < n {
			rest := a.Slice(p+width, n, p+width, n).(*mat.Dense).RawMatrix()
			vs, ws := v.Slice(width, size, 0, width).(*mat.Dense).RawMatrix(), w.Slice(width, size, 0, width).(*mat.Dense).RawMatrix()
			blas64.Gemm(blas.NoTrans, blas.Trans, -1, vs, ws, 1, rest)
			blas64.Gemm(blas.NoTrans, blas.Trans, -1, ws, vs, 1, rest)
		}
	}
	z = mat.NewDense(n, n, nil)
	z.Set(0, 0, 1)
	if n > 1 {
		work := make([]float64, 1)
		lapack64.Orgqr(reflections.RawMatrix(), tau, work, -1)
		work = make([]float64, int(work[0]))
		lapack64.Orgqr(reflections.RawMatrix(), tau, work, len(work))
		z.Slice(1, n, 1, n).(*mat.Dense).Copy(reflections.T())
	}
	return d, e, z
}

func vector(x []float64) blas64.Vector { return blas64.Vector{N: len(x), Inc: 1, Data: x} }

// reflection makes of x the v of the reflection 1 − τ·v·vᵀ, v₀ = 1, that takes x to ±‖x‖ in its first entry.
func reflection(x []float64) (first, tau float64) {
	rest := blas64.Nrm2(vector(x[1:]))
	alpha := x[0]
	if rest == 0 {
		x[0] = 1
		return alpha, 0
	}
	first = -math.Copysign(math.Hypot(alpha, rest), alpha)
	blas64.Scal(1/(alpha-first), vector(x[1:]))
	x[0] = 1
	return first, (first - alpha) / first
}

// less is y − m·x.
func less(y []float64, m *mat.Dense, x []float64) {
	blas64.Gemv(blas.NoTrans, -1, m.RawMatrix(), vector(x), 1, vector(y))
}

// dots is mᵀ·x.
func dots(m *mat.Dense, x []float64) []float64 {
	_, n := m.Dims()
	out := make([]float64, n)
	blas64.Gemv(blas.Trans, 1, m.RawMatrix(), vector(x), 0, vector(out))
	return out
}

// symmetric is m·x, some rows on each processor.
func symmetric(m *mat.Dense, x []float64) []float64 {
	n := len(x)
	out := make([]float64, n)
	spread((n+blockRows-1)/blockRows, func(block int) {
		lo, hi := block*blockRows, min(n, (block+1)*blockRows)
		blas64.Gemv(blas.NoTrans, 1, m.Slice(lo, hi, 0, n).(*mat.Dense).RawMatrix(), vector(x), 0, vector(out[lo:hi]))
	})
	return out
}

// spread calls f for every number below n, on all processors.
func spread(n int, f func(int)) {
	most := min(n, runtime.GOMAXPROCS(0))
	if most < 2 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg rescue.Group
	for range most {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				f(int(i))
			}
		})
	}
	wg.Wait()
}

// rotation turns the vectors i and i+1.
type rotation struct {
	i    int
	c, s float64
}

// implicitQL makes the tridiagonal matrix of d and e diagonal, and tells of the rotations of each sweep, i from the last
// down. It says whether it came to its end.
func implicitQL(ctx context.Context, d, e []float64, turned func([]rotation)) bool {
	const most = 60 // sweeps a value; two are usual
	n := len(d)
	e = append(e, 0)
	var list []rotation
	for l := range n {
		for sweep := 0; ; sweep++ {
			m := l
			for ; m < n-1; m++ {
				if sum := math.Abs(d[m]) + math.Abs(d[m+1]); math.Abs(e[m]) <= 0x1p-52*sum {
					break
				}
			}
			if m == l {
				break
			}
			if sweep == most || math.IsNaN(d[l]) || ctx.Err() != nil {
				return false
			}
			g := (d[l+1] - d[l]) / (2 * e[l])
			g = d[m] - d[l] + e[l]/(g+math.Copysign(math.Hypot(g, 1), g))
			s, c, p := 1.0, 1.0, 0.0
			list = list[:0]
			i := m - 1
			for ; i >= l; i-- {
				f, b := s*e[i], c*e[i]
				r := math.Hypot(f, g)
				if e[i+1] = r; r == 0 { // the matrix falls into two
					d[i+1] -= p
					e[m] = 0
					break
				}
				s, c = f/r, g/r
				g = d[i+1] - p
				r = (d[i]-g)*s + 2*c*b
				p = s * r
				d[i+1] = g + p
				g = c*r - b
				list = append(list, rotation{i, c, s})
			}
			turned(list)
			if i < l {
				d[l] -= p
				e[l], e[m] = g, 0
			}
		}
	}
	return true
}

// rotate applies rotations to rows of z, in the order in which they are.
func rotate(z *mat.Dense, order []int, list []rotation) {
	if len(list) == 0 {
		return
	}
	_, n := z.Dims()
	spread((n+strip-1)/strip, func(block int) {
		lo, hi := block*strip, min(n, (block+1)*strip)
		row := func(i int) []float64 { return z.RawRowView(order[i])[lo:hi] }
		k := 0
		for ; k+1 < len(list); k += 2 {
			one, two := list[k], list[k+1]
			turnTwo(row(one.i+1), row(one.i), row(two.i), one, two)
		}
		if k < len(list) {
			turn(row(list[k].i+1), row(list[k].i), list[k])
		}
	})
}

// turn rotates two rows.
func turn(upper, lower []float64, r rotation) {
	lower = lower[:len(upper)]
	for k, f := range upper {
		x := lower[k]
		upper[k] = r.s*x + r.c*f
		lower[k] = r.c*x - r.s*f
	}
}

// turnTwo rotates the first two of three rows, then the last two.
func turnTwo(upper, middle, lower []float64, one, two rotation) {
	middle, lower = middle[:len(upper)], lower[:len(upper)]
	for k, f := range upper {
		x := middle[k]
		upper[k] = one.s*x + one.c*f
		x = one.c*x - one.s*f
		y := lower[k]
		middle[k] = two.s*y + two.c*x
		lower[k] = two.c*y - two.s*x
	}
}

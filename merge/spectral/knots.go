package spectral

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

// Knots brings task vectors that are products, δᵢ = leftᵢ·rightᵢᵀ, to one left matrix (Stoica et al., KnOTS, arXiv
// 2410.19735): [δ₁ … δ_N] = UΣ[V₁ … V_N]ᵀ, δᵢ = (UΣ)·Vᵢᵀ, with as many columns in UΣ as KnotsRank says; those that the
// task vectors do not fill are zero. With a density below 1 TIES is applied to the Vᵢ: of each the ⌈density·n⌉ largest entries are
// kept, a sign is elected for every entry by their sum, and those that agree are divided by how many do. The sum of all is then
// the mean that KnOTS-TIES makes. The matrices are overwritten; left is rows × rank, right columns × rank, a nil one a model that
// changes nothing. Without singular values that are numbers nothing comes back.
func Knots(lefts, rights []*mat.Dense, ties bool, density float64) (left *mat.Dense, aligned []*mat.Dense) {
	rows, total := 0, 0
	for _, l := range lefts {
		if l != nil {
			n, r := l.Dims()
			rows, total = n, total+r
		}
	}
	all := mat.NewDense(rows, total, nil)
	at := 0
	for _, l := range lefts {
		if l != nil {
			_, r := l.Dims()
			all.Slice(0, rows, at, at+r).(*mat.Dense).Copy(l)
			at += r
		}
	}
	q, core := Thin(all)
	return align(q, core, rights, ties, density)
}

// KnotsRank is the rank of what Knots makes of some products of rows × columns whose ranks sum up to total.
func KnotsRank(rows, cols, models, total int) int { return min(total, rows, cols*models) }

func align(q, core *mat.Dense, rights []*mat.Dense, ties bool, density float64) (*mat.Dense, []*mat.Dense) {
	height, _ := core.Dims()
	qs := make([]*mat.Dense, len(rights))
	widths := make([]int, len(rights))
	blocks := make([]*mat.Dense, len(rights))
	at, width := 0, 0
	cols := 0
	for i, right := range rights {
		if right == nil {
			continue
		}
		n, r := right.Dims()
		cols = n
		var small *mat.Dense
		qs[i], small = Thin(right)
		widths[i], _ = small.Dims()
		blocks[i] = new(mat.Dense)
		blocks[i].Mul(core.Slice(0, height, at, at+r), small.T())
		at, width = at+r, width+widths[i]
	}
	side := mat.NewDense(height, width, nil)
	at = 0
	for i, b := range blocks {
		if b != nil {
			side.Slice(0, height, at, at+widths[i]).(*mat.Dense).Copy(b)
			at += widths[i]
		}
	}
	var svd mat.SVD
	if !svd.Factorize(side, mat.SVDThin) {
		return nil, nil
	}
	var u, v mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	values := svd.Values(nil)
	some := 0
	for k, s := range values {
		if s > Least*values[0] {
			some = k + 1
		} else {
			values[k] = 0
		}
	}
	u.Apply(func(_, k int, x float64) float64 { return x * values[k] }, &u)
	left := &u
	if q != nil {
		left = new(mat.Dense)
		left.Mul(q, &u)
	}
	aligned := make([]*mat.Dense, len(rights))
	at = 0
	for i := range rights {
		if rights[i] == nil {
			continue
		}
		part := v.Slice(at, at+widths[i], 0, len(values))
		at += widths[i]
		aligned[i] = mat.NewDense(cols, len(values), nil)
		if qs[i] == nil {
			aligned[i].Copy(part)
		} else {
			aligned[i].Mul(qs[i], part)
		}
		aligned[i].Apply(func(_, k int, x float64) float64 {
			if k >= some {
				return 0
			}
			return x
		}, aligned[i])
	}
	if ties {
		electAll(aligned, cols*some, density)
	}
	return left, aligned
}

// electAll is TIES on matrices of n entries that are not zero by what they are.
func electAll(list []*mat.Dense, n int, density float64) {
	for _, m := range list {
		if m != nil {
			trim(m.RawMatrix().Data, int(math.Ceil(density*float64(n))))
		}
	}
	var any *mat.Dense
	for _, m := range list {
		if m != nil {
			any = m
		}
	}
	if any == nil {
		return
	}
	for e := range any.RawMatrix().Data {
		sum, agree := 0.0, 0
		for _, m := range list {
			if m != nil {
				sum += m.RawMatrix().Data[e]
			}
		}
		for _, m := range list {
			if m != nil && agrees(m.RawMatrix().Data[e], sum) {
				agree++
			}
		}
		for _, m := range list {
			switch {
			case m == nil:
			case agrees(m.RawMatrix().Data[e], sum):
				m.RawMatrix().Data[e] /= float64(agree)
			default:
				m.RawMatrix().Data[e] = 0
			}
		}
	}
}

// agrees says whether an entry has the elected sign, which is + where the sum is 0.
func agrees(v, sum float64) bool { return v > 0 && sum >= 0 || v < 0 && sum < 0 }

// trim keeps the n largest entries, among equal ones the first.
func trim(data []float64, n int) {
	sizes := make([]float64, len(data))
	for i, v := range data {
		sizes[i] = math.Abs(v)
	}
	if n == 0 || n >= len(sizes) {
		return
	}
	slices.Sort(sizes)
	threshold := sizes[len(sizes)-n]
	above, _ := slices.BinarySearchFunc(sizes, threshold, func(a, b float64) int {
		if a > b {
			return 1
		}
		return -1
	})
	equal := n - (len(sizes) - above) // of those at the threshold, how many are kept
	for i, v := range data {
		switch size := math.Abs(v); {
		case size > threshold:
		case size == threshold && equal > 0:
			equal--
		default:
			data[i] = 0
		}
	}
}

// Thin is m = q·r with orthonormal columns in q, as many as m has, by Householder's reflections; q is nil, and stands for
// the identity, where m is not tall. m is overwritten.
func Thin(m *mat.Dense) (q, r *mat.Dense) {
	rows, cols := m.Dims()
	if rows <= cols {
		return nil, m
	}
	tau, ask := make([]float64, cols), make([]float64, 1)
	lapack64.Geqrf(m.RawMatrix(), tau, ask, -1)
	work := make([]float64, int(ask[0]))
	lapack64.Geqrf(m.RawMatrix(), tau, work, len(work))
	r = mat.NewDense(cols, cols, nil)
	for i := range cols {
		for k := i; k < cols; k++ {
			r.Set(i, k, m.At(i, k))
		}
	}
	lapack64.Orgqr(m.RawMatrix(), tau, ask, -1)
	if len(work) < int(ask[0]) {
		work = make([]float64, int(ask[0]))
	}
	lapack64.Orgqr(m.RawMatrix(), tau, work, len(work))
	return m, r
}

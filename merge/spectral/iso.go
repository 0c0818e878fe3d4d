package spectral

import (
	"context"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// Iso writes Iso-C (Marczak et al., No Task Left Behind, arXiv 2502.04959): with Σδᵢ = USVᵀ, σ̄·UVᵀ, σ̄ the mean of all
// singular values.
func Iso(ctx context.Context, s Stack, write Write) error {
	common, err := s.common(ctx, s.Cols)
	if err != nil {
		return err
	}
	return s.join([]part{common}).flat(ctx, write)
}

// IsoCTS writes Iso-CTS (ibid.): of Σδᵢ the singular vectors of its s largest singular values, and of each task vector, less
// what of it lies in the span of the s left ones, as many of its own as fill the rank between them. All are made orthogonal
// together, and all singular values are the mean of those that they had. s is the share of the rank that is common, rounded
// so that the rest can be divided.
func IsoCTS(ctx context.Context, s Stack, share float64, write Write) error {
	most, own := split(s.Cols, s.Models, share)
	common, err := s.common(ctx, most)
	if err != nil {
		return err
	}
	parts := []part{common}
	if own > 0 {
		specific, err := s.specific(ctx, common, own)
		if err != nil {
			return err
		}
		parts = append(parts, specific...)
	}
	j := s.join(parts)
	if j.rank() > 0 {
		if err := j.orthogonalise(ctx); err != nil {
			return err
		}
	}
	return j.flat(ctx, write)
}

// split divides a rank among what is common and n tasks.
func split(rank, n int, share float64) (common, own int) {
	rest := float64(rank - int(share*float64(rank)))
	own = int(math.RoundToEven(rest / float64(n)))
	if own*n > rank {
		own = rank / n
	}
	return rank - own*n, own
}

// common is the part of the most largest singular values of the sum.
func (s *Stack) common(ctx context.Context, most int) (part, error) {
	one := mat.NewDense(s.run(), s.Cols, nil)
	gram, err := s.gram(ctx, func(first int, into *mat.Dense) error {
		rows, _ := into.Dims()
		return s.sum(ctx, first, into, one.Slice(0, rows, 0, s.Cols).(*mat.Dense))
	})
	if err != nil {
		return part{}, err
	}
	return top(ctx, -1, gram, most)
}

// specific are the parts of the own largest singular values of what the task vectors have beside what is common.
func (s *Stack) specific(ctx context.Context, common part, own int) ([]part, error) {
	inside := make([]*mat.Dense, s.Models) // Uᵀδᵢ of the common left vectors
	if common.v != nil && !s.Turned {
		if err := s.shadows(ctx, common, inside); err != nil {
			return nil, err
		}
	}
	parts := make([]part, s.Models)
	return parts, s.inParallel(func(i int) error {
		gram, err := s.gram(ctx, func(first int, into *mat.Dense) error { return s.Read(ctx, i, first, into) })
		switch {
		case err != nil:
			return err
		case common.v == nil:
		case s.Turned: // the left vectors are on the side of the columns
			away(gram, common.v)
		default: // (δ − UUᵀδ)ᵀ(δ − UUᵀδ) = δᵀδ − (Uᵀδ)ᵀ(Uᵀδ)
			blas64.Syrk(blas.Trans, -1, inside[i].RawMatrix(), 1, gram.RawSymmetric())
		}
		p, err := top(ctx, i, gram, own)
		if p.v != nil && inside[i] != nil {
			p.less = new(mat.Dense)
			p.less.Mul(inside[i], p.v)
			p.less.Apply(func(_, k int, v float64) float64 { return v / p.s[k] }, p.less)
		}
		parts[i] = p
		return err
	})
}

// shadows are Uᵀδᵢ.
func (s *Stack) shadows(ctx context.Context, common part, into []*mat.Dense) error {
	for i := range into {
		into[i] = mat.NewDense(len(common.s), s.Cols, nil)
	}
	j := s.join([]part{common})
	delta := mat.NewDense(s.run(), s.Cols, nil)
	return s.each(ctx, func(first, rows int) error {
		u, err := j.rows(ctx, first, rows)
		for i := range into {
			if err != nil {
				return err
			}
			d := delta.Slice(0, rows, 0, s.Cols).(*mat.Dense)
			if err = s.Read(ctx, i, first, d); err == nil {
				blas64.Gemm(blas.Trans, blas.NoTrans, 1, u.RawMatrix(), d.RawMatrix(), 1, into[i].RawMatrix())
			}
		}
		return err
	})
}

// away makes g (1 − vvᵀ)·g·(1 − vvᵀ).
func away(g *mat.SymDense, v *mat.Dense) {
	var gv, vgv, half, out mat.Dense
	gv.Mul(g, v)
	vgv.Mul(v.T(), &gv)
	half.Mul(v, &vgv)
	half.Scale(0.5, &half)
	half.Sub(&gv, &half) // g − half·vᵀ − v·halfᵀ
	out.Mul(&half, v.T())
	n, _ := g.Dims()
	for i := range n {
		for k := i; k < n; k++ {
			g.SetSym(i, k, g.At(i, k)-out.At(i, k)-out.At(k, i))
		}
	}
}

// flat writes U·Vᵀ times the mean of the singular values, of which those that count as none are 0.
func (j *joined) flat(ctx context.Context, write Write) error {
	shares := make([]*mat.Dense, 1)
	if j.rank() == 0 {
		return j.each(ctx, func(first, rows int) error { return write(first, rows, shares) })
	}
	mean := 0.0
	for _, p := range j.parts {
		for _, v := range p.s {
			mean += v
		}
	}
	j.right.Scale(mean/float64(j.Cols), j.right)
	return j.each(ctx, func(first, rows int) error {
		u, err := j.orthogonal(ctx, first, rows)
		if err != nil {
			return err
		}
		shares[0] = j.delta.Slice(0, rows, 0, j.Cols).(*mat.Dense)
		shares[0].Mul(u, j.right)
		return write(first, rows, shares)
	})
}

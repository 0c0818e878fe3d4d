package spectral

import (
	"context"

	"gonum.org/v1/gonum/mat"
)

// TSV writes the models' shares of TSV-M (Gargiulo et al., Task Singular Vectors, arXiv 2412.00081): each task vector is
// brought to its rank largest singular values, δᵢ ≈ UᵢSᵢVᵢᵀ, the singular vectors of all tasks are made orthogonal together,
// [U₁ … U_N] → U⊥ and [V₁ … V_N] → V⊥, and Mᵢ = U⊥ᵢSᵢV⊥ᵢᵀ. The sum of all Mᵢ is TSV-M.
func TSV(ctx context.Context, s Stack, rank int, write Write) error {
	parts := make([]part, s.Models)
	err := s.inParallel(func(i int) error {
		gram, err := s.gram(ctx, func(first int, into *mat.Dense) error { return s.Read(ctx, i, first, into) })
		if err == nil {
			parts[i], err = top(ctx, i, gram, rank)
		}
		return err
	})
	if err != nil {
		return err
	}
	j := s.join(parts)
	if j.rank() > 0 {
		if err := j.orthogonalise(ctx); err != nil {
			return err
		}
	}
	shares, into := make([]*mat.Dense, s.Models), make([]*mat.Dense, len(j.parts))
	for p, of := range j.parts { // S into V
		rows := j.right.Slice(j.at[p], j.at[p+1], 0, s.Cols).(*mat.Dense)
		rows.Apply(func(k, _ int, v float64) float64 { return of.s[k] * v }, rows)
		into[p] = mat.NewDense(s.run(), s.Cols, nil)
	}
	return j.each(ctx, func(first, rows int) error {
		if len(j.parts) > 0 {
			u, err := j.orthogonal(ctx, first, rows)
			if err != nil {
				return err
			}
			for p, of := range j.parts {
				shares[of.model] = into[p].Slice(0, rows, 0, s.Cols).(*mat.Dense)
				shares[of.model].Mul(u.Slice(0, rows, j.at[p], j.at[p+1]), j.right.Slice(j.at[p], j.at[p+1], 0, s.Cols))
			}
		}
		return write(first, rows, shares)
	})
}

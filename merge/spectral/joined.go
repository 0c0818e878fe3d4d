package spectral

import (
	"context"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// joined is singular vectors of several parts beside one another: U (rows × rank), which is made anew for every run of rows,
// and V (columns × rank).
type joined struct {
	*Stack
	parts []part
	over  []*mat.Dense // by part: v divided by the singular values, so that δ·over is left vectors
	at    []int        // the first column of each part, and the rank
	left  *mat.Dense   // (UᵀU)^(−½)
	right *mat.Dense   // rank × columns: (VᵀV)^(−½)·Vᵀ

	needs      []bool // which models are read
	first      bool   // there is a sum to be made
	delta, sum *mat.Dense
	u, turned  *mat.Dense
}

// join takes parts with their vectors as they are.
func (s *Stack) join(parts []part) *joined {
	j := &joined{Stack: s, at: []int{0}, needs: make([]bool, s.Models)}
	for _, p := range parts {
		if p.v == nil {
			continue
		}
		over := mat.DenseCopyOf(p.v)
		over.Apply(func(_, k int, v float64) float64 { return v / p.s[k] }, over)
		j.parts, j.over = append(j.parts, p), append(j.over, over)
		j.at = append(j.at, j.at[len(j.at)-1]+len(p.s))
		for i := range j.needs {
			j.needs[i] = j.needs[i] || p.model == i || p.model < 0
		}
		j.first = j.first || p.model < 0
	}
	j.delta = mat.NewDense(s.run(), s.Cols, nil)
	if j.first {
		j.sum = mat.NewDense(s.run(), s.Cols, nil)
	}
	if r := j.rank(); r > 0 {
		j.u, j.turned = mat.NewDense(s.run(), r, nil), mat.NewDense(s.run(), r, nil)
		j.right = mat.NewDense(r, s.Cols, nil)
		for i, p := range j.parts {
			j.right.Slice(j.at[i], j.at[i+1], 0, s.Cols).(*mat.Dense).Copy(p.v.T())
		}
	}
	return j
}

func (j *joined) rank() int { return j.at[len(j.at)-1] }

// rows makes rows of U.
func (j *joined) rows(ctx context.Context, first, rows int) (*mat.Dense, error) {
	u := j.u.Slice(0, rows, 0, j.rank()).(*mat.Dense)
	delta := j.delta.Slice(0, rows, 0, j.Cols).(*mat.Dense)
	place := func(p int) *mat.Dense { return u.Slice(0, rows, j.at[p], j.at[p+1]).(*mat.Dense) }
	var sum *mat.Dense
	if j.first {
		sum = j.sum.Slice(0, rows, 0, j.Cols).(*mat.Dense)
		sum.Zero()
	}
	for i, needed := range j.needs {
		if !needed {
			continue
		}
		if err := j.Read(ctx, i, first, delta); err != nil {
			return nil, err
		}
		if j.first {
			sum.Add(sum, delta)
		}
		for p := range j.parts {
			if j.parts[p].model == i {
				place(p).Mul(delta, j.over[p])
			}
		}
	}
	if j.first {
		place(0).Mul(sum, j.over[0])
	}
	for p := range j.parts {
		if less := j.parts[p].less; less != nil {
			var away mat.Dense
			away.Mul(place(0), less)
			into := place(p)
			into.Sub(into, &away)
		}
	}
	return u, nil
}

// orthogonalise makes left and right of the vectors as they are.
func (j *joined) orthogonalise(ctx context.Context) error {
	r := j.rank()
	h := mat.NewSymDense(r, nil)
	err := j.each(ctx, func(first, rows int) error {
		u, err := j.rows(ctx, first, rows)
		if err == nil {
			blas64.Syrk(blas.Trans, 1, u.RawMatrix(), 1, h.RawSymmetric())
		}
		return err
	})
	if err != nil {
		return err
	}
	if j.left, err = inverseRoot(ctx, h); err != nil {
		return err
	}
	var k mat.SymDense
	k.SymOuterK(1, j.right)
	root, err := inverseRoot(ctx, &k)
	if err != nil {
		return err
	}
	var right mat.Dense
	right.Mul(root, j.right)
	j.right = &right
	return nil
}

// orthogonal makes rows of the polar factor of U.
func (j *joined) orthogonal(ctx context.Context, first, rows int) (*mat.Dense, error) {
	u, err := j.rows(ctx, first, rows)
	if err != nil || j.left == nil {
		return u, err
	}
	turned := j.turned.Slice(0, rows, 0, j.rank()).(*mat.Dense)
	turned.Mul(u, j.left)
	return turned, nil
}

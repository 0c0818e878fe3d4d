package surrogate

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

const leastVariance = 1e-9 // a covariance that is smaller throughout counts as that

// Draws implements Surrogate.
func (s *fitted) Draws(xs [][]float64, n int, wider float64, normal func() float64) *mat.Dense {
	mean, cov := s.Joint(xs)
	out := draws(cov, n, normal)
	out.Scale(wider, out)
	for i := range n {
		row := out.RawRowView(i)
		for j, m := range mean {
			row[j] += m
		}
	}
	return out
}

// Draws implements Surrogate: in a draw the metric is broken at some points, as correlated as the labels are, and as fitted
// says at the others. A normal distribution of the same moments would have, this side of the edge, draws far better than
// anything that holds.
func (b *broken) Draws(xs [][]float64, n int, wider float64, normal func() float64) *mat.Dense {
	out := b.fitted.Draws(xs, n, wider, normal)
	us := make([][]float64, len(xs))
	for i, x := range xs {
		us[i] = b.scale(x)
	}
	_, labels := b.edge.p.joint(us)
	sd := make([]float64, len(us))
	for i := range us {
		sd[i] = math.Sqrt(max(labels.At(i, i), 1e-12))
	}
	for i := range us {
		for j := i + 1; j < len(us); j++ {
			labels.SetSym(i, j, labels.At(i, j)/(sd[i]*sd[j]))
		}
	}
	for i := range us {
		labels.SetSym(i, i, 1)
	}
	sides := draws(labels, n, normal)
	for j, u := range us {
		edge := b.edge.p.mean(nil, u) / b.edge.off
		for i := range n {
			if sides.At(i, j) < edge {
				out.Set(i, j, b.level)
			}
		}
	}
	return out
}

// draws are n draws of a normal distribution with mean 0: n × points.
func draws(cov *mat.SymDense, n int, normal func() float64) *mat.Dense {
	m := cov.SymmetricDim()
	e, out := mat.NewDense(n, m, nil), mat.NewDense(n, m, nil)
	for i := range n {
		for j := range m {
			e.Set(i, j, normal())
		}
	}
	out.Mul(e, root(cov).T())
	return out
}

// root is the lower Cholesky factor of a covariance, jittered until there is one; its diagonal alone where
// there is none.
func root(cov *mat.SymDense) mat.Matrix {
	n := cov.SymmetricDim()
	largest := leastVariance
	for i := range n {
		largest = max(largest, cov.At(i, i))
	}
	for jitter := 1e-10; jitter < 1; jitter *= 100 {
		c := mat.NewSymDense(n, nil)
		c.CopySym(cov)
		for i := range n {
			c.SetSym(i, i, c.At(i, i)+jitter*largest)
		}
		var chol mat.Cholesky
		if chol.Factorize(c) {
			var lower mat.TriDense
			chol.LTo(&lower)
			return &lower
		}
	}
	diagonal := make([]float64, n)
	for i := range diagonal {
		diagonal[i] = math.Sqrt(max(cov.At(i, i), 0))
	}
	return mat.NewDiagDense(n, diagonal)
}

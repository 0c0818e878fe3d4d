package surrogate

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// basis are the features of a polynomial of coefficients u in [0, 1], about the middle of the box:
// 1, v_i, v_i² and, with interactions, v_i·v_j for i < j, where v = u − ½.
type basis struct {
	dim          int
	interactions bool
}

func (b basis) size() int {
	p := 1 + 2*b.dim
	if b.interactions {
		p += b.dim * (b.dim - 1) / 2
	}
	return p
}

// features stores φ(u) in dst of length size.
func (b basis) features(dst, u []float64) {
	dst[0] = 1
	for i, a := range u {
		v := a - 0.5
		dst[1+i] = v
		dst[1+b.dim+i] = v * v
	}
	if !b.interactions {
		return
	}
	k := 1 + 2*b.dim
	for i := range u {
		for j := i + 1; j < b.dim; j++ {
			dst[k] = dst[1+i] * dst[1+j]
			k++
		}
	}
}

// matrix has the features of each of some points as a row.
func (b basis) matrix(us [][]float64) *mat.Dense {
	phi := mat.NewDense(len(us), b.size(), nil)
	for i, u := range us {
		b.features(phi.RawRowView(i), u)
	}
	return phi
}

// gradientOf stores Σ_k w_k ∂φ_k/∂u, the gradient of wᵀφ, in dst of length dim.
func (b basis) gradientOf(dst, w, u []float64) {
	for i, a := range u {
		dst[i] = w[1+i] + 2*(a-0.5)*w[1+b.dim+i]
	}
	if !b.interactions {
		return
	}
	k := 1 + 2*b.dim
	for i := range u {
		for j := i + 1; j < b.dim; j++ {
			dst[i] += w[k] * (u[j] - 0.5)
			dst[j] += w[k] * (u[i] - 0.5)
			k++
		}
	}
}

// polynomial is a fitted linear combination of a basis with the covariance of its coefficients.
type polynomial struct {
	basis
	beta []float64
	cov  *mat.SymDense // size × size
}

func (p *polynomial) phi(u []float64) []float64 {
	f := make([]float64, p.size())
	p.features(f, u)
	return f
}

// covTimes returns Cov·f for features f.
func (p *polynomial) covTimes(f []float64) []float64 {
	out := mat.NewVecDense(len(f), nil)
	out.MulVec(p.cov, mat.NewVecDense(len(f), f))
	return out.RawVector().Data
}

func (p *polynomial) predict(u []float64) (eta, sd float64) {
	f := p.phi(u)
	return dot(p.beta, f), math.Sqrt(max(dot(f, p.covTimes(f)), 0))
}

func (p *polynomial) mean(grad, u []float64) float64 {
	if grad != nil {
		p.gradientOf(grad, p.beta, u)
	}
	return dot(p.beta, p.phi(u))
}

func (p *polynomial) gradient(eta, sd, u []float64) {
	if eta != nil {
		p.gradientOf(eta, p.beta, u)
	}
	if sd == nil {
		return
	}
	f := p.phi(u)
	w := p.covTimes(f)
	s := math.Sqrt(max(dot(f, w), 0))
	p.gradientOf(sd, w, u)
	for i := range sd {
		if s > 0 {
			sd[i] /= s
		} else {
			sd[i] = 0
		}
	}
}

func (p *polynomial) joint(us [][]float64) ([]float64, *mat.SymDense) {
	n := len(us)
	if n == 0 {
		return nil, nil
	}
	phi, mean := p.matrix(us), make([]float64, n)
	for i := range mean {
		mean[i] = dot(p.beta, phi.RawRowView(i))
	}
	var left mat.Dense
	left.Mul(phi, p.cov)
	cov := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			cov.SetSym(i, j, dot(left.RawRowView(i), phi.RawRowView(j)))
		}
	}
	return mean, cov
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

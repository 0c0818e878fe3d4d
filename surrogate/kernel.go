package surrogate

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
)

// kernel is the covariance of a standardised metric on the link's scale,
//
//	4 + σ_l²(x−½)·(x'−½) + σ_f²·m(r),  r² = Σ ((x_k−x'_k)/ℓ_k)²,
//
// a wide constant and a linear trend under a Matérn-5/2 deviation m(r) = (1 + √5r + 5r²/3)e^{−√5r}
// (Rasmussen and Williams 2006, §4.2), with noise σ_n² on the diagonal.
type kernel struct {
	deviation, linear, noise float64   // variances
	inverse                  []float64 // 1/ℓ²
}

const (
	constantVariance = 4
	sqrt5            = 2.23606797749979
)

// decode reads θ = (log σ_f², log σ_l², log σ_n², log ℓ_1 …), clamped to what numerics can carry.
func decode(theta []float64) kernel {
	k := kernel{
		deviation: math.Exp(min(max(theta[0], minLogVariance), maxLogVariance)),
		linear:    math.Exp(min(max(theta[1], minLogVariance), maxLogVariance)),
		noise:     math.Exp(min(max(theta[2], minLogNoise), maxLogNoise)),
		inverse:   make([]float64, len(theta)-3),
	}
	for i := range k.inverse {
		k.inverse[i] = math.Exp(-2 * min(max(theta[3+i], minLogScale), maxLogScale))
	}
	return k
}

// matern returns m(r) and −2·dm/d(r²), the factor of Δ² in its derivatives, of the squared distance.
func matern(r2 float64) (value, slope float64) {
	s := sqrt5 * math.Sqrt(r2)
	e := expOfNegative(-s)
	return (1 + s + s*s/3) * e, 5.0 / 3 * (1 + s) * e
}

// row stores k(u, us_i) in dst.
func (k *kernel) row(dst, u []float64, us [][]float64) {
	for i, v := range us {
		r2, a := 0.0, 0.0
		for j, w := range k.inverse {
			d := u[j] - v[j]
			r2 += w * d * d
			a += (u[j] - 0.5) * (v[j] - 0.5)
		}
		m, _ := matern(r2)
		dst[i] = constantVariance + k.linear*a + k.deviation*m
	}
}

// self is k(u, u), without noise.
func (k *kernel) self(u []float64) float64 {
	a := 0.0
	for _, v := range u {
		a += (v - 0.5) * (v - 0.5)
	}
	return constantVariance + k.linear*a + k.deviation
}

// addGradient adds Σ_i w_i ∂k(u, us_i)/∂u to dst.
func (k *kernel) addGradient(dst, w, u []float64, us [][]float64) {
	for i, v := range us {
		r2 := 0.0
		for j, s := range k.inverse {
			d := u[j] - v[j]
			r2 += s * d * d
		}
		_, slope := matern(r2)
		slope *= k.deviation
		for j, s := range k.inverse {
			dst[j] += w[i] * (k.linear*(v[j]-0.5) - slope*s*(u[j]-v[j]))
		}
	}
}

// gram is the Gram matrix of the samples, their covariance under a kernel, and what its derivatives are made of.
type gram struct {
	n, d   int
	us     [][]float64
	inner  []float64 // n × n, upper: (u−½)·(u'−½)
	value  []float64 // n × n, upper: Matérn
	slope  []float64 // n × n, upper: its factor of Δ²
	factor []float64 // n × n, upper: covariance, then its Cholesky factor, then its inverse
}

func newGram(us [][]float64) *gram {
	n, d := len(us), len(us[0])
	g := &gram{n: n, d: d, us: us}
	g.inner, g.value = make([]float64, n*n), make([]float64, n*n)
	g.slope, g.factor = make([]float64, n*n), make([]float64, n*n)
	for i, u := range us {
		for j := i; j < n; j++ {
			a := 0.0
			for k, v := range us[j] {
				a += (u[k] - 0.5) * (v - 0.5)
			}
			g.inner[i*n+j] = a
		}
	}
	return g
}

func (g *gram) symmetric() blas64.Symmetric {
	return blas64.Symmetric{N: g.n, Stride: g.n, Data: g.factor, Uplo: blas.Upper}
}

func (g *gram) triangular() blas64.Triangular {
	return blas64.Triangular{N: g.n, Stride: g.n, Data: g.factor, Uplo: blas.Upper, Diag: blas.NonUnit}
}

// factorize computes the Cholesky factor of the covariance under k; false where it is not positive
// definite.
func (g *gram) factorize(k *kernel) bool {
	n := g.n
	for i, u := range g.us {
		for j := i; j < n; j++ {
			r2 := 0.0
			v := g.us[j]
			for c, w := range k.inverse {
				d := u[c] - v[c]
				r2 += w * d * d
			}
			at := i*n + j
			g.value[at], g.slope[at] = matern(r2)
			g.factor[at] = constantVariance + k.linear*g.inner[at] + k.deviation*g.value[at]
		}
		g.factor[i*n+i] += k.noise
	}
	_, ok := lapack64.Potrf(g.symmetric())
	return ok
}

// solve returns K⁻¹z and log|K|, from the factor.
func (g *gram) solve(z []float64) (alpha []float64, logDet float64) {
	alpha = append([]float64(nil), z...)
	v := blas64.Vector{N: g.n, Inc: 1, Data: alpha}
	blas64.Trsv(blas.Trans, g.triangular(), v)
	blas64.Trsv(blas.NoTrans, g.triangular(), v)
	for i := range g.n {
		logDet += 2 * math.Log(g.factor[i*g.n+i])
	}
	return alpha, logDet
}

// invert turns the factor into the inverse of the covariance, in its upper triangle.
func (g *gram) invert() bool {
	_, ok := lapack64.Potri(g.triangular())
	return ok
}

// gradient stores ½ Σ_ij (K⁻¹ − ααᵀ)_ij ∂K_ij/∂θ in dst, after invert.
func (g *gram) gradient(dst, alpha []float64, k *kernel) {
	clear(dst)
	n := g.n
	for i, u := range g.us {
		diagonal := g.factor[i*n+i] - alpha[i]*alpha[i]
		dst[0] += diagonal * k.deviation / 2
		dst[1] += diagonal * k.linear * g.inner[i*n+i] / 2
		dst[2] += diagonal * k.noise / 2
		for j := i + 1; j < n; j++ {
			at := i*n + j
			c := g.factor[at] - alpha[i]*alpha[j]
			dst[0] += c * k.deviation * g.value[at]
			dst[1] += c * k.linear * g.inner[at]
			c *= k.deviation * g.slope[at]
			v := g.us[j]
			for x, w := range k.inverse {
				d := u[x] - v[x]
				dst[3+x] += c * w * d * d
			}
		}
	}
}

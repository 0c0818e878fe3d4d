package items

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"

	"parfait/problem"
)

// kernel is the covariance of the scores of one item at two points, the same for all items,
//
//	σ_c² + σ_l²(u−½)·(u'−½) + σ_f²·m(r),  r² = Σ ((u_k−u'_k)/ℓ_k)²,
//
// an offset (how easy the item is), a linear trend and a Matérn-5/2 deviation m (Rasmussen and Williams 2006, §4.2), with
// noise σ_n² on the diagonal. u are coefficients scaled to [0, 1].
type kernel struct {
	offset, linear, deviation, noise float64   // variances
	inverse                          []float64 // 1/ℓ²
}

// What numerics can carry.
const (
	minLogVariance, maxLogVariance = -12.0, 5.0
	minLogLength, maxLogLength     = -3.0, 5.0
	leastNoise                     = 1e-4
)

// theta is (log σ_c², log σ_l², log σ_f², log σ_n², log ℓ_1 …), of scores in units of their standard deviation.
func decode(theta []float64) kernel {
	v := func(i int) float64 { return math.Exp(min(max(theta[i], minLogVariance), maxLogVariance)) }
	k := kernel{offset: v(0), linear: v(1), deviation: v(2), noise: max(v(3), leastNoise), inverse: make([]float64, len(theta)-4)}
	for i := range k.inverse {
		k.inverse[i] = math.Exp(-2 * min(max(theta[4+i], minLogLength), maxLogLength))
	}
	return k
}

// The prior of theta: normal, as wide as a factor e² of variances and e of lengths, which grow with the square root of the
// number of coefficients.
var typical = [4]float64{-0.7, -2, -1, -2}

const lengthMean, varianceStd, lengthStd = 0.414, 2.0, 1.0

func prior(d int) []float64 {
	theta := append([]float64(nil), typical[:]...)
	for range d {
		theta = append(theta, lengthMean+math.Log(float64(d))/2)
	}
	return theta
}

// within says whether decode takes an entry of theta as it is.
func within(theta []float64, i int) bool {
	switch {
	case i >= 4:
		return theta[i] > minLogLength && theta[i] < maxLogLength
	case i == 3 && theta[i] <= math.Log(leastNoise):
		return false
	}
	return theta[i] > minLogVariance && theta[i] < maxLogVariance
}

// slopes adds w·∂k(u, v)/∂theta to dst, noise apart.
func (k *kernel) slopes(dst []float64, w float64, u, v []float64) {
	r2, inner := 0.0, 0.0
	for i, q := range k.inverse {
		d := u[i] - v[i]
		r2 += q * d * d
		inner += (u[i] - 0.5) * (v[i] - 0.5)
	}
	s := math.Sqrt(5 * r2)
	e := math.Exp(-s)
	dst[0] += w * k.offset
	dst[1] += w * k.linear * inner
	dst[2] += w * k.deviation * (1 + s + s*s/3) * e
	c := w * k.deviation * 5 / 3 * (1 + s) * e
	for i, q := range k.inverse {
		d := u[i] - v[i]
		dst[4+i] += c * q * d * d
	}
}

// at is the covariance of two points, without noise.
func (k *kernel) at(u, v []float64) float64 {
	r2, inner := 0.0, 0.0
	for i, w := range k.inverse {
		d := u[i] - v[i]
		r2 += w * d * d
		inner += (u[i] - 0.5) * (v[i] - 0.5)
	}
	s := math.Sqrt(5 * r2)
	return k.offset + k.linear*inner + k.deviation*(1+s+s*s/3)*math.Exp(-s)
}

// gram is the covariance of measurements at points, noise and all.
func (k *kernel) gram(us [][]float64) *mat.SymDense {
	g := mat.NewSymDense(len(us), nil)
	for i, u := range us {
		for j := range i {
			g.SetSym(i, j, k.at(u, us[j]))
		}
		g.SetSym(i, i, k.at(u, u)+k.noise)
	}
	return g
}

// pattern are items that the same trials answered: the points, how many items, and the mean of their zzᵀ.
type pattern struct {
	us      [][]float64
	count   float64
	moments *mat.SymDense
}

// learn maximises the posterior of theta over patterns, log N(z; 0, K) summed over the items, by L-BFGS (Liu and Nocedal
// 1989).
func learn(ctx context.Context, patterns []pattern, d int) (kernel, error) {
	post := &posterior{mean: prior(d), patterns: patterns, grad: make([]float64, 4+d)}
	result, err := optimize.Minimize(optimize.Problem{
		Func: func(theta []float64) float64 { post.at(theta); return post.value },
		Grad: func(grad, theta []float64) { post.at(theta); copy(grad, post.grad) },
	}, post.mean, &optimize.Settings{
		GradientThreshold: 1e-2,
		MajorIterations:   60,
		Converger:         &optimize.FunctionConverge{Absolute: 0.05, Iterations: 3},
		Recorder:          recorder{ctx},
		Concurrent:        1,
	}, &optimize.LBFGS{Store: 10})
	switch {
	case ctx.Err() != nil:
		return kernel{}, ctx.Err()
	case result == nil || result.X == nil || !finite(result.F):
		return kernel{}, problem.Problem{Code: Fit, What: "the kernel of the items could not be fitted", Err: err}
	}
	return decode(result.X), nil
}

// recorder stops an optimisation when its context ends.
type recorder struct{ ctx context.Context }

func (r recorder) Init() error { return nil }

func (r recorder) Record(*optimize.Location, optimize.Operation, *optimize.Stats) error {
	return r.ctx.Err()
}

// posterior is the negative log posterior with its gradient, remembered for the theta last asked for: the optimiser asks
// for one after the other.
type posterior struct {
	patterns    []pattern
	mean, theta []float64
	value       float64
	grad        []float64
}

func (p *posterior) at(theta []float64) {
	if slices.Equal(p.theta, theta) {
		return
	}
	p.theta = append(p.theta[:0], theta...)
	p.value = 0
	for i, v := range theta {
		std := varianceStd
		if i >= 4 {
			std = lengthStd
		}
		e := (v - p.mean[i]) / std
		p.value += e * e / 2
		p.grad[i] = e / std
	}
	k := decode(theta)
	slopes := make([]float64, len(theta))
	for _, of := range p.patterns {
		value, ok := of.surprise(&k, slopes)
		if !ok {
			p.value = math.Inf(1)
			return
		}
		p.value += value
		for i, v := range slopes {
			if within(theta, i) {
				p.grad[i] += v
			}
		}
	}
}

// surprise is the negative log likelihood of the items of a pattern, but for a constant: count/2·(tr K⁻¹S + log|K|) of their
// moments S. It stores ∂/∂theta in slopes; false where K is not positive definite.
func (p *pattern) surprise(k *kernel, slopes []float64) (value float64, ok bool) {
	n := len(p.us)
	var c mat.Cholesky
	var inverse mat.SymDense
	if !c.Factorize(k.gram(p.us)) || c.InverseTo(&inverse) != nil {
		return 0, false
	}
	var left, both mat.Dense
	left.Mul(&inverse, p.moments)
	both.Mul(&left, &inverse)
	clear(slopes)
	for i, u := range p.us {
		for j, v := range p.us[:i+1] {
			w := p.count * (inverse.At(i, j) - both.At(i, j)) // twice ½, for (i, j) and (j, i)
			if i == j {
				w /= 2
				slopes[3] += w * k.noise
			}
			k.slopes(slopes, w, u, v)
		}
	}
	trace := 0.0
	for i := range n {
		trace += left.At(i, i)
	}
	return p.count / 2 * (trace + c.LogDet()), true
}

package surrogate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

// Normal priors of the logarithms of length scales ℓ and variances, and bounds to which they are clamped.
const (
	scaleMean, scaleStd         = 0.414, 1.0 // of log ℓ, plus ½ ln N
	minLogScale, maxLogScale    = -3, 4
	deviationMean, deviationStd = 0, 1.5
	linearMean, linearStd       = 0, 2.0
	noiseStd                    = 3.0
	minLogNoise, maxLogNoise    = -14, 1
	minLogVariance              = -14 // of the deviation and the linear trend
	maxLogVariance              = 8
)

var noiseMean = math.Log(1e-3)

// finish makes the model from the fitted hyperparameters, or the quadratic where err says that there are none.
func (p *process) finish(ctx context.Context, s *sample, err error) (model, error) {
	if err == nil {
		err = p.factorize()
	}
	if ctx.Err() != nil {
		return model{}, ctx.Err()
	}
	if err != nil {
		m, err := fitRidge(ctx, s)
		m.note = "the covariance of a Gaussian process could not be factorised: the quadratic is used"
		return m, err
	}
	parameters := s.dim() + 3
	free := math.Max(float64(s.n()-parameters), leastFreedom)
	m := model{fitter: "gp", f: p, noise: p.unit * p.unit * p.kernel.noise, dof: free, lack: math.Sqrt(float64(s.n()) / free)}
	m.loo, m.sd = p.leaveOneOut()
	s.redrawn = cmp.Or(p.redrawn, 1)
	if full := (basis{dim: s.dim(), interactions: true}).size(); full > maxTerms {
		m.note = fmt.Sprintf("a quadratic of %d coefficients has %d parameters and is out of reach: a linear trend with smooth deviations is fitted instead, and no interaction is looked at by itself", s.dim(), full)
	}
	return m, nil
}

// process is a Gaussian process on the link's scale; fitted once factorize was called, and a latent then.
type process struct {
	us          [][]float64 // n × d
	z           []float64   // n, standardised
	shift, unit float64     // of the standardisation
	theta       []float64   // hyperparameters, see decode
	kernel      kernel
	alpha       []float64         // n: K⁻¹z
	factor      blas64.Triangular // upper Cholesky factor of K
	diagonal    []float64         // n: of K⁻¹
	posterior   *posteriorMean
	redrawn     float64 // share of the noise of the evaluation that differs from one measurement to the next; 0: all
}

func newProcess(s *sample) *process {
	mean, variance := s.moments()
	p := &process{us: s.u, shift: mean, unit: math.Sqrt(variance), z: make([]float64, s.n())}
	for i, v := range s.z {
		p.z[i] = (v - mean) / p.unit
	}
	return p
}

// errFactor says that the covariance of the samples could not be factorised.
var errFactor = errors.New("covariance is not positive definite")

const (
	maxSteps = 80 // of L-BFGS
	// convergence is the gain in log posterior below which a fit has converged: a twentieth of the odds. A
	// smaller one costs twice the time for the same held-out errors.
	convergence = 0.05

	subsetSize = 150 // points to which the hyperparameters of larger samples are fitted first
	fullSteps  = 8   // of L-BFGS on all points after that
)

// fitHyper finds the hyperparameters θ at the maximum of their posterior under a prior.
func (p *process) fitHyper(ctx context.Context, before prior) error {
	if err := p.fitSubset(ctx, before); err != nil || len(p.z) <= subsetSize {
		return err
	}
	var err error
	p.theta, err = p.maximize(ctx, before, p.theta, fullSteps)
	return err
}

// fitSubset is fitHyper on subsetSize points at most, starting at θ where there is one, else at the prior's means.
func (p *process) fitSubset(ctx context.Context, before prior) error {
	start := p.theta
	if start == nil {
		start = before.mean
	}
	few := *p
	if len(p.z) > subsetSize {
		few.us, few.z = p.subset()
	}
	var err error
	p.theta, err = few.maximize(ctx, before, start, maxSteps)
	return err
}

// subset returns subsetSize points, evenly spaced in the order in which they were measured.
func (p *process) subset() (us [][]float64, z []float64) {
	n := len(p.z)
	for k := range subsetSize {
		i := k * n / subsetSize
		us, z = append(us, p.us[i]), append(z, p.z[i])
	}
	return us, z
}

// factorize computes from θ what predictions need.
func (p *process) factorize() error {
	p.kernel = decode(p.theta)
	g := newGram(p.us)
	if !g.factorize(&p.kernel) {
		return errFactor
	}
	p.alpha, _ = g.solve(p.z)
	p.posterior = newPosteriorMean(&p.kernel, p.us, p.alpha)
	p.factor = g.triangular()
	p.factor.Data = slices.Clone(g.factor)
	if !g.invert() {
		return errFactor
	}
	p.diagonal = make([]float64, g.n)
	for i := range p.diagonal {
		p.diagonal[i] = g.factor[i*g.n+i]
	}
	return nil
}

// prior is an independent normal distribution of each entry of θ.
type prior struct{ mean, std []float64 }

// vaguePrior is the prior of a task of which nothing is known.
func vaguePrior(d int) prior {
	p := prior{
		mean: []float64{deviationMean, linearMean, noiseMean},
		std:  []float64{deviationStd, linearStd, noiseStd},
	}
	for range d {
		p.mean = append(p.mean, scaleMean+math.Log(float64(d))/2)
		p.std = append(p.std, scaleStd)
	}
	return p
}

// cost is the negative logarithm of the density at θ; its gradient is added to grad.
func (p prior) cost(theta, grad []float64) float64 {
	total := 0.0
	for i, v := range theta {
		e := (v - p.mean[i]) / p.std[i]
		total += e * e / 2
		grad[i] += e / p.std[i]
	}
	return total
}

// negLogPosterior is the negative log posterior of θ with its gradient, remembered for the θ last asked for:
// the optimiser asks for value and gradient one after the other.
type negLogPosterior struct {
	g     *gram
	prior prior
	z     []float64
	theta []float64
	value float64
	grad  []float64
}

func (p *negLogPosterior) at(theta []float64) {
	if slices.Equal(p.theta, theta) {
		return
	}
	p.theta = append(p.theta[:0], theta...)
	clear(p.grad)
	k := decode(theta)
	if !p.g.factorize(&k) {
		p.value = math.Inf(1)
		return
	}
	alpha, logDet := p.g.solve(p.z)
	if !p.g.invert() {
		p.value = math.Inf(1)
		return
	}
	p.g.gradient(p.grad, alpha, &k)
	zeroClamped(p.grad, theta)
	p.value = dot(p.z, alpha)/2 + logDet/2 + p.prior.cost(theta, p.grad)
}

// zeroClamped zeroes the likelihood's gradient where decode clamps.
func zeroClamped(grad, theta []float64) {
	for i, v := range theta {
		lo, hi := float64(minLogVariance), float64(maxLogVariance)
		switch {
		case i == 2:
			lo, hi = minLogNoise, maxLogNoise
		case i > 2:
			lo, hi = minLogScale, maxLogScale
		}
		if v < lo || v > hi {
			grad[i] = 0
		}
	}
}

// recorder stops an optimisation when its context ends.
type recorder struct{ ctx context.Context }

func (r recorder) Init() error { return nil }

func (r recorder) Record(*optimize.Location, optimize.Operation, *optimize.Stats) error {
	return r.ctx.Err()
}

// maximize improves θ by at most so many steps of L-BFGS (Liu and Nocedal 1989).
func (p *process) maximize(ctx context.Context, before prior, theta []float64, steps int) ([]float64, error) {
	post := &negLogPosterior{g: newGram(p.us), prior: before, z: p.z, grad: make([]float64, len(theta))}
	post.at(theta)
	if math.IsInf(post.value, 1) {
		return nil, errFactor
	}
	problem := optimize.Problem{
		Func: func(x []float64) float64 { post.at(x); return post.value },
		Grad: func(grad, x []float64) { post.at(x); copy(grad, post.grad) },
	}
	evaluations := 0 // any number
	if len(p.z) > subsetSize {
		evaluations = steps + steps/4 // without noise line searches are long, and an evaluation is O(n³)
	}
	result, err := optimize.Minimize(problem, theta, &optimize.Settings{
		GradientThreshold: 1e-3,
		MajorIterations:   steps,
		FuncEvaluations:   evaluations,
		Converger:         &optimize.FunctionConverge{Absolute: convergence, Iterations: 2},
		Recorder:          recorder{ctx},
		Concurrent:        1,
	}, &optimize.LBFGS{Store: 10})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if result == nil || result.X == nil || math.IsNaN(result.F) || math.IsInf(result.F, 0) {
		return nil, errors.Join(errFactor, err)
	}
	return result.X, nil
}

// leaveOneOut is exact (Sundararajan and Keerthi 2001): z_i − [K⁻¹z]_i/[K⁻¹]_ii, variance 1/[K⁻¹]_ii.
func (p *process) leaveOneOut() (eta, sd []float64) {
	eta, sd = make([]float64, len(p.z)), make([]float64, len(p.z))
	for i, v := range p.z {
		eta[i] = p.shift + p.unit*(v-p.alpha[i]/p.diagonal[i])
		sd[i] = p.unit / math.Sqrt(p.diagonal[i])
	}
	return eta, sd
}

func (p *process) predict(u []float64) (eta, sd float64) {
	k := make([]float64, len(p.us))
	p.kernel.row(k, u, p.us)
	eta = p.shift + p.unit*dot(k, p.alpha)
	return eta, p.unit * math.Sqrt(p.variance(k, u))
}

// variance is k(u,u) − kᵀK⁻¹k; k becomes L⁻¹k.
func (p *process) variance(k, u []float64) float64 {
	blas64.Trsv(blas.Trans, p.factor, blas64.Vector{N: len(k), Inc: 1, Data: k})
	return max(p.kernel.self(u)-dot(k, k), 0)
}

func (p *process) mean(grad, u []float64) float64 {
	eta := p.shift + p.unit*p.posterior.mean(grad, u)
	for i := range grad {
		grad[i] *= p.unit
	}
	return eta
}

func (p *process) gradient(eta, sd, u []float64) {
	if eta != nil {
		p.mean(eta, u)
	}
	if sd == nil {
		return
	}
	k := make([]float64, len(p.us))
	p.kernel.row(k, u, p.us)
	v := p.variance(k, u)
	clear(sd)
	if v == 0 {
		return
	}
	blas64.Trsv(blas.NoTrans, p.factor, blas64.Vector{N: len(k), Inc: 1, Data: k}) // K⁻¹k
	p.kernel.addGradient(sd, k, u, p.us)
	for i := range sd {
		sd[i] = p.unit * (p.kernel.linear*(u[i]-0.5) - sd[i]) / math.Sqrt(v)
	}
}

func (p *process) joint(us [][]float64) ([]float64, *mat.SymDense) {
	if len(us) == 0 {
		return nil, nil
	}
	n, m := len(p.us), len(us)
	rows := blas64.General{Rows: m, Cols: n, Stride: n, Data: make([]float64, m*n)}
	mean := make([]float64, m)
	for i, u := range us {
		k := rows.Data[i*n : (i+1)*n]
		p.kernel.row(k, u, p.us)
		mean[i] = p.shift + p.unit*dot(k, p.alpha)
	}
	// Rows become kᵀU⁻¹, so that the products of rows are kᵀK⁻¹k'.
	blas64.Trsm(blas.Right, blas.NoTrans, 1, p.factor, rows)
	cov := mat.NewSymDense(m, nil)
	prior := make([]float64, m)
	for i, u := range us {
		p.kernel.row(prior[i:], u, us[i:])
		for j := i; j < m; j++ {
			v := prior[j] - dot(rows.Data[i*n:(i+1)*n], rows.Data[j*n:(j+1)*n])
			cov.SetSym(i, j, p.unit*p.unit*v)
		}
	}
	return mean, cov
}

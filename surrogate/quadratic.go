package surrogate

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"parfait/problem"
)

// maxTerms is the largest number of terms of a quadratic with interactions.
const maxTerms = 600

// fitRidge is KindQuadratic's own fit, a ridge regression with hierarchical penalties.
func fitRidge(ctx context.Context, s *sample) (model, error) {
	b := basis{dim: s.dim(), interactions: true}
	if b.size() > maxTerms {
		b.interactions = false
	}
	phi := b.matrix(s.u)
	fit, err := choosePenalty(ctx, s, b, phi)
	if err != nil {
		return model{}, err
	}
	if s.link == Logit {
		if binomial := fitBinomial(s, phi, fit); binomial != nil {
			fit = binomial
		}
	}
	_, variance := s.moments()
	fit.dispersion = max(fit.dispersion, math.Exp(minLogNoise)*variance) // as of a process: nothing is known better
	m := model{fitter: "quadratic", dof: max(float64(s.n())-fit.degreesOfFreedom(), 1), noise: fit.dispersion}
	m.loo, m.sd = fit.leaveOneOut()
	if !b.interactions {
		m.note = fmt.Sprintf("a quadratic of %d coefficients has %d parameters and is out of reach: linear and square terms are fitted instead, without interactions", s.dim(), (basis{dim: s.dim(), interactions: true}).size())
	}
	cov := mat.NewSymDense(b.size(), nil)
	if err := fit.chol.InverseTo(cov); err != nil {
		return model{}, problem.Problem{Code: Singular, What: "quadratic: " + err.Error()}
	}
	cov.ScaleSym(fit.dispersion, cov)
	m.f = &polynomial{basis: b, beta: fit.beta, cov: cov}
	return m, nil
}

// isNoise says whether the metric varies no more than its noise explains, and nothing of that can be predicted.
func (t *Trust) isNoise(s *sample) bool {
	_, variance := s.moments()
	noise := meanPositive(s.noiseAt(s.meansOfOthers()))
	return s.n() >= 8 && noise > 0 && t.Q2 < 0.2 && variance < 1.5*noise
}

// ridge is one penalised weighted least squares fit of working responses.
type ridge struct {
	penalty    []float64
	beta       []float64
	chol       mat.Cholesky
	weight     []float64
	response   []float64 // working responses
	eta        []float64 // fitted
	leverage   []float64 // of each point, below 1
	press      float64   // Σ w (leave-one-out residual)²
	dispersion float64   // σ² of a point of weight 1
}

// solveRidge minimises Σ w_i(z_i − φ_iᵀβ)² + Σ penalty_k β_k²; nil where Cholesky fails.
func solveRidge(phi *mat.Dense, z, w, penalty []float64) *ridge {
	n, p := phi.Dims()
	r := &ridge{
		penalty: penalty, weight: w, response: z,
		eta: make([]float64, n), leverage: make([]float64, n), beta: make([]float64, p),
	}
	weighted := mat.NewDense(n, p, nil)
	target := make([]float64, n)
	for i := range n {
		root := math.Sqrt(w[i])
		dst := weighted.RawRowView(i)
		for k, v := range phi.RawRowView(i) {
			dst[k] = root * v
		}
		target[i] = root * z[i]
	}
	a := mat.NewSymDense(p, nil)
	a.SymOuterK(1, weighted.T())
	for k, v := range penalty {
		a.SetSym(k, k, a.At(k, k)+v)
	}
	if !r.chol.Factorize(a) {
		return nil
	}
	right := mat.NewVecDense(p, nil)
	right.MulVec(weighted.T(), mat.NewVecDense(n, target))
	if err := r.chol.SolveVecTo(right, right); err != nil {
		return nil
	}
	copy(r.beta, right.RawVector().Data)

	// Leverages are the squared rows of the weighted features times the inverse of the factor.
	var upper mat.TriDense
	r.chol.UTo(&upper)
	half := mat.DenseCopyOf(weighted.T())
	if err := upper.SolveTo(half, true, half); err != nil {
		return nil
	}
	for k := range p {
		for i, v := range half.RawRowView(k) {
			r.leverage[i] += v * v
		}
	}
	for i := range n {
		r.leverage[i] = min(r.leverage[i], 1-1e-9)
		r.eta[i] = dot(phi.RawRowView(i), r.beta)
		e, free := z[i]-r.eta[i], 1-r.leverage[i]
		r.press += w[i] * e * e / (free * free)
		r.dispersion += w[i] * e * e / free / float64(n)
	}
	return r
}

// leaveOneOut returns, for every point, what the fit to the others predicts, and the standard deviation
// of a measurement there.
func (r *ridge) leaveOneOut() (eta, sd []float64) {
	eta, sd = make([]float64, len(r.eta)), make([]float64, len(r.eta))
	for i, h := range r.leverage {
		eta[i] = r.eta[i] - h/(1-h)*(r.response[i]-r.eta[i])
		sd[i] = math.Sqrt(r.dispersion / (r.weight[i] * (1 - h)))
	}
	return eta, sd
}

// degreesOfFreedom is the effective number of parameters, the trace of the hat matrix.
func (r *ridge) degreesOfFreedom() float64 {
	sum := 0.0
	for _, h := range r.leverage {
		sum += h
	}
	return sum
}

// penalties returns the hierarchical ridge of a basis; the mean is free but for rounding.
func (b basis) penalties(base, square, interaction float64) []float64 {
	p := make([]float64, b.size())
	p[0] = 1e-9
	for k := 1; k < len(p); k++ {
		switch {
		case k <= b.dim:
			p[k] = base
		case k <= 2*b.dim:
			p[k] = base * square
		default:
			p[k] = base * square * interaction
		}
	}
	return p
}

// choosePenalty fits the empirical link-scale metric for every penalty of the grid, and keeps the one
// with the smallest PRESS.
func choosePenalty(ctx context.Context, s *sample, b basis, phi *mat.Dense) (*ridge, error) {
	w := s.weights()
	n := float64(s.n())
	interactions := []float64{1, 10}
	if !b.interactions {
		interactions = interactions[:1]
	}
	var best *ridge
	for exponent := 0; exponent >= -6; exponent-- {
		for _, square := range []float64{1, 10, 100} {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			for _, interaction := range interactions {
				fit := solveRidge(phi, s.z, w, b.penalties(n*math.Pow(10, float64(exponent)), square, interaction))
				if fit != nil && (best == nil || fit.press < best.press) {
					best = fit
				}
			}
		}
	}
	if best == nil {
		return nil, problem.Problem{Code: Singular, What: "quadratic: no penalty of the grid made the normal equations solvable"}
	}
	return best, nil
}

// fitBinomial is the fit of rates by the binomial likelihood with the penalty of start, by iteratively
// reweighted least squares from zero; nil where that does not converge.
func fitBinomial(s *sample, phi *mat.Dense, start *ridge) *ridge {
	n := s.n()
	items := make([]float64, n)
	typical := meanPositive(s.items)
	for i, v := range s.items {
		items[i] = 1
		if v > 0 {
			items[i] = v / typical
		}
	}
	eta := make([]float64, n)
	var fit *ridge
	for range 50 {
		w, z := make([]float64, n), make([]float64, n)
		total := 0.0
		for i := range n {
			p := Logit.inverse(eta[i])
			slope := max(p*(1-p), 1e-4)
			w[i] = items[i] * slope
			z[i] = eta[i] + (empirical(s.y[i], s.items[i])-p)/slope
			total += w[i]
		}
		for i := range w {
			w[i] *= float64(n) / total
		}
		next := solveRidge(phi, z, w, start.penalty)
		if next == nil {
			return nil
		}
		change := 0.0
		for i := range eta {
			step := min(max(next.eta[i]-eta[i], -3), 3)
			change = max(change, math.Abs(step))
			eta[i] += step
		}
		fit = next
		if change < 1e-8 {
			return fit
		}
	}
	return nil
}

package surrogate

import (
	"math"
	"slices"
	"sync/atomic"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// latent is a fitted function on the link's scale, of coefficients scaled to [0, 1].
type latent interface {
	predict(u []float64) (eta, sd float64)
	// mean is predict without the standard deviation, O(n) instead of O(n²); it stores its gradient in grad
	// unless nil.
	mean(grad, u []float64) float64
	// gradient stores the gradients of eta and sd; either may be nil.
	gradient(eta, sd, u []float64)
	joint(us [][]float64) ([]float64, *mat.SymDense)
}

// fitted carries a latent function to the metric's scale. It is what every fit returns.
type fitted struct {
	scaler
	link     Link
	f        latent
	residual []float64 // absolute leave-one-out residuals on the link's scale, sorted
	lo, hi   float64   // of what was measured, on the link's scale
	dof      float64   // behind the latent's standard deviation; +Inf: many
	hull     *hull
	last     atomic.Pointer[prediction]
}

// prediction is the last answer, kept: the same point is often asked for its prediction, its interval and its
// leverage one after the other, and a standard deviation costs O(n²).
type prediction struct {
	x       []float64
	eta, sd float64
}

// predict is the latent function's prediction at raw coefficients x.
func (s *fitted) predict(x []float64) (eta, sd float64) {
	if p := s.last.Load(); p != nil && slices.Equal(p.x, x) {
		return p.eta, p.sd
	}
	eta, sd = s.f.predict(s.scale(x))
	s.last.Store(&prediction{slices.Clone(x), eta, sd})
	return eta, sd
}

// Predict implements Surrogate; the delta method carries the standard deviation through the link.
func (s *fitted) Predict(x []float64) (mean, std float64) {
	eta, sd := s.predict(x)
	slope, _ := s.link.slopes(eta)
	return s.link.inverse(eta), slope * sd
}

// Mean implements Surrogate.
func (s *fitted) Mean(grad, x []float64) float64 {
	eta := s.f.mean(grad, s.scale(x))
	if grad != nil {
		slope, _ := s.link.slopes(eta)
		for i := range grad {
			grad[i] *= slope / s.width[i]
		}
	}
	return s.link.inverse(eta)
}

// Gradient implements Surrogate.
func (s *fitted) Gradient(mean, std, x []float64) {
	if std == nil {
		if mean != nil {
			s.Mean(mean, x)
		}
		return
	}
	u := s.scale(x)
	eta, sd := s.f.predict(u)
	first, second := s.link.slopes(eta)
	deta := mean
	if deta == nil {
		deta = make([]float64, len(u))
	}
	s.f.gradient(deta, std, u)
	for i := range u {
		std[i] = (first*std[i] + second*deta[i]*sd) / s.width[i]
		deta[i] *= first / s.width[i]
	}
}

// Joint implements Surrogate.
func (s *fitted) Joint(xs [][]float64) ([]float64, *mat.SymDense) {
	us := make([][]float64, len(xs))
	for i, x := range xs {
		us[i] = s.scale(x)
	}
	mean, cov := s.f.joint(us)
	slopes := make([]float64, len(xs))
	for i, eta := range mean {
		slopes[i], _ = s.link.slopes(eta)
		mean[i] = s.link.inverse(eta)
	}
	for i := range slopes {
		for j := i; j < len(slopes); j++ {
			cov.SetSym(i, j, slopes[i]*slopes[j]*cov.At(i, j))
		}
	}
	return mean, cov
}

// Interval implements Surrogate. It is central on the link's scale, so a rate's stays in [0, 1]. An interval that
// lies wholly beyond all measured values is an extrapolation, and is extended back to the nearest of them.
func (s *fitted) Interval(x []float64, level float64) (lo, hi float64) {
	eta, sd := s.predict(x)
	half := max(studentQuantile(level, s.dof)*sd, upperQuantile(s.residual, level))
	return s.link.inverse(min(eta-half, s.hi)), s.link.inverse(max(eta+half, s.lo))
}

// Leverage implements Surrogate.
func (s *fitted) Leverage(x []float64) float64 { return s.hull.leverage(s.scale(x)) }

// studentQuantile is the half-width, in standard deviations, of the central interval of a level under Student's t.
func studentQuantile(level, dof float64) float64 {
	level = min(max(level, 0), 0.9999)
	if dof > 200 {
		return math.Sqrt2 * math.Erfinv(level)
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: max(dof, 1)}.Quantile(0.5 + level/2)
}

// upperQuantile is the ⌈level·(n+1)⌉-th smallest of n sorted values, the finite-sample quantile of conformal
// prediction; the largest where there are too few, 0 where there are none.
func upperQuantile(sorted []float64, level float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	k := int(math.Ceil(level*float64(len(sorted)+1))) - 1
	return sorted[min(max(k, 0), len(sorted)-1)]
}

// newFitted assembles a Surrogate from a latent function and its leave-one-out predictions.
func newFitted(s *sample, f latent, loo []float64, dof float64) *fitted {
	r := make([]float64, len(loo))
	for i := range r {
		r[i] = math.Abs(s.z[i] - loo[i])
	}
	slices.Sort(r)
	return &fitted{
		scaler: s.scaler, link: s.link, f: f, residual: r, lo: slices.Min(s.z), hi: slices.Max(s.z), dof: dof, hull: newHull(s.u),
	}
}

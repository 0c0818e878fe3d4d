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
	// mean is predict without the standard deviation; it adds nothing to a nil gradient.
	mean(grad, u []float64) float64
	// gradient stores the gradients of eta and sd; either may be nil.
	gradient(eta, sd, u []float64)
	joint(us [][]float64) ([]float64, *mat.SymDense)
}

// fitted carries a latent function to the metric's scale. It is the Surrogate of every Fitter here.
type fitted struct {
	box
	link     Link
	f        latent
	residual []float64 // absolute leave-one-out residuals on the link's scale, sorted
	lo, hi   float64   // of what was measured, on the link's scale
	dof      float64   // behind the latent's standard deviation; +Inf: many
	hull     *hull
	last     atomic.Pointer[memo]
}

// memo is what was said last: a point in hand is asked for its prediction, its interval and whether it may
// be believed, one after the other, and the standard deviation costs O(n²).
type memo struct {
	x       []float64
	eta, sd float64
}

// predict is the latent function's, at raw coefficients.
func (s *fitted) predict(x []float64) (eta, sd float64) {
	if m := s.last.Load(); m != nil && slices.Equal(m.x, x) {
		return m.eta, m.sd
	}
	eta, sd = s.f.predict(s.scale(x))
	s.last.Store(&memo{slices.Clone(x), eta, sd})
	return eta, sd
}

// Predict implements Surrogate; the delta method carries the standard deviation through the link.
func (s *fitted) Predict(x []float64) (mean, std float64) {
	eta, sd := s.predict(x)
	slope, _ := s.link.slopes(eta)
	return s.link.inverse(eta), slope * sd
}

// Mean returns the mean at x, and stores its gradient where grad is not nil. It is several times
// cheaper than Predict.
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

// Interval implements Surrogate. It is central on the link's scale, so a rate's stays in [0, 1]; what is surely
// beyond all that was measured is an extrapolation, and reaches back to it.
func (s *fitted) Interval(x []float64, level float64) (lo, hi float64) {
	eta, sd := s.predict(x)
	half := max(studentQuantile(level, s.dof)*sd, upperQuantile(s.residual, level))
	return s.link.inverse(min(eta-half, s.hi)), s.link.inverse(max(eta+half, s.lo))
}

// Leverage implements Surrogate.
func (s *fitted) Leverage(x []float64) float64 { return s.hull.leverage(s.scale(x)) }

// studentQuantile is the half-width of the central interval of a level, in standard deviations.
func studentQuantile(level, dof float64) float64 {
	level = min(max(level, 0), 0.9999)
	if dof > 200 {
		return math.Sqrt2 * math.Erfinv(level)
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: max(dof, 1)}.Quantile(0.5 + level/2)
}

// upperQuantile is the smallest of the sorted values that at least level·(n+1) of them reach, the
// finite-sample quantile of conformal prediction; the largest where there are too few.
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
		box: s.box, link: s.link, f: f, residual: r, lo: slices.Min(s.z), hi: slices.Max(s.z), dof: dof, hull: newHull(s.u),
	}
}

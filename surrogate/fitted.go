package surrogate

import (
	"slices"
	"sync/atomic"

	"gonum.org/v1/gonum/mat"
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
	link   Link
	f      latent
	margin margin
	items  float64 // of a measurement of a rate; 0: not known
	lo, hi float64 // of what was measured, on the link's scale
	hull   *hull
	last   atomic.Pointer[prediction]
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

// Broken implements Surrogate: nothing is known to break.
func (s *fitted) Broken(x []float64) (chance, std float64) {
	_, std = s.Predict(x)
	return 0, std
}

// Leverage implements Surrogate.
func (s *fitted) Leverage(x []float64) float64 { return s.hull.leverage(s.scale(x)) }

// newFitted assembles a Surrogate from a model of a sample.
func newFitted(s *sample, m model) *fitted {
	items := slices.Clone(s.items)
	slices.Sort(items)
	return &fitted{
		scaler: s.scaler, link: s.link, f: m.f, margin: m.newMargin(s), items: items[len(items)/2], lo: slices.Min(s.z), hi: slices.Max(s.z), hull: newHull(s.u),
	}
}

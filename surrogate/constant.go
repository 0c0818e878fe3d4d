package surrogate

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// constant predicts one value everywhere: for metrics that do not vary, and where there are too few
// measurements for anything else.
type constant struct{ eta, sd float64 }

func (c constant) predict([]float64) (eta, sd float64) { return c.eta, c.sd }

func (c constant) mean(grad, _ []float64) float64 {
	clear(grad)
	return c.eta
}

func (c constant) gradient(eta, sd, _ []float64) {
	clear(eta)
	clear(sd)
}

func (c constant) joint(us [][]float64) ([]float64, *mat.SymDense) {
	if len(us) == 0 {
		return nil, nil
	}
	mean := make([]float64, len(us))
	cov := mat.NewSymDense(len(us), nil)
	for i := range us {
		mean[i] = c.eta
		for j := i; j < len(us); j++ {
			cov.SetSym(i, j, c.sd*c.sd)
		}
	}
	return mean, cov
}

// fitMean is the surrogate of fewer points than any function needs: their mean, as uncertain as a metric is
// before anything is measured: a factor of e^±1.5 in the odds of a rate, of 2 in a loss, the value's own size for
// others.
func fitMean(s *sample) model {
	mean, variance := s.moments()
	prior := map[Link]float64{Logit: 1.5, Log: math.Ln2, Identity: math.Max(math.Abs(mean), 1e-9)}[s.link]
	sd := math.Max(prior, math.Sqrt(variance))
	return model{
		fitter: "mean", f: constant{mean, sd}, loo: s.meansOfOthers(), sd: filled(s.n(), sd), dof: math.Inf(1),
		judge: func(t *Trust) {
			t.Q2, t.Ceiling = 0, 1
			t.flag("%d measurements are too few to fit: the mean is shown, as uncertain as before", s.n())
		},
	}
}

// fitConstant is the surrogate of a metric that does not vary beyond its noise.
func fitConstant(s *sample) model {
	mean, variance := s.moments()
	n := float64(s.n())
	sd := math.Sqrt(max(variance, meanPositive(s.noise)) / n)
	return model{
		fitter: "constant", f: constant{mean, sd}, loo: s.meansOfOthers(), sd: filled(s.n(), sd*math.Sqrt(n+1)), noise: sd * sd * n, dof: n - 1,
		judge: func(t *Trust) {
			t.Constant, t.Q2, t.Ceiling, t.Cliff, t.CliffWhy, t.Outliers = true, 0, 0, false, "", nil
			t.Flagged, t.Why = false, "does not vary beyond its noise: called constant"
		},
	}
}

func filled(n int, v float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// Package surrogate fits one function from merge coefficients to one metric, with a predictive
// distribution and held-out figures that say how far to believe it.
//
// In come points, metrics and their noise; out come predictions on the metric's own scale. The package
// knows nothing of studies, searches or merging; numerics are gonum's.
package surrogate

import (
	"context"

	"gonum.org/v1/gonum/mat"
)

// Link maps a metric to the scale on which it is fitted.
type Link string

// The links. Logit is for rates in [0, 1], Log for positive losses.
const (
	Identity Link = "identity"
	Logit    Link = "logit"
	Log      Link = "log"
)

// Data are n measurements of one metric at points of d coefficients.
// Points that could not be measured (NaN) must be left out by the caller.
type Data struct {
	X      [][]float64 // n × d, raw coefficients
	Lo, Hi []float64   // d: the range of each coefficient, to scale by
	Y      []float64   // n: the metric, on its own scale
	Stderr []float64   // n: standard errors on the metric's scale, 0 unknown; nil: all unknown
	N      []int       // n: items behind each metric, 0 unknown; nil: all unknown
	Link   Link
}

// Surrogate is a fitted function, safe for concurrent use. Means, standard deviations and intervals are
// on the metric's own scale (delta method through the link), of the function itself, without the noise
// of one more measurement unless it says so.
type Surrogate interface {
	// Predict returns the mean and standard deviation at x (length d).
	Predict(x []float64) (mean, std float64)
	// Gradient stores ∂mean/∂x and ∂std/∂x in mean and std (each of length d, either may be nil).
	Gradient(mean, std, x []float64)
	// Joint returns the joint predictive distribution at several points.
	Joint(xs [][]float64) (mean []float64, cov *mat.SymDense)
	// Interval returns the central interval of the given level, e.g. 0.9: the wider of the model's own
	// and the quantile of the leave-one-out residuals.
	Interval(x []float64, level float64) (lo, hi float64)
	// Leverage returns φᵀ(ΦᵀWΦ+P)⁻¹φ-style leverage: within [0, 1] among the samples, above 1 far from them.
	Leverage(x []float64) float64
}

// Trust are the held-out figures of one surrogate.
type Trust struct {
	Fitter   string    `json:"fitter"`   // "quadratic", "plain", "gp", "constant", or "mean" where there are too few for any
	N        int       `json:"n"`        // measurements fitted
	Q2       float64   `json:"q2"`       // 1 − PRESS/SS by leave-one-out, on the link's scale
	Ceiling  float64   `json:"ceiling"`  // about what noise allows Q² to reach: 1 − noise/variance
	RMSE     float64   `json:"rmse"`     // leave-one-out, on the metric's scale
	Worst    float64   `json:"worst"`    // largest leave-one-out residual, on the metric's scale
	WorstAt  int       `json:"worst_at"` // its index in Data
	Odd      []int     `json:"odd"`      // measurements far from what all others predict there, indices in Data
	Coverage float64   `json:"coverage"` // share of leave-one-out residuals within the 90 % interval
	Constant bool      `json:"constant"` // the metric does not vary beyond its noise
	Cliff    bool      `json:"cliff"`    // collapses in part of the region
	CliffWhy string    `json:"cliff_why,omitempty"`
	Flagged  bool      `json:"flagged"`        // not to be believed: see Why
	Why      string    `json:"why,omitempty"`  // in words, for a person
	Note     string    `json:"note,omitempty"` // what the fitter did instead of what was asked, in words
	LOO      []float64 `json:"-"`              // leave-one-out predictions on the metric's scale, one a datum
}

// Fitter fits a surrogate. warm may be nil or a surrogate of the same kind to start from; the result
// must not depend on it beyond rounding.
type Fitter interface {
	Fit(ctx context.Context, d Data, warm Surrogate) (Surrogate, Trust, error)
}

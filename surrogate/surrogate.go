// Package surrogate fits one function from merge coefficients to one metric, with a predictive
// distribution and held-out figures that say how far to believe it.
//
// To use it, put measurements into [Data], call [Fit], look at each [Result]'s [Trust] (Flagged, Why, Q2), and ask
// its [Surrogate] with Predict for a mean and a standard deviation, or with Interval for a range that holds
// the metric nine times of ten. Leverage says whether a point is an extrapolation.
//
// In come points, metrics and their noise; out come predictions on the metric's own scale. Results depend
// on the data alone: nothing is random, and the number of processors changes the time only. The package
// knows nothing of studies, searches or merging; numerics are gonum's.
package surrogate

import "gonum.org/v1/gonum/mat"

// Link maps a metric to the scale on which it is fitted, so that predictions stay where the metric can be.
type Link string

// The links.
const (
	Identity Link = "identity" // any metric
	Logit    Link = "logit"    // rates within [0, 1]
	Log      Link = "log"      // positive metrics, such as losses
	// Auto is Log, but Identity where a measurement is not above 0, or where that predicts measurements left out clearly
	// better: a loss that is a square of a distance falls to next to nothing at one place, and its logarithm for ever.
	Auto Link = "auto"
)

// Data are n measurements of one metric at points of d coefficients. Link is required. Leave out points
// that could not be measured.
type Data struct {
	X      [][]float64 // n × d, in the coefficients' own units
	Lo, Hi []float64   // d: the range of each coefficient, by which it is scaled
	Y      []float64   // n: the metric, on its own scale
	Stderr []float64   // n: standard errors on the metric's scale, 0 unknown; nil: all unknown
	N      []int       // n: items behind each metric, 0 unknown; nil: all unknown
	Link   Link
	Breaks End // where a merge that is broken reads; "": low for a rate, high for a loss, at either end for others
}

// End is an end of what a metric can be.
type End string

// The ends.
const (
	Low  End = "low"
	High End = "high"
)

// Surrogate is a fitted function, safe for concurrent use. Means, standard deviations and intervals are
// on the metric's own scale (by the delta method through the link), and of the function itself: one more
// measurement scatters about it by its noise besides. Points are in the coefficients' own units and have
// the length d of Data; those outside the ranges are extrapolated to.
type Surrogate interface {
	// Predict returns the mean and the standard deviation at x. O(n²) for a Gaussian process of n points.
	Predict(x []float64) (mean, std float64)
	// Mean returns the mean at x, and stores its gradient in grad (length d) unless that is nil. It is several
	// times cheaper than Predict: O(n·d).
	Mean(grad, x []float64) float64
	// Gradient stores ∂mean/∂x and ∂std/∂x in mean and std (each of length d; either may be nil).
	Gradient(mean, std, x []float64)
	// Joint returns the joint normal distribution of the function at m points: their means and m × m covariance.
	Joint(xs [][]float64) (mean []float64, cov *mat.SymDense)
	// Draws returns n joint draws of the function at m points, n × m, made of standard normal numbers, by a factor wider
	// than the fit's own distribution: 1, or Trust.Spread. A metric that breaks is in each draw either broken or whole at a
	// point. O(m³ + n·m²).
	Draws(xs [][]float64, n int, wider float64, normal func() float64) *mat.Dense
	// Interval returns the central interval of the given level, e.g. 0.9, of one more measurement at x on the same items:
	// what is not known of the function and the noise of a measurement, both as much wider as measurements left out
	// were off (Trust.Spread).
	Interval(x []float64, level float64) (lo, hi float64)
	// Quantile returns the value below which the function itself is with a probability, likewise.
	Quantile(x []float64, p float64) float64
	// Broken returns the probability that the metric is broken at x, 0 where nothing is known to break, and the standard
	// deviation that it has if it is not. Predictions are of both together.
	Broken(x []float64) (chance, std float64)
	// Leverage says how far x lies from the points fitted: vᵀ(VᵀV + 0.001·I)⁻¹v for v = (1, u), u the
	// coefficients scaled to [0, 1] by their ranges and V these rows of all points, divided by the largest
	// that any of the points has. So it is at most 1 in the smallest such ellipsoid that holds all points,
	// and grows with the square of the distance beyond (the regressor-variable hull of Montgomery, Peck and
	// Vining, Introduction to Linear Regression Analysis, §3.8). O(d²).
	Leverage(x []float64) float64
}

// Trust are the held-out figures of one surrogate. A prediction is held out where it is by a fit to all other
// measurements (leave-one-out, LOO); hyperparameters are those of the fit to all.
type Trust struct {
	Fitter   string  `json:"fitter"`   // "quadratic", "plain", "gp", "constant", or "mean" where there are too few points for any
	N        int     `json:"n"`        // measurements fitted
	Q2       float64 `json:"q2"`       // 1 − PRESS/SS by LOO, on the link's scale: 1 is perfect, 0 no better than the mean
	Ceiling  float64 `json:"ceiling"`  // about what noise allows Q² to reach: 1 − noise/variance
	RMSE     float64 `json:"rmse"`     // of LOO predictions, on the metric's scale
	Worst    float64 `json:"worst"`    // largest LOO residual, on the metric's scale
	WorstAt  int     `json:"worst_at"` // its index in Data
	Outliers []int   `json:"odd"`      // measurements far from what all others predict there, indices in Data
	Apart    []int   `json:"apart"`    // measurements fitted apart from the others, indices in Data: strays that say nothing of any other place, or, with Cliff, those that collapsed
	Spread   float64 `json:"spread"`   // by what standard deviations are too small, of as many parameters fitted and of what LOO predictions are off by: above 1
	Coverage float64 `json:"coverage"` // share of the measurements within the 90 % interval of their LOO predictions
	Constant bool    `json:"constant"` // the metric does not vary beyond its noise
	Cliff    bool    `json:"cliff"`    // the metric collapses in part of the region, see CliffWhy
	CliffWhy string  `json:"cliff_why,omitempty"`
	// NoiseLimited says that the fit is as good as noise allows, which is not good: no more trials, but more items a
	// measurement make predictions surer. Not flagged: what is predicted is right as far as its interval says.
	NoiseLimited bool      `json:"noise_limited"`
	Flagged      bool      `json:"flagged"`        // not to be believed, see Why
	Why          string    `json:"why,omitempty"`  // in words, for a person
	Note         string    `json:"note,omitempty"` // what was fitted instead of what was asked for, in words
	Range        float64   `json:"-"`              // between the least and the most that was measured, but for those apart, which count as far as they say anything
	LOO          []float64 `json:"-"`              // n: LOO predictions on the metric's scale

	heldOut float64 // how much more variance noise makes of a held-out error than it has itself, as the prediction was learnt from noise too: 1/(1 − leverage); 0: not known
}

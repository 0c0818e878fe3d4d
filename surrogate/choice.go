package surrogate

import (
	"context"
	"fmt"
	"math"
)

// Kind names a kind of surrogate.
type Kind string

// The kinds. The zero value is KindAuto.
const (
	// KindAuto is the quadratic below N+4 measurements of N coefficients, where a Gaussian process has too
	// little to learn its length scales from, and the Gaussian process from there on, unless the quadratic predicts
	// measurements that are left out clearly better (orQuadratic).
	KindAuto Kind = "auto"
	// KindQuadratic is MAP's second-order Taylor model m(c) = e + bᵀc + ½cᵀAc (arXiv 2406.07529) through the
	// link, by penalised iteratively reweighted least squares (Nelder and Wedderburn 1972): penalties
	// n·λ·(1, r_q, r_q·r_i) on linear, square and interaction terms, λ ∈ 10^{−6…0}, r_q ∈ {1, 10, 100},
	// r_i ∈ {1, 10}, chosen by PRESS (Allen 1974). Above 33 coefficients the interactions are left out, and
	// Trust.Note says so. O(42·(n·p² + p³)) for p terms.
	KindQuadratic Kind = "quadratic"
	// KindGP is a Gaussian process with a linear trend and a Matérn-5/2 deviation on the standardised metric
	// on the link's scale, at the maximum a posteriori of its length scales and variances, noise among them
	// (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, chapters 2, 4 and 5). Where
	// numerics fail it is the quadratic, and Trust.Fitter says so.
	KindGP Kind = "gp"
)

// Choice is which surrogate is fitted; the zero value is KindAuto. Below four measurements every kind is the
// mean with a wide interval, and a metric that does not vary beyond its noise gets a constant.
type Choice struct {
	Kind Kind
	// Plain is MAP's published quadratic, for comparison; it needs KindQuadratic: least squares through a
	// sigmoid (rates) or a softplus (losses), unweighted, without a penalty.
	Plain bool
	// FromZero starts a plain fit from zeros; its authors' code starts from ones.
	FromZero bool
}

func (c Choice) fitQuadratic(ctx context.Context, s *sample) (model, error) {
	switch {
	case s.n() < minPointsAny:
		return fitMean(s), nil
	case s.flat():
		return fitConstant(s), nil
	case c.Plain && c.FromZero:
		return fitPlain(ctx, s, 0)
	case c.Plain:
		return fitPlain(ctx, s, 1)
	}
	return fitRidge(ctx, s)
}

// minPointsAny is the fewest measurements to which a function is fitted.
const minPointsAny = 4

// process says whether s is fitted by a Gaussian process.
func (c Choice) process(s *sample) bool {
	switch {
	case c.Kind == KindQuadratic, s.n() < minPointsAny, s.flat():
		return false
	case c.Kind == KindGP:
		return true
	}
	return s.n() >= s.dim()+4
}

// clearly is how many of its standard errors the quadratic's mean log score has to be ahead by. Of rates that are a quadratic behind
// their link, measured on 450 items and more, the quadratic was nearer to the truth in 87 of 90 cases where it was taken; of
// merged networks it was taken in 7 of 123, and there as near.
const clearly = 1

// orQuadratic is m, a process of s, or the quadratic where that is surely better: by the densities of the measurements, each
// under the prediction of all others, whose differences are paired, with the standard error of their mean (Vehtari, Gelman
// and Gabry, Practical Bayesian model evaluation using leave-one-out cross-validation and WAIC, 2017). Where nearly every
// slope is that of a quadratic behind its link a process has too many to learn from a few dozen measurements that are far
// apart. With fewer measurements than it has terms a quadratic is its penalty, and is not looked at.
func (m model) orQuadratic(ctx context.Context, s *sample) (model, error) {
	if s.n() < (basis{dim: s.dim(), interactions: true}).size() {
		return m, nil
	}
	other, err := fitRidge(ctx, s)
	if err != nil {
		return m, ctx.Err()
	}
	least := s.leastStd()
	ahead := other.logScores(s, least)
	for i, v := range m.logScores(s, least) {
		ahead[i] -= v
	}
	mean, variance := moments(ahead)
	if n := float64(s.n()); mean > clearly*math.Sqrt(variance/n) {
		other.lack = math.Sqrt(n / max(other.dof, leastFreedom)) // its penalties, and that it is the one that is taken, are taken for known
		return other, nil
	}
	return m, nil
}

// String is the choice in words.
func (c Choice) String() string {
	switch {
	case c.Kind == KindQuadratic && c.Plain:
		return "quadratic, plain (MAP's published recipe)"
	case c.Kind == "":
		return string(KindAuto)
	}
	return string(c.Kind)
}

// Check says what is impossible about a choice.
func (c Choice) Check() error {
	switch c.Kind {
	case "", KindAuto, KindQuadratic, KindGP:
	default:
		return fmt.Errorf("unknown kind of surrogate %q: expected auto, quadratic or gp", c.Kind)
	}
	if c.Plain && c.Kind != KindQuadratic {
		return fmt.Errorf("plain is MAP's own quadratic: it needs kind: quadratic, found kind: %s", Choice{Kind: c.Kind})
	}
	return nil
}

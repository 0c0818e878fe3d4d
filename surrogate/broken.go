package surrogate

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"
)

// edge says where a metric breaks: a Gaussian process of labels, 1 for the measurements that broke and −1 for the
// others (least-squares classification, Rasmussen and Williams 2006, §6.5), whose mean is carried to a probability
// by the normal distribution function, in units of what it is off by on labels left out.
type edge struct {
	p   *process
	off float64
	loo []float64 // of each measurement, by all others: the probability that it broke
}

// newEdge is nil where places left out cannot be told better than by how many broke.
func newEdge(ctx context.Context, s *sample, apart []int) *edge {
	labels := *s
	labels.z = filled(s.n(), -1)
	for _, i := range apart {
		labels.z[i] = 1
	}
	e := &edge{p: newProcess(&labels)}
	if e.p.fitSubset(ctx, vaguePrior(s.dim())) != nil || e.p.factorize() != nil {
		return nil
	}
	means, _ := e.p.leaveOneOut()
	square := 0.0
	for i, m := range means {
		square += (labels.z[i] - m) * (labels.z[i] - m) / float64(s.n())
	}
	e.off = math.Sqrt(square)
	gain, n, k := 0.0, float64(s.n()), float64(len(apart))
	for i, m := range means {
		chance := min(max(normal(m/e.off), 1e-3), 1-1e-3)
		e.loo = append(e.loo, chance)
		if labels.z[i] > 0 {
			gain += math.Log(chance) - math.Log((k-0.5)/(n+1))
		} else {
			gain += math.Log(1-chance) - math.Log(1-(k+0.5)/(n+1))
		}
	}
	if !(gain > 0) {
		return nil
	}
	return e
}

func normal(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// at is the probability that the metric is broken at u; its gradient is stored in grad unless nil.
func (e *edge) at(grad, u []float64) float64 {
	x := e.p.mean(grad, u) / e.off
	density := math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) / e.off
	for i := range grad {
		grad[i] *= density
	}
	return normal(x)
}

// broken is a surrogate of a metric that breaks in part of the region: with the probability that its edge says it
// is at its level, else as fitted says.
type broken struct {
	*fitted
	edge   *edge
	level  float64
	lo, hi float64 // of what broke
}

// mix is the mean and standard deviation of the mixture.
func (b *broken) mix(chance, mean, std float64) (float64, float64) {
	drop := b.level - mean
	return mean + chance*drop, math.Sqrt((1 - chance) * (std*std + chance*drop*drop))
}

// Predict implements Surrogate.
func (b *broken) Predict(x []float64) (mean, std float64) {
	mean, std = b.fitted.Predict(x)
	return b.mix(b.edge.at(nil, b.scale(x)), mean, std)
}

// Mean implements Surrogate.
func (b *broken) Mean(grad, x []float64) float64 {
	mean := b.fitted.Mean(grad, x)
	var slope []float64
	if grad != nil {
		slope = make([]float64, len(x))
	}
	chance := b.edge.at(slope, b.scale(x))
	for i := range grad {
		grad[i] = (1-chance)*grad[i] + slope[i]/b.width[i]*(b.level-mean)
	}
	return mean + chance*(b.level-mean)
}

// Gradient implements Surrogate.
func (b *broken) Gradient(mean, std, x []float64) {
	if std == nil {
		if mean != nil {
			b.Mean(mean, x)
		}
		return
	}
	inner, slope := make([]float64, len(x)), make([]float64, len(x))
	m, s := b.fitted.Predict(x)
	b.fitted.Gradient(inner, std, x)
	chance := b.edge.at(slope, b.scale(x))
	drop := b.level - m
	_, mixed := b.mix(chance, m, s)
	for i := range std {
		dp := slope[i] / b.width[i]
		square := -dp*(s*s+chance*drop*drop) + (1-chance)*(2*s*std[i]+dp*drop*drop-2*chance*drop*inner[i])
		if std[i] = 0; mixed > 0 {
			std[i] = square / (2 * mixed)
		}
		if mean != nil {
			mean[i] = (1-chance)*inner[i] + dp*drop
		}
	}
}

// Joint implements Surrogate. Whether two points are broken is taken to be correlated as the labels are.
func (b *broken) Joint(xs [][]float64) ([]float64, *mat.SymDense) {
	mean, cov := b.fitted.Joint(xs)
	if len(xs) == 0 {
		return mean, cov
	}
	us := make([][]float64, len(xs))
	for i, x := range xs {
		us[i] = b.scale(x)
	}
	_, labels := b.edge.p.joint(us)
	chance, swing := make([]float64, len(xs)), make([]float64, len(xs))
	for i, u := range us {
		chance[i] = b.edge.at(nil, u)
		swing[i] = (b.level - mean[i]) * math.Sqrt(chance[i]*(1-chance[i])/max(labels.At(i, i), 1e-12))
		mean[i] += chance[i] * (b.level - mean[i])
	}
	for i := range us {
		for j := i; j < len(us); j++ {
			v := (1 - chance[i]) * (1 - chance[j]) * cov.At(i, j)
			if i == j {
				v += chance[i] * (1 - chance[i]) * cov.At(i, i)
			}
			cov.SetSym(i, j, v+swing[i]*swing[j]*labels.At(i, j))
		}
	}
	return mean, cov
}

// Interval implements Surrogate: the quantiles of the mixture, of which what broke is anywhere between the least and
// the most that was measured.
func (b *broken) Interval(x []float64, level float64) (lo, hi float64) {
	chance, tail := b.edge.at(nil, b.scale(x)), (1-level)/2
	m := b.fitted.Mean(nil, x)
	below, above := 0.0, chance // of what broke, beside what holds
	if b.level < m {
		below, above = chance, 0
	}
	lo, hi = b.lo, b.hi
	if tail > below && 1-below-above > 0 {
		inner, _ := b.fitted.Interval(x, 1-2*min((tail-below)/(1-chance), 0.5))
		if lo = inner; below > 0 {
			lo = max(lo, b.lo)
		}
	}
	if tail > above && 1-below-above > 0 {
		_, inner := b.fitted.Interval(x, 1-2*min((tail-above)/(1-chance), 0.5))
		if hi = inner; above > 0 {
			hi = min(hi, b.hi)
		}
	}
	mean, _ := b.Predict(x)
	return min(lo, mean), max(hi, mean)
}

// Quantile implements Surrogate, likewise.
func (b *broken) Quantile(x []float64, p float64) float64 {
	chance := b.edge.at(nil, b.scale(x))
	below := b.level < b.fitted.Mean(nil, x)
	switch {
	case below && p <= chance:
		return b.lo
	case below:
		return max(b.lo, b.fitted.Quantile(x, (p-chance)/(1-chance)))
	case p >= 1-chance:
		return b.hi
	}
	return min(b.hi, b.fitted.Quantile(x, p/(1-chance)))
}

// Broken implements Surrogate.
func (b *broken) Broken(x []float64) (chance, std float64) {
	_, std = b.fitted.Predict(x)
	return b.edge.at(nil, b.scale(x)), std
}

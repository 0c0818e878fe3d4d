package surrogate

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// sample is Data made ready to fit: coefficients scaled to [0, 1] by their ranges, the metric on the
// link's scale, and its noise there.
type sample struct {
	scaler
	link  Link
	ends  []End       // where merges that are broken read
	u     [][]float64 // n × d, scaled
	y     []float64   // n, metric's scale
	items []float64   // n, items behind a rate, 0 unknown
	z     []float64   // n, link's scale
	noise []float64   // n, variance of z from the evaluation, 0 unknown

	redrawn float64 // share of the noise that differs from one measurement to the next
}

// scaler maps coefficients to [0, 1] by their ranges; one without a range is only shifted.
type scaler struct{ lo, width []float64 }

func newScaler(lo, hi []float64) scaler {
	b := scaler{lo: slices.Clone(lo), width: make([]float64, len(lo))}
	for i := range lo {
		b.width[i] = hi[i] - lo[i]
		if !(b.width[i] > 0) {
			b.width[i] = 1
		}
	}
	return b
}

func (b scaler) scale(x []float64) []float64 {
	u := make([]float64, len(b.lo))
	for i := range u {
		u[i] = (x[i] - b.lo[i]) / b.width[i]
	}
	return u
}

// newSample checks and prepares d. A rate whose number of items is unknown gets the others' median, so that one
// measurement without it is not an outlier.
func newSample(d Data) (*sample, error) {
	if err := check(d); err != nil {
		return nil, err
	}
	n := len(d.X)
	s := &sample{
		scaler: newScaler(d.Lo, d.Hi), link: d.Link, ends: d.ends(), u: make([][]float64, n), y: slices.Clone(d.Y),
		items: make([]float64, n), z: make([]float64, n), noise: make([]float64, n), redrawn: 1,
	}
	for i, x := range d.X {
		s.u[i] = s.scale(x)
	}
	if d.Link == Logit {
		s.countItems(d)
	}
	for i, y := range d.Y {
		s.z[i] = d.Link.forward(y, s.items[i])
		stderr := 0.0
		if d.Stderr != nil {
			stderr = d.Stderr[i]
		}
		switch {
		case d.Link == Logit && s.items[i] > 0:
			p := empirical(y, s.items[i])
			s.noise[i] = 1 / (s.items[i] * p * (1 - p))
		case d.Link == Log:
			s.noise[i] = stderr / y * stderr / y
		case d.Link == Identity:
			s.noise[i] = stderr * stderr
		}
	}
	return s, nil
}

// ends are where a merge that is broken may read.
func (d *Data) ends() []End {
	switch {
	case d.Breaks != "":
		return []End{d.Breaks}
	case d.Link == Logit:
		return []End{Low}
	case d.Link == Log:
		return []End{High}
	}
	return []End{Low, High}
}

func (s *sample) countItems(d Data) {
	var known []float64
	for i, y := range d.Y {
		switch {
		case d.N != nil && d.N[i] > 0:
			s.items[i] = float64(d.N[i])
		case d.Stderr != nil && d.Stderr[i] > 0 && y > 0 && y < 1:
			s.items[i] = y * (1 - y) / (d.Stderr[i] * d.Stderr[i])
		}
		if s.items[i] > 0 {
			known = append(known, s.items[i])
		}
	}
	if len(known) == 0 {
		return
	}
	slices.Sort(known)
	typical := known[len(known)/2]
	for i := range s.items {
		if s.items[i] == 0 {
			s.items[i] = typical
		}
	}
}

func (s *sample) n() int   { return len(s.z) }
func (s *sample) dim() int { return len(s.lo) }

// weights are relative precisions of z, with mean 1. The evaluation's noise is only part of the misfit and must
// not decide alone: the typical variance is added to each.
func (s *sample) weights() []float64 {
	typical := meanPositive(s.noise)
	w := make([]float64, s.n())
	total := 0.0
	for i, v := range s.noise {
		if v == 0 {
			v = typical
		}
		w[i] = 1
		if typical > 0 {
			w[i] = 1 / (v + typical)
		}
		total += w[i]
	}
	for i := range w {
		w[i] *= float64(len(w)) / total
	}
	return w
}

// moments returns the mean and the sample variance of z.
func (s *sample) moments() (mean, variance float64) { return moments(s.z) }

// meansOfOthers are, for each measurement, the mean of z of all others; its own where it is alone.
func (s *sample) meansOfOthers() []float64 {
	mean, _ := s.moments()
	out := filled(s.n(), mean)
	if n := float64(s.n()); n > 1 {
		for i, z := range s.z {
			out[i] = (mean*n - z) / (n - 1)
		}
	}
	return out
}

func moments(v []float64) (mean, variance float64) {
	for _, a := range v {
		mean += a
	}
	mean /= float64(len(v))
	if len(v) < 2 {
		return mean, 0
	}
	for _, a := range v {
		variance += (a - mean) * (a - mean)
	}
	return mean, variance / float64(len(v)-1)
}

func meanPositive(v []float64) float64 {
	sum, n := 0.0, 0
	for _, a := range v {
		if a > 0 {
			sum += a
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// flat says whether the metric is the same everywhere, up to rounding.
func (s *sample) flat() bool {
	lo, hi := slices.Min(s.y), slices.Max(s.y)
	return hi-lo <= 1e-12*math.Max(1, math.Abs(hi))
}

// noiseAt is the noise of the measurements where predictions are right, as far as it is not the same in all: of a rate of few items the variance of the
// empirical logit over all numbers that can be right of them, which at the measurement itself is far too large near 0
// and 1. O(items).
func (s *sample) noiseAt(eta []float64) []float64 {
	out := slices.Clone(s.noise)
	for i, n := range s.items {
		if s.link == Logit && n >= 1 && n <= fewItems {
			out[i] = logitVariance(s.link.inverse(eta[i]), math.Round(n))
		}
	}
	for i := range out {
		out[i] *= s.redrawn
	}
	return out
}

// fewItems is from how many on the variance of an empirical logit is 1/(np(1−p)) to within a few percent.
const fewItems = 500

// logitVariance is the variance of log((k+½)/(n−k+½)) of the k that are right of n items, at a rate p.
func logitVariance(p, n float64) float64 {
	right := distuv.Binomial{N: n, P: min(max(p, 1e-9), 1-1e-9)}
	var sum, square float64
	for k := 0.0; k <= n; k++ {
		w, z := right.Prob(k), math.Log((k+0.5)/(n-k+0.5))
		sum, square = sum+w*z, square+w*z*z
	}
	return square - sum*sum
}

package surrogate

import "math"

// rateClamp bounds rates whose number of items is unknown away from 0 and 1 before the logit.
const rateClamp = 1e-3

// inverse maps from the link's scale to the metric's.
func (l Link) inverse(eta float64) float64 {
	switch l {
	case Logit:
		if eta < 0 {
			e := math.Exp(eta)
			return e / (1 + e)
		}
		return 1 / (1 + math.Exp(-eta))
	case Log:
		return math.Exp(min(eta, 700))
	}
	return eta
}

// slopes returns the first and second derivative of inverse at eta.
func (l Link) slopes(eta float64) (first, second float64) {
	switch l {
	case Logit:
		p := l.inverse(eta)
		q := p * (1 - p)
		return q, q * (1 - 2*p)
	case Log:
		v := l.inverse(eta)
		return v, v
	}
	return 1, 0
}

// forward maps y, known from k = y·n of n items (n ≤ 0: unknown), to the link's scale. With items it is
// the empirical logit log((k+½)/(n−k+½)), finite at 0 and 1.
func (l Link) forward(y, n float64) float64 {
	switch l {
	case Logit:
		p := empirical(y, n)
		return math.Log(p / (1 - p))
	case Log:
		return math.Log(y)
	}
	return y
}

// empirical is the rate (k+½)/(n+1), or y clamped where n is unknown.
func empirical(y, n float64) float64 {
	if n > 0 {
		return (y*n + 0.5) / (n + 1)
	}
	return min(max(y, rateClamp), 1-rateClamp)
}

package method

import "math"

// The standard library's elementary functions may fuse products and sums on some machines, and then differ
// in the last bit between them. These do not: every product is rounded by its conversion.

// sine of x from 0 to π, by its series.
func sine(x float64) float64 {
	if x > math.Pi/2 {
		x = math.Pi - x
	}
	square, sum := float64(x*x), 1.0
	for n := 22.0; n >= 2; n -= 2 {
		sum = 1 - float64(float64(square*sum)/float64(n*(n+1)))
	}
	return float64(x * sum)
}

// cosine of x from 0 to π.
func cosine(x float64) float64 {
	if x > math.Pi/2 {
		return -sine(x - math.Pi/2)
	}
	return sine(math.Pi/2 - x)
}

// arccosine of c, by Newton's method; near the ends by that of half the angle.
func arccosine(c float64) float64 {
	switch {
	case c > nearlyParallel:
		return 2 * arcsine(math.Sqrt((1-c)/2))
	case c < -nearlyParallel:
		return math.Pi - 2*arcsine(math.Sqrt((1+c)/2))
	}
	x := math.Pi/2 - c
	for range 40 {
		x += float64((cosine(x) - c) / sine(x))
	}
	return x
}

// arcsine of s from 0 to ½.
func arcsine(s float64) float64 {
	x := s
	for range 8 {
		x -= float64((sine(x) - s) / cosine(x))
	}
	return x
}

// ln2 is the logarithm of 2 as a number of few bits and what that lacks.
const (
	ln2High = 0x1.62e42fee00000p-1
	ln2Low  = 0x1.a39ef35793c76p-33
)

// The coefficients of the two series.
var (
	inverseFactorials = [14]float64{1, 1, 1. / 2, 1. / 6, 1. / 24, 1. / 120, 1. / 720, 1. / 5040, 1. / 40320, 1. / 362880, 1. / 3628800, 1. / 39916800, 1. / 479001600, 1. / 6227020800}
	inverseOdds       = [11]float64{1, 1. / 3, 1. / 5, 1. / 7, 1. / 9, 1. / 11, 1. / 13, 1. / 15, 1. / 17, 1. / 19, 1. / 21}
)

// exponential of x up to 0.
func exponential(x float64) float64 {
	if x < -708 {
		return 0
	}
	k := math.Round(x / math.Ln2)
	r := float64(x-float64(k*ln2High)) - float64(k*ln2Low)
	sum := inverseFactorials[13]
	for n := 12; n >= 0; n-- {
		sum = inverseFactorials[n] + float64(r*sum)
	}
	return math.Ldexp(sum, int(k))
}

// logarithm of a positive x.
func logarithm(x float64) float64 {
	m, k := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, k = 2*m, k-1
	}
	s := (m - 1) / (m + 1)
	square, sum := float64(s*s), inverseOdds[10]
	for n := 9; n >= 0; n-- {
		sum = inverseOdds[n] + float64(square*sum)
	}
	return float64(float64(k)*ln2High) + float64(float64(2*s*sum)+float64(float64(k)*ln2Low))
}

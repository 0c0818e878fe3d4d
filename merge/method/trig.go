package method

import "math"

// The standard library's trigonometry may fuse products and sums on some machines, and then differs in
// the last bit between them. These do not: every product is rounded by its conversion.

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

// arccosine of c, for |c| up to nearlyParallel, by Newton's method.
func arccosine(c float64) float64 {
	x := math.Pi/2 - c
	for range 40 {
		x += float64((cosine(x) - c) / sine(x))
	}
	return x
}

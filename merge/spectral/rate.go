package spectral

import (
	"time"

	"gonum.org/v1/gonum/mat"
)

// Rate measures how many operations of products of matrices all processors do a second, in some hundredths of a second.
func Rate() float64 {
	const n = 256
	a, out := mat.NewDense(n, n, nil), mat.NewDense(n, n, nil)
	a.Apply(func(i, k int, _ float64) float64 { return float64(i-k) / n }, a)
	begin, times := time.Now(), 0
	for ; times < 3 || time.Since(begin) < 30*time.Millisecond; times++ {
		out.Mul(a, a)
	}
	return float64(times) * 2 * n * n * n / time.Since(begin).Seconds()
}

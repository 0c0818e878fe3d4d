package method

import (
	"math"

	"parfait/merge/kernel"
)

// The steps that methods are made of, in either arithmetic: every product and every sum is rounded,
// none is fused. Slices have equal lengths.

// Axpy sets dst = dst + w·x.
func Axpy[F Float](dst []F, w F, x []F) {
	if d, narrow := any(dst).([]float32); narrow {
		kernel.Axpy(d, float32(w), any(x).([]float32))
		return
	}
	x = x[:len(dst)]
	for i := range dst {
		dst[i] += F(w * x[i])
	}
}

// Add sets dst = a + b.
func Add[F Float](dst, a, b []F) {
	if d, narrow := any(dst).([]float32); narrow {
		kernel.Add(d, any(a).([]float32), any(b).([]float32))
		return
	}
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

// Sub sets dst = a − b.
func Sub[F Float](dst, a, b []F) {
	if d, narrow := any(dst).([]float32); narrow {
		kernel.Sub(d, any(a).([]float32), any(b).([]float32))
		return
	}
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] - b[i]
	}
}

// scale sets x = w·x.
func scale[F Float](x []F, w F) {
	if w == 1 {
		return
	}
	for i := range x {
		x[i] *= w
	}
}

// magnitudes is Σ|x| in float64.
func magnitudes[F Float](x []F) (sum float64) {
	for _, v := range x {
		sum += math.Abs(float64(v))
	}
	return sum
}

package merge

import "parfait/merge/kernel"

// The steps that methods are made of, in either arithmetic: every product and every sum is rounded,
// none is fused. Slices have equal lengths.

// axpy sets dst = dst + w·x.
func axpy[F Float](dst []F, w F, x []F) {
	if d, narrow := any(dst).([]float32); narrow {
		kernel.Axpy(d, float32(w), any(x).([]float32))
		return
	}
	x = x[:len(dst)]
	for i := range dst {
		dst[i] += F(w * x[i])
	}
}

// plus sets dst = a + b.
func plus[F Float](dst, a, b []F) {
	if d, narrow := any(dst).([]float32); narrow {
		kernel.Add(d, any(a).([]float32), any(b).([]float32))
		return
	}
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

// minus sets dst = a − b.
func minus[F Float](dst, a, b []F) {
	if d, narrow := any(dst).([]float32); narrow {
		kernel.Sub(d, any(a).([]float32), any(b).([]float32))
		return
	}
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] - b[i]
	}
}

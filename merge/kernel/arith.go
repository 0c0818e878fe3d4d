package kernel

// The basic steps, on decoded numbers. Slices have equal lengths.

// Sub sets dst = a − b. dst may be a or b.
func Sub(dst, a, b []float32) { sub(dst, a[:len(dst)], b[:len(dst)]) }

// Add sets dst = a + b. dst may be a or b.
func Add(dst, a, b []float32) { add(dst, a[:len(dst)], b[:len(dst)]) }

// Axpy sets dst = dst + w·x, rounding the product and the sum.
func Axpy(dst []float32, w float32, x []float32) { axpy(dst, w, x[:len(dst)]) }

//go:build !purego

package kernel

import (
	"golang.org/x/sys/cpu"
)

// fast says whether the assembly can run here.
var fast = cpu.X86.HasAVX2 && cpu.X86.HasF16C

// Implementation names what does the arithmetic on this machine: "avx2" or "generic".
func Implementation() string {
	if fast {
		return "avx2"
	}
	return "generic"
}

// callElements bounds what one call into assembly does, because it cannot be pre-empted.
const callElements = 4096

func decode(dst []float32, src []byte, f Format) (most uint32) {
	n := 0
	if fast {
		n = len(dst) &^ 15
		for lo := 0; lo < n; lo += callElements {
			d, s, m := &dst[lo], &src[lo*f.Size()], min(callElements, n-lo)
			switch f {
			case BF16:
				most = max(most, decodeBF16(d, s, m))
			case F16:
				most = max(most, decodeF16(d, s, m))
			default:
				most = max(most, decodeF32(d, s, m))
			}
		}
	}
	return max(most, decodeGeneric(dst[n:], src[n*f.Size():], f))
}

func encode(dst []byte, src []float32, f Format) (most uint32) {
	n := 0
	if fast {
		n = len(src) &^ 15
		for lo := 0; lo < n; lo += callElements {
			d, s, m := &dst[lo*f.Size()], &src[lo], min(callElements, n-lo)
			switch f {
			case BF16:
				most = max(most, encodeBF16(d, s, m))
			case F16:
				most = max(most, encodeF16(d, s, m))
			default:
				most = max(most, encodeF32(d, s, m))
			}
		}
	}
	return max(most, encodeGeneric(dst[n*f.Size():], src[n:], f))
}

func sub(dst, a, b []float32) {
	n := 0
	if fast {
		n = len(dst) &^ 15
		for lo := 0; lo < n; lo += callElements {
			subAVX2(&dst[lo], &a[lo], &b[lo], min(callElements, n-lo))
		}
	}
	subGeneric(dst[n:], a[n:], b[n:])
}

func add(dst, a, b []float32) {
	n := 0
	if fast {
		n = len(dst) &^ 15
		for lo := 0; lo < n; lo += callElements {
			addAVX2(&dst[lo], &a[lo], &b[lo], min(callElements, n-lo))
		}
	}
	addGeneric(dst[n:], a[n:], b[n:])
}

func axpy(dst []float32, w float32, x []float32) {
	n := 0
	if fast {
		n = len(dst) &^ 15
		for lo := 0; lo < n; lo += callElements {
			axpyAVX2(&dst[lo], &x[lo], w, min(callElements, n-lo))
		}
	}
	axpyGeneric(dst[n:], w, x[n:])
}

func (r *Random) blocks(dst []uint32, block uint64) {
	n := 0
	if fast {
		n = len(dst) &^ 31
		for lo := 0; lo < n; lo += callElements {
			philoxAVX2(&dst[lo], min(callElements, n-lo), block+uint64(lo/4), &r.high[0], &r.keys[0][0][0])
		}
	}
	r.wordsGeneric(dst[n:], block+uint64(n/4))
}

func keep(x []float32, words []uint32, last uint32, divisor float32) {
	n := 0
	if fast {
		n = len(x) &^ 15
		for lo := 0; lo < n; lo += callElements {
			keepAVX2(&x[lo], &words[lo], last, divisor, min(callElements, n-lo))
		}
	}
	keepGeneric(x[n:], words[n:], last, divisor)
}

// dot adds products to lanes and returns how many are done, a multiple of the number of lanes.
func dot(lanes *[sumLanes]float64, a, b []float32) int {
	if !fast {
		return 0
	}
	n := len(a) &^ (sumLanes - 1)
	for lo := 0; lo < n; lo += callElements {
		dotAVX2(&lanes[0], &a[lo], &b[lo], min(callElements, n-lo))
	}
	return n
}

// total is dot for a sum.
func total(lanes *[sumLanes]float64, a []float32) int {
	if !fast {
		return 0
	}
	n := len(a) &^ (sumLanes - 1)
	for lo := 0; lo < n; lo += callElements {
		totalAVX2(&lanes[0], &a[lo], min(callElements, n-lo))
	}
	return n
}

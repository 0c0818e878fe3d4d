package kernel

import (
	"encoding/binary"
	"math"
)

// This file is the reference: what assembly computes is what these loops compute, bit for bit, NaN
// payloads excepted. Conversions such as float32(a*b) keep the compiler from fusing on machines that
// can. Each routine returns the largest magnitude seen, as bits of a float32, for the test of
// finiteness; slices have equal lengths.

const magnitude = 0x7fffffff

// decodeGeneric sets dst to the numbers in src (BF16, F16 or F32); the magnitude is that of src.
func decodeGeneric(dst []float32, src []byte, f Format) (most uint32) {
	switch f {
	case BF16:
		for i := range dst {
			u := uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16
			most = max(most, u&magnitude)
			dst[i] = math.Float32frombits(u)
		}
	case F16:
		for i := range dst {
			u := widen(binary.LittleEndian.Uint16(src[2*i:]))
			most = max(most, u&magnitude)
			dst[i] = math.Float32frombits(u)
		}
	default:
		for i := range dst {
			u := binary.LittleEndian.Uint32(src[4*i:])
			most = max(most, u&magnitude)
			dst[i] = math.Float32frombits(u)
		}
	}
	return most
}

// encodeGeneric sets dst to src rounded to f (BF16, F16 or F32); the magnitude is that of src.
func encodeGeneric(dst []byte, src []float32, f Format) (most uint32) {
	switch f {
	case BF16:
		for i, x := range src {
			u := math.Float32bits(x)
			most = max(most, u&magnitude)
			binary.LittleEndian.PutUint16(dst[2*i:], narrowBF16(u))
		}
	case F16:
		for i, x := range src {
			u := math.Float32bits(x)
			most = max(most, u&magnitude)
			binary.LittleEndian.PutUint16(dst[2*i:], narrowF16(u))
		}
	default:
		for i, x := range src {
			u := math.Float32bits(x)
			most = max(most, u&magnitude)
			binary.LittleEndian.PutUint32(dst[4*i:], u)
		}
	}
	return most
}

// subGeneric sets dst = a − b. dst may be a or b.
func subGeneric(dst, a, b []float32) {
	for i := range dst {
		dst[i] = a[i] - b[i]
	}
}

// addGeneric sets dst = a + b. dst may be a or b.
func addGeneric(dst, a, b []float32) {
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

// axpyGeneric sets dst = dst + w·x, both roundings made.
func axpyGeneric(dst []float32, w float32, x []float32) {
	for i := range dst {
		dst[i] += float32(w * x[i])
	}
}

// narrowBF16 rounds the float32 with bits u to BF16. A NaN becomes quiet and keeps the rest of its sign
// and upper payload.
func narrowBF16(u uint32) uint16 {
	if u&magnitude > 0x7f800000 {
		return uint16(u>>16) | 0x40
	}
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}

// narrowF16 rounds the float32 with bits u to F16. A NaN becomes quiet and keeps sign and upper payload.
func narrowF16(u uint32) uint16 {
	sign := uint16(u >> 16 & 0x8000)
	u &= magnitude
	switch {
	case u > 0x7f800000:
		return sign | 0x7e00 | uint16(u>>13&0x3ff)
	case u >= 0x477ff000: // 65520 and above
		return sign | 0x7c00
	case u >= 0x38800000: // 2^−14 and above: normal
		return sign | uint16((u+0xfff+u>>13&1-112<<23)>>13)
	}
	// Subnormal: adding ½ puts 2^−24, the unit of the result, in the last place, and rounds to even.
	sum := math.Float32frombits(u) + 0.5
	return sign | uint16(math.Float32bits(sum)-math.Float32bits(0.5))
}

// widen gives the bits of the float32 that equals the F16 h. A NaN becomes quiet, as F16C does it.
func widen(h uint16) uint32 {
	sign, exp, frac := uint32(h&0x8000)<<16, uint32(h>>10&31), uint32(h&0x3ff)
	switch {
	case exp == 0:
		return sign | math.Float32bits(float32(frac)*0x1p-24)
	case exp == 31 && frac != 0:
		return sign | 0x7fc00000 | frac<<13
	case exp == 31:
		return sign | 0x7f800000
	}
	return sign | (exp+112)<<23 | frac<<13
}

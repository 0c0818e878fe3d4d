package kernel

import (
	"encoding/binary"
	"math"
)

// Decode sets dst to the numbers of src as float32 and says whether all are finite. F64 is rounded to
// nearest, and so may become infinite.
func Decode(dst []float32, src Vector) (finite bool) {
	src.mustBe("src", len(dst))
	if src.Format == F64 {
		var most uint32
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src.Data[8*i:])))
			most = max(most, math.Float32bits(dst[i])&magnitude)
		}
		return most < F32.limit()
	}
	return decode(dst, src.Data, src.Format) < F32.limit()
}

// Encode sets dst to src, each number rounded once to dst's format, and says whether all of dst is
// finite: a number too large for the format becomes an infinity.
func Encode(dst Vector, src []float32) (finite bool) {
	dst.mustBe("dst", len(src))
	if dst.Format == F64 {
		var most uint32
		for i, x := range src {
			most = max(most, math.Float32bits(x)&magnitude)
			binary.LittleEndian.PutUint64(dst.Data[8*i:], math.Float64bits(float64(x)))
		}
		return most < F32.limit()
	}
	return encode(dst.Data, src, dst.Format) < dst.Format.limit()
}

// Decode64 sets dst to the numbers of src, exactly, and says whether all are finite.
func Decode64(dst []float64, src Vector) (finite bool) {
	src.mustBe("src", len(dst))
	if src.Format == F64 {
		var most uint64
		for i := range dst {
			u := binary.LittleEndian.Uint64(src.Data[8*i:])
			most = max(most, u&magnitude64)
			dst[i] = math.Float64frombits(u)
		}
		return most < infinity64
	}
	finite = true
	var tile [512]float32
	for lo := 0; lo < len(dst); lo += len(tile) {
		hi := min(len(dst), lo+len(tile))
		finite = Decode(tile[:hi-lo], src.slice(lo, hi)) && finite
		for i, x := range tile[:hi-lo] {
			dst[lo+i] = float64(x)
		}
	}
	return finite
}

// Encode64 sets dst to src, each number rounded once to dst's format (never through another format),
// and says whether all of dst is finite.
func Encode64(dst Vector, src []float64) (finite bool) {
	dst.mustBe("dst", len(src))
	switch dst.Format {
	case F64:
		var most uint64
		for i, x := range src {
			u := math.Float64bits(x)
			most = max(most, u&magnitude64)
			binary.LittleEndian.PutUint64(dst.Data[8*i:], u)
		}
		return most < infinity64
	case F32:
		for i, x := range src {
			binary.LittleEndian.PutUint32(dst.Data[4*i:], math.Float32bits(float32(x)))
		}
	case F16:
		for i, x := range src {
			binary.LittleEndian.PutUint16(dst.Data[2*i:], narrowF16(roundToOdd(x)))
		}
	default:
		for i, x := range src {
			binary.LittleEndian.PutUint16(dst.Data[2*i:], narrowBF16(roundToOdd(x)))
		}
	}
	return FirstNonFinite(dst) < 0
}

const (
	magnitude64 = 1<<63 - 1
	infinity64  = 0x7ff << 52
)

// Convert sets dst to src, each number rounded once; bytes are copied where the formats are the same.
func Convert(dst, src Vector) (finite bool) {
	n := src.Len()
	src.mustBe("src", n)
	dst.mustBe("dst", n)
	if dst.Format == src.Format {
		copy(dst.Data, src.Data)
		return FirstNonFinite(src) < 0
	}
	finite = true
	if src.Format == F64 {
		var tile [512]float64
		for lo := 0; lo < n; lo += len(tile) {
			hi := min(n, lo+len(tile))
			Decode64(tile[:hi-lo], src.slice(lo, hi))
			finite = Encode64(dst.slice(lo, hi), tile[:hi-lo]) && finite
		}
		return finite
	}
	var tile [1024]float32
	for lo := 0; lo < n; lo += len(tile) {
		hi := min(n, lo+len(tile))
		Decode(tile[:hi-lo], src.slice(lo, hi))
		finite = Encode(dst.slice(lo, hi), tile[:hi-lo]) && finite
	}
	return finite
}

// FirstNonFinite is the index of the first NaN or infinity in v, −1 if there is none.
func FirstNonFinite(v Vector) int {
	n := v.Len()
	v.mustBe("v", n)
	if v.Format != F64 {
		var tile [1024]float32
		for lo := 0; lo < n; lo += len(tile) {
			hi := min(n, lo+len(tile))
			part := v.slice(lo, hi)
			if decode(tile[:hi-lo], part.Data, part.Format) < F32.limit() {
				continue
			}
			for i := lo; ; i++ {
				if !isFinite(v.At(i)) {
					return i
				}
			}
		}
		return -1
	}
	for i := range n {
		if !isFinite(v.At(i)) {
			return i
		}
	}
	return -1
}

// At is element i of v, exactly.
func (v Vector) At(i int) float64 {
	switch v.Format {
	case F64:
		return math.Float64frombits(binary.LittleEndian.Uint64(v.Data[8*i:]))
	case F32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(v.Data[4*i:])))
	case F16:
		return float64(math.Float32frombits(widen(binary.LittleEndian.Uint16(v.Data[2*i:]))))
	}
	return float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(v.Data[2*i:])) << 16))
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// roundToOdd gives the bits of x cut to float32, with the last bit set where anything was lost. What is
// then rounded to nearest with two bits less or fewer is as if rounded from x at once (Boldo and
// Melquiond, Emulation of FMA and correctly rounded sums, IEEE TC 57(4), 2008).
func roundToOdd(x float64) uint32 {
	y := float32(x)
	u := math.Float32bits(y)
	switch back := float64(y); {
	case back == x || math.IsNaN(x):
		return u
	case math.Abs(back) > math.Abs(x): // rounded away from zero, to infinity perhaps
		u--
	}
	return u | 1
}

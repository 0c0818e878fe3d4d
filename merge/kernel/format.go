package kernel

import "fmt"

// Format is how a number is stored, little-endian.
type Format uint8

// The formats that can be computed on.
const (
	BF16 Format = iota + 1
	F16
	F32
	F64
)

// Size is the number of bytes of an element.
func (f Format) Size() int {
	switch f {
	case BF16, F16:
		return 2
	case F32:
		return 4
	case F64:
		return 8
	}
	return 0
}

// String is the format's name as in a safetensors header.
func (f Format) String() string {
	if f < BF16 || f > F64 {
		return fmt.Sprintf("Format(%d)", uint8(f))
	}
	return [...]string{"BF16", "F16", "F32", "F64"}[f-BF16]
}

// limit is the least magnitude, as bits of a float32, that is not finite after rounding to f: half way
// from the largest finite number to the next, which ties to even make an infinity.
func (f Format) limit() uint32 {
	switch f {
	case BF16:
		return 0x7f7f8000
	case F16:
		return 0x477ff000 // 65520
	}
	return 0x7f800000
}

// Vector is a run of elements as they lie in a file.
type Vector struct {
	Data   []byte // a whole number of elements
	Format Format
}

// Len is the number of elements.
func (v Vector) Len() int { return len(v.Data) / v.Format.Size() }

// slice is elements lo to hi.
func (v Vector) slice(lo, hi int) Vector {
	s := v.Format.Size()
	return Vector{v.Data[lo*s : hi*s], v.Format}
}

// mustBe panics unless v is n elements of a known format: a mistake of the program, not of a file.
func (v Vector) mustBe(what string, n int) {
	if s := v.Format.Size(); s == 0 || len(v.Data) != n*s {
		panic(fmt.Sprintf("kernel: %s has %d bytes of %v, expected %d elements", what, len(v.Data), v.Format, n))
	}
}

package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Float32s reads a whole tensor of dtype BF16, F16, F32 or F64 as float32 (F64 rounded to nearest).
// It is for models that fit in memory; merges read chunks and convert them with faster code.
func (f *File) Float32s(t Tensor) ([]float32, error) {
	if !t.DType.Computable() {
		return nil, &FormatError{Path: f.path, Code: UnknownDType, Tensor: t.Name, Msg: fmt.Sprintf("expected BF16, F16, F32 or F64, found %s", t.DType)}
	}
	b, err := f.Bytes(t)
	if err != nil {
		return nil, err
	}
	values := make([]float32, t.Elements())
	for i := range values {
		switch t.DType {
		case BF16:
			values[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(b[2*i:])) << 16)
		case F16:
			values[i] = halfToFloat(binary.LittleEndian.Uint16(b[2*i:]))
		case F32:
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		default:
			values[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:])))
		}
	}
	return values, nil
}

// AppendBF16 appends values to b as BF16, rounded to nearest, ties to even; NaN stays NaN.
func AppendBF16(b []byte, values []float32) []byte {
	for _, v := range values {
		u := math.Float32bits(v)
		if math.IsNaN(float64(v)) {
			u |= 1 << 22 // quiet, so that cutting the payload cannot make it an infinity
		} else {
			u += 0x7fff + u>>16&1
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(u>>16))
	}
	return b
}

// AppendF32 appends values to b as F32.
func AppendF32(b []byte, values []float32) []byte {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// halfToFloat widens an IEEE 754 binary16, exactly.
func halfToFloat(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp, frac := uint32(h>>10&31), uint32(h&0x3ff)
	switch exp {
	case 0: // zero or subnormal: frac × 2^−24
		return math.Float32frombits(sign | math.Float32bits(float32(frac)*0x1p-24))
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

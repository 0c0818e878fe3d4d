package safetensors

// DType is the type of a tensor's elements. The zero value is no type.
//
// The values are in the order of the reference library (increasing alignment), which decides the order
// of tensors in a file.
type DType uint8

// The dtypes of the format. BF16, F16, F32 and F64 are computed on; the others are carried.
const (
	Bool DType = iota + 1
	F4
	F6E2M3
	F6E3M2
	U8
	I8
	F8E5M2
	F8E4M3
	F8E8M0
	F8E4M3FNUZ
	F8E5M2FNUZ
	I16
	U16
	F16
	BF16
	I32
	U32
	F32
	C64
	F64
	I64
	U64
)

var dtypes = [...]struct {
	name string
	bits int64
}{
	Bool:       {"BOOL", 8},
	F4:         {"F4", 4},
	F6E2M3:     {"F6_E2M3", 6},
	F6E3M2:     {"F6_E3M2", 6},
	U8:         {"U8", 8},
	I8:         {"I8", 8},
	F8E5M2:     {"F8_E5M2", 8},
	F8E4M3:     {"F8_E4M3", 8},
	F8E8M0:     {"F8_E8M0", 8},
	F8E4M3FNUZ: {"F8_E4M3FNUZ", 8},
	F8E5M2FNUZ: {"F8_E5M2FNUZ", 8},
	I16:        {"I16", 16},
	U16:        {"U16", 16},
	F16:        {"F16", 16},
	BF16:       {"BF16", 16},
	I32:        {"I32", 32},
	U32:        {"U32", 32},
	F32:        {"F32", 32},
	C64:        {"C64", 64},
	F64:        {"F64", 64},
	I64:        {"I64", 64},
	U64:        {"U64", 64},
}

// ParseDType finds the dtype with a name as the format spells it ("BF16").
func ParseDType(name string) (DType, bool) {
	for d := Bool; int(d) < len(dtypes); d++ {
		if dtypes[d].name == name {
			return d, true
		}
	}
	return 0, false
}

// DTypes lists every dtype of the format, in its order.
func DTypes() []DType {
	all := make([]DType, 0, len(dtypes)-1)
	for d := Bool; int(d) < len(dtypes); d++ {
		all = append(all, d)
	}
	return all
}

// String is the name of d in the format, or "none" for no type.
func (d DType) String() string {
	if !d.Valid() {
		return "none"
	}
	return dtypes[d].name
}

// Valid says whether d is a dtype of the format.
func (d DType) Valid() bool { return d >= Bool && int(d) < len(dtypes) }

// Bits is the size of one element in bits, 0 for no type. Only F4 and F6 are no whole bytes.
func (d DType) Bits() int64 {
	if !d.Valid() {
		return 0
	}
	return dtypes[d].bits
}

// Computable says whether merges compute on elements of d: BF16, F16, F32 and F64.
func (d DType) Computable() bool { return d == BF16 || d == F16 || d == F32 || d == F64 }

package kernel

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"sort"
	"testing"
)

// value is the slow reading of a format: sign, exponent and fraction as the standard has them.
func value(bits uint64, exponent, fraction int) float64 {
	sign := 1.0
	if bits>>(exponent+fraction)&1 == 1 {
		sign = -1
	}
	e := int(bits >> fraction & (1<<exponent - 1))
	f := float64(bits & (1<<fraction - 1))
	bias := 1<<(exponent-1) - 1
	switch {
	case e == 1<<exponent-1 && f != 0:
		return math.NaN()
	case e == 1<<exponent-1:
		return math.Inf(int(sign))
	case e == 0:
		return sign * math.Ldexp(f, 1-bias-fraction)
	}
	return sign * math.Ldexp(1+math.Ldexp(f, -fraction), e-bias)
}

// layouts of the 16-bit formats.
var layouts = map[Format]struct{ exponent, fraction int }{BF16: {8, 7}, F16: {5, 10}}

func put16(u ...uint16) []byte {
	var b []byte
	for _, x := range u {
		b = binary.LittleEndian.AppendUint16(b, x)
	}
	return b
}

// TestDecodeEveryPattern: all 65,536 values of both 16-bit formats, by every implementation.
func TestDecodeEveryPattern(t *testing.T) {
	all := make([]uint16, 1<<16)
	for i := range all {
		all[i] = uint16(i)
	}
	for f, l := range layouts {
		src := Vector{put16(all...), f}
		got, ref := make([]float32, len(all)), make([]float32, len(all))
		if Decode(got, src) {
			t.Errorf("%v: finite, with all patterns in it", f)
		}
		decodeGeneric(ref, src.Data, f)
		for i := range all {
			want := value(uint64(i), l.exponent, l.fraction)
			if !equal(float64(got[i]), want) || math.Float32bits(got[i]) != math.Float32bits(ref[i]) || !equal(src.At(i), want) {
				t.Fatalf("%v %#04x: %v (%#x), generic %v (%#x), At %v, expected %v", f, i,
					got[i], math.Float32bits(got[i]), ref[i], math.Float32bits(ref[i]), src.At(i), want)
			}
		}
		// What is decoded is encoded to the same bits; NaN to a quiet NaN.
		back := Vector{make([]byte, len(src.Data)), f}
		Encode(back, got)
		for i := range all {
			want := uint16(i)
			if math.IsNaN(float64(got[i])) {
				want |= 1 << (l.fraction - 1)
			}
			if u := binary.LittleEndian.Uint16(back.Data[2*i:]); u != want {
				t.Fatalf("%v: %#04x decodes and encodes to %#04x", f, i, u)
			}
		}
	}
}

// equal is ==, but NaN equals NaN and −0 does not equal 0.
func equal(a, b float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || a == b && math.Signbit(a) == math.Signbit(b)
}

// ruler is the positive numbers of a 16-bit format in order, and one more, as if its exponent had no
// limit, in the place of infinity.
func ruler(f Format) []float64 {
	l := layouts[f]
	infinity := uint64(1<<l.exponent-1) << l.fraction
	var marks []float64
	for u := range infinity {
		marks = append(marks, value(u, l.exponent, l.fraction))
	}
	return append(marks, math.Ldexp(1, 1<<(l.exponent-1)))
}

// nearest rounds x by looking at the two numbers around it: the slow way.
func nearest(x float64, marks []float64) uint16 {
	sign := uint16(0)
	if math.Signbit(x) {
		sign = 0x8000
	}
	x = math.Abs(x)
	hi := sort.Search(len(marks)-1, func(i int) bool { return marks[i] > x })
	if x >= marks[len(marks)-1] {
		return sign | uint16(len(marks)-1)
	}
	lo := hi - 1
	if down, up := x-marks[lo], marks[hi]-x; down < up || down == up && lo%2 == 0 {
		return sign | uint16(lo)
	}
	return sign | uint16(hi)
}

// TestEncodeRoundsToNearestEven: around every number and every half way between two neighbours.
func TestEncodeRoundsToNearestEven(t *testing.T) {
	for f := range layouts {
		var xs []float32
		var ds []float64
		marks := ruler(f)
		for i, a := range marks[:len(marks)-1] {
			b := marks[i+1]
			half := a + (b-a)/2
			for _, x := range []float32{float32(a), float32(half), math.Nextafter32(float32(half), 0), math.Nextafter32(float32(half), math.MaxFloat32)} {
				xs = append(xs, x, -x)
			}
			for _, x := range []float64{half, math.Nextafter(half, 0), math.Nextafter(half, 4e38)} {
				ds = append(ds, x, -x)
			}
		}
		check := func(how string, xs []float64, got []byte) {
			t.Helper()
			for i, x := range xs {
				if u, want := binary.LittleEndian.Uint16(got[2*i:]), nearest(x, marks); u != want {
					t.Fatalf("%s: %v to %v: %#04x, expected %#04x", how, x, f, u, want)
				}
			}
		}
		wide := make([]float64, len(xs))
		for i, x := range xs {
			wide[i] = float64(x)
		}
		fast, slow := Vector{make([]byte, 2*len(xs)), f}, make([]byte, 2*len(xs))
		Encode(fast, xs)
		check("Encode", wide, fast.Data)
		encodeGeneric(slow, xs, f)
		check("encodeGeneric", wide, slow)
		double := Vector{make([]byte, 2*len(ds)), f}
		Encode64(double, ds)
		check("Encode64", ds, double.Data)
		// F64 to F16 in one step, not through float32.
		Convert(double, Vector{put64(ds), F64})
		check("Convert", ds, double.Data)
	}
}

func put64(xs []float64) []byte {
	var b []byte
	for _, x := range xs {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
	}
	return b
}

func put32(xs []float32) []byte {
	var b []byte
	for _, x := range xs {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// patterns are float32 that conversions and sums may trip over.
var patterns = []uint32{
	0, 0x80000000, 1, 0x80000001, 0x007fffff, 0x00800000, 0x00007fff, 0x00008000, 0x00008001, 0x00018000,
	0x33000000, 0x33000001, 0x33800000, 0x387fe000, 0x387ff000, 0x38800000, 0x477fe000, 0x477fefff, 0x477ff000,
	0x3f800000, 0xbf800000, 0x3f808000, 0x3f818000, 0x7f7f7fff, 0x7f7f8000, 0x7f7fffff, 0xff7fffff,
	0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xff800001, 0x7fffffff, 0xffffffff, 0x7fbfffff,
}

// randoms mixes numbers of usual size, random bits and patterns; finite leaves out NaN and infinities.
func randoms(r *rand.Rand, n int, finite bool) []float32 {
	xs := make([]float32, n)
	for i := range xs {
		switch r.IntN(8) {
		case 0:
			xs[i] = math.Float32frombits(patterns[r.IntN(len(patterns))])
		case 1:
			xs[i] = math.Float32frombits(r.Uint32())
		default:
			xs[i] = float32(r.NormFloat64() * 0.02)
		}
		if finite && !isFinite(float64(xs[i])) {
			xs[i] = 1.5
		}
	}
	return xs
}

// TestConversionsAgree: fast and generic, every tail length, with guard bytes around the result.
func TestConversionsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 131 {
		xs := randoms(r, n, false)
		for _, f := range []Format{BF16, F16, F32} {
			got, want := guarded(n*f.Size()), make([]byte, n*f.Size())
			mostGot, mostWant := encode(got.middle(), xs, f), encodeGeneric(want, xs, f)
			if mostGot != mostWant || string(got.middle()) != string(want) {
				t.Fatalf("encode %v of %d: %x (%#x), generic %x (%#x)", f, n, got.middle(), mostGot, want, mostWant)
			}
			got.check(t)

			random := make([]byte, n*f.Size())
			for i := range random {
				random[i] = byte(r.Uint32())
			}
			fast, slow := make([]float32, n+2), make([]float32, n)
			fast[0], fast[n+1] = 42, 42
			mostGot, mostWant = decode(fast[1:n+1], random, f), decodeGeneric(slow, random, f)
			if mostGot != mostWant || string(put32(fast[1:n+1])) != string(put32(slow)) {
				t.Fatalf("decode %v of %d: %v (%#x), generic %v (%#x)", f, n, fast, mostGot, slow, mostWant)
			}
			if fast[0] != 42 || fast[n+1] != 42 {
				t.Fatalf("decode %v of %d wrote outside", f, n)
			}
		}
	}
}

// guard is memory with guard bytes around it.
type guard []byte

func guarded(n int) guard {
	g := make(guard, n+128)
	for i := range g {
		g[i] = 0xa5
	}
	return g
}

func (g guard) middle() []byte { return g[64 : len(g)-64] }

func (g guard) check(t *testing.T) {
	t.Helper()
	for i := range 64 {
		if g[i] != 0xa5 || g[len(g)-1-i] != 0xa5 {
			t.Fatal("bytes outside the result were written")
		}
	}
}

func TestFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, f := range []Format{BF16, F16, F32, F64} {
		for n := 1; n < 70; n++ {
			for _, bad := range []float32{nan, inf, -inf} {
				xs := make([]float32, n)
				v := Vector{make([]byte, n*f.Size()), f}
				if !Encode(v, xs) || FirstNonFinite(v) != -1 || !Decode(xs, v) {
					t.Fatalf("%v: zeros are not finite", f)
				}
				at := n * 2 / 3
				xs[at] = bad
				if Encode(v, xs) || FirstNonFinite(v) != at || Decode(xs, v) || Convert(v, v) {
					t.Fatalf("%v of %d: %v at %d was not found (%d)", f, n, bad, at, FirstNonFinite(v))
				}
			}
		}
	}
	// Finite numbers that a format has no room for.
	for f, big := range map[Format]float32{F16: 65520, BF16: 3.4e38} {
		v := Vector{make([]byte, 2), f}
		if Encode(v, []float32{big}) || FirstNonFinite(v) != 0 {
			t.Errorf("%v: %g fits", f, big)
		}
		if !Encode(v, []float32{math.Nextafter32(map[Format]float32{F16: 65520, BF16: 3.3961775e38}[f], 0)}) {
			t.Errorf("%v: the number below the limit does not fit", f)
		}
	}
	if big := (Vector{put64([]float64{1e300}), F64}); Decode(make([]float32, 1), big) || FirstNonFinite(big) != -1 {
		t.Error("1e300 fits a float32")
	}
}

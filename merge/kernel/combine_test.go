package kernel

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// expected computes one output element as the specification says it, and rounds by float64 neighbours.
func expected(o Output, base *Vector, models []Vector, j int) (bits []byte, finite bool) {
	double := base == nil || base.Format == F64
	for _, m := range models {
		double = double && m.Format == F64
	}
	one := Vector{make([]byte, o.Format.Size()), o.Format}
	weighted := false
	if double {
		a := 0.0
		for i, w := range o.Weights {
			if w != 0 {
				weighted = true
				x := models[i].At(j)
				if base != nil {
					x -= base.At(j)
				}
				x = float64(x * w) // the compiler may fuse across statements
				a += x
			}
		}
		if base != nil {
			a = base.At(j) + a
		}
		if weighted || base == nil {
			finite = Encode64(one, []float64{a})
			return one.Data, finite
		}
	} else {
		var a float32
		for i := range o.Weights {
			if w := float32(o.Weights[i]); w != 0 {
				weighted = true
				x := float32(models[i].At(j))
				if base != nil {
					x = float32(x - float32(base.At(j)))
				}
				x = float32(w * x)
				a = float32(a + x)
			}
		}
		if base != nil {
			a = float32(float32(base.At(j)) + a)
		}
		if weighted || base == nil {
			if o.Format == F64 {
				finite = Encode64(one, []float64{float64(a)})
			} else {
				finite = encodeGeneric(one.Data, []float32{a}, o.Format) < o.Format.limit()
			}
			return one.Data, finite
		}
	}
	finite = Convert(one, base.slice(j, j+1))
	return one.Data, finite
}

// sameElement compares bits, but any NaN equals any NaN.
func sameElement(a, b Vector) bool {
	x, y := a.At(0), b.At(0)
	return math.IsNaN(x) && math.IsNaN(y) || bytes.Equal(a.Data, b.Data)
}

func vectorOf(xs []float32, f Format) Vector {
	v := Vector{make([]byte, len(xs)*f.Size()), f}
	Encode(v, xs)
	return v
}

func checkCombine(t fatal, outs []Output, base *Vector, models []Vector, n int) {
	var got bool
	if base != nil {
		got = TaskArithmetic(outs, *base, models)
	} else {
		got = WeightedSum(outs, models, n)
	}
	finite := true
	for k, o := range outs {
		for j := range n {
			want, ok := expected(o, base, models, j)
			finite = finite && ok
			if !sameElement(o.slice(j, j+1), Vector{want, o.Format}) {
				t.Fatalf("output %d (%v), element %d of %d: %x, expected %x; weights %v, base %v", k, o.Format, j, n, o.slice(j, j+1).Data, want, o.Weights, base != nil)
			}
		}
	}
	if got != finite {
		t.Fatalf("finite is %v, expected %v", got, finite)
	}
}

type fatal interface {
	Fatalf(format string, args ...any)
}

// TestCombineEveryShape: formats, numbers of outputs and models, tails, with guards.
func TestCombineEveryShape(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	lengths := []int{0, 1, 15, 16, 17, 31, 32, 33, 47, 63, 100, 2047, 2048, 2049, 4099}
	for _, f := range []Format{BF16, F16, F32, F64} {
		for outputs := 1; outputs <= 6; outputs++ {
			for inputs := 1; inputs <= 4; inputs++ {
				for _, withBase := range []bool{true, false} {
					n := lengths[r.IntN(len(lengths))]
					if outputs == 1 && inputs == 2 {
						n = r.IntN(200)
					}
					base := vectorOf(randoms(r, n, n%2 == 0), f)
					var models []Vector
					for range inputs {
						models = append(models, vectorOf(randoms(r, n, n%2 == 0), f))
					}
					outs, guards := outputsOf(r, outputs, inputs, n, func() Format { return f })
					theta := &base
					if !withBase {
						theta = nil
					}
					checkCombine(t, outs, theta, models, n)
					for _, g := range guards {
						g.check(t)
					}
				}
			}
		}
	}
}

// outputsOf makes outputs with guards, with weights of which some are 0.
func outputsOf(r *rand.Rand, outputs, inputs, n int, format func() Format) (outs []Output, guards []guard) {
	for range outputs {
		f := format()
		g := guarded(n * f.Size())
		o := Output{Vector: Vector{g.middle(), f}}
		for range inputs {
			w := r.Float64()*2 - .5
			if r.IntN(4) == 0 {
				w = 0
			}
			o.Weights = append(o.Weights, w)
		}
		outs, guards = append(outs, o), append(guards, g)
	}
	return outs, guards
}

// TestCombineAnyFormats mixes the formats of inputs and outputs.
func TestCombineAnyFormats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		format := func() Format { return Format(1 + r.IntN(4)) }
		n := rapid.IntRange(0, 70).Draw(t, "n")
		base := vectorOf(randoms(r, n, true), format())
		var models []Vector
		for range rapid.IntRange(1, 5).Draw(t, "models") {
			models = append(models, vectorOf(randoms(r, n, true), format()))
		}
		outs, _ := outputsOf(r, rapid.IntRange(1, 5).Draw(t, "outputs"), len(models), n, format)
		theta := &base
		if rapid.Bool().Draw(t, "linear") {
			theta = nil
		}
		checkCombine(t, outs, theta, models, n)
	})
}

// TestCombineIdentities: c = 0 is the base bit for bit, signs of zeros included; one c = 1 is the model.
func TestCombineIdentities(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, f := range []Format{BF16, F16, F32, F64} {
		xs := make([]float32, 1000)
		for i := range xs {
			xs[i] = float32(r.IntN(1<<9)-1<<8) / 256 // differences are exact
			if i%7 == 0 {
				xs[i] = float32(math.Copysign(0, -1))
			}
		}
		base := vectorOf(xs, f)
		r.Shuffle(len(xs), func(i, j int) { xs[i], xs[j] = xs[j], xs[i] })
		model := vectorOf(xs, f)
		none := Vector{nil, f}
		outs := []Output{
			{Vector{make([]byte, len(base.Data)), f}, []float64{0, 0}},
			{Vector{make([]byte, len(base.Data)), f}, []float64{0, 1}},
		}
		if !TaskArithmetic(outs, base, []Vector{none, model}) {
			t.Fatalf("%v: not finite", f)
		}
		if !bytes.Equal(outs[0].Data, base.Data) {
			t.Errorf("%v: all weights 0 is not the base", f)
		}
		for i := range xs {
			if got, want := outs[1].At(i), model.At(i); got != want {
				t.Fatalf("%v: weight 1, element %d: %v, expected %v", f, i, got, want)
			}
		}
	}
}

// TestCombineFindsEveryBadInput: a NaN or an infinity at any place of any input that has a weight.
func TestCombineFindsEveryBadInput(t *testing.T) {
	const n = 70
	for _, f := range []Format{BF16, F16, F32, F64} {
		for at := range n {
			for which := range 3 {
				for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
					for _, k := range []int{1, 2, 3, 4, 5} {
						xs := make([]float32, n)
						in := []Vector{vectorOf(xs, f), vectorOf(xs, f), vectorOf(xs, f)}
						xs[at] = float32(bad)
						in[which] = vectorOf(xs, f)
						outs, _ := outputsOf(rand.New(rand.NewPCG(1, 1)), k, 2, n, func() Format { return f })
						for i := range outs {
							outs[i].Weights = []float64{.5, -.5}
						}
						if TaskArithmetic(outs, in[0], in[1:]) {
							t.Fatalf("%v, %d outputs: %v at %d of input %d was not found", f, k, bad, at, which)
						}
						if which > 0 && WeightedSum(outs, in[1:], n) {
							t.Fatalf("%v, %d outputs: %v at %d of model %d was not found by the weighted sum", f, k, bad, at, which)
						}
						// The weight 0 keeps it out.
						if which == 2 {
							for i := range outs {
								outs[i].Weights = []float64{.5, 0}
							}
							if !TaskArithmetic(outs, in[0], in[1:]) {
								t.Fatalf("%v, %d outputs: %v of a model with weight 0 was seen", f, k, bad)
							}
						}
					}
				}
			}
		}
	}
}

// TestCombineOverflow: finite inputs whose difference is infinite in float32 meet a weight of 0 in one
// output of a group, where they must leave no trace.
func TestCombineOverflow(t *testing.T) {
	big := math.Float32bits(math.MaxFloat32) >> 16
	base := Vector{bytes.Repeat(put16(uint16(big|0x8000)), 64), BF16}
	model := Vector{bytes.Repeat(put16(uint16(big)), 64), BF16}
	plain := Vector{bytes.Repeat(put16(uint16(big|0x8000)), 64), BF16}
	var outs []Output
	for k := range 4 {
		w := []float64{0, .5}
		if k == 2 {
			w = []float64{1, .5}
		}
		outs = append(outs, Output{Vector{make([]byte, 128), BF16}, w})
	}
	if TaskArithmetic(outs, base, []Vector{model, plain}) {
		t.Error("the overflow was not seen")
	}
	for k, o := range outs {
		if got := FirstNonFinite(o.Vector); (got < 0) != (k != 2) {
			t.Errorf("output %d: first non-finite %d", k, got)
		}
	}
	checkCombine(t, outs, &base, []Vector{model, plain}, 64)
}

// TestCombineIsFreeOfChunks: however a tensor is cut, the bytes are the same.
func TestCombineIsFreeOfChunks(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	const n = 9000
	base, model := vectorOf(randoms(r, n, true), BF16), vectorOf(randoms(r, n, true), BF16)
	whole := []Output{{Vector{make([]byte, 2*n), BF16}, []float64{.3}}}
	TaskArithmetic(whole, base, []Vector{model})
	cut := Vector{make([]byte, 2*n), BF16}
	for lo := 0; lo < n; {
		hi := min(n, lo+1+r.IntN(3000))
		TaskArithmetic([]Output{{cut.slice(lo, hi), []float64{.3}}}, base.slice(lo, hi), []Vector{model.slice(lo, hi)})
		lo = hi
	}
	if !bytes.Equal(cut.Data, whole[0].Data) {
		t.Error("other bytes when cut")
	}
}

func TestPanicsNameTheMistake(t *testing.T) {
	v := Vector{make([]byte, 8), BF16}
	for name, call := range map[string]func(){
		"an output has 6 bytes of BF16, expected 4 elements":                  func() { TaskArithmetic([]Output{{Vector{make([]byte, 6), BF16}, nil}}, v, nil) },
		"output 0 has 1 weights for 0 models":                                 func() { TaskArithmetic([]Output{{v, []float64{1}}}, v, nil) },
		"a model has 0 bytes of Format(0), expected 4 elements":               func() { TaskArithmetic([]Output{{v, []float64{1}}}, v, []Vector{{}}) },
		"model 0 has no format: expected one of a model without a weight too": func() { TaskArithmetic([]Output{{v, []float64{0}}}, v, []Vector{{}}) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != "kernel: "+name {
					t.Errorf("panic %q, expected %q", got, name)
				}
			}()
			call()
		}()
	}
}

// FuzzCombine: bf16 base and model of any bits, fast against the specification.
func FuzzCombine(f *testing.F) {
	f.Add([]byte("\x80\x3f\x00\xbf\x80\x7f\xff\xff"), 0.3, 1.1)
	f.Fuzz(func(t *testing.T, b []byte, w1, w2 float64) {
		if !isFinite(w1) || !isFinite(w2) || math.Abs(w1) > 1e30 || math.Abs(w2) > 1e30 {
			t.Skip()
		}
		for len(b)%8 != 0 {
			b = append(b, 0)
		}
		part := len(b) / 4
		for _, format := range []Format{BF16, F16} {
			v := func(i int) Vector { return Vector{b[i*part : (i+1)*part : (i+1)*part], format} }
			base := v(0)
			outs := []Output{
				{Vector{make([]byte, part), format}, []float64{w1, w2, 0}},
				{Vector{make([]byte, part), format}, []float64{w2, 0, w1}},
			}
			checkCombine(t, outs[:1], &base, []Vector{v(1), v(2), v(3)}, part/2)
			checkCombine(t, outs, &base, []Vector{v(1), v(2), v(3)}, part/2)
			checkCombine(t, outs, nil, []Vector{v(1), v(2), v(3)}, part/2)
		}
	})
}

// TestSameBytesEverywhere pins the bytes of outputs from inputs that are made of integers alone, so that
// machines and implementations can be compared without being side by side.
func TestSameBytesEverywhere(t *testing.T) {
	pcg := rand.NewPCG(0, 0)
	r := rand.New(pcg)
	const n = 5000
	input := func(f Format) Vector {
		v := Vector{make([]byte, n*f.Size()), f}
		xs := make([]float32, n)
		for i := range xs { // 2⁻¹⁶ to 1 in magnitude
			xs[i] = math.Float32frombits(r.Uint32()&0x807fffff | uint32(111+r.IntN(16))<<23)
		}
		Encode(v, xs)
		return v
	}
	for f, want := range map[Format]string{
		BF16: "e8a57cf028f55521", F16: "87e212ea16012041", F32: "505b09dad8d1ec57", F64: "2f7dd17a2d730eee",
	} {
		pcg.Seed(41, uint64(f))
		sum := sha256.New()
		base, models := input(f), []Vector{input(f), input(f), input(f)}
		var outs []Output
		for k := range 7 {
			outs = append(outs, Output{Vector{make([]byte, n*f.Size()), f}, []float64{.3, .1 * float64(k), -.7}})
		}
		TaskArithmetic(outs, base, models)
		for _, o := range outs {
			sum.Write(o.Data)
		}
		WeightedSum(outs, models, n)
		for _, o := range outs {
			sum.Write(o.Data)
		}
		if got := fmt.Sprintf("%x", sum.Sum(nil)[:8]); got != want {
			t.Errorf("%v: %s, expected %s", f, got, want)
		}
	}
}

// TestCombineNeverHidesNaN: whatever bits a NaN has, in inputs or in a weight.
func TestCombineNeverHidesNaN(t *testing.T) {
	finite := Vector{bytes.Repeat(put16(0x3f80), 32), BF16}
	hidden := func(base, model Vector, w float64) {
		for _, k := range []int{1, 2, 3, 4} {
			outs, _ := outputsOf(rand.New(rand.NewPCG(1, 1)), k, 2, 32, func() Format { return BF16 })
			for i := range outs {
				outs[i].Weights = []float64{w, .5}
			}
			if TaskArithmetic(outs, base, []Vector{model, finite}) || WeightedSum(outs, []Vector{model, base}, 32) {
				t.Fatalf("a NaN was hidden: base %x, model %x, weight %v (%#x)", base.Data[:2], model.Data[:2], w, math.Float64bits(w))
			}
		}
	}
	for u := uint16(0x7f80); u < 0x8000; u++ { // infinity too
		for _, sign := range []uint16{0, 0x8000} {
			bad := Vector{bytes.Repeat(put16(u|sign), 32), BF16}
			hidden(bad, finite, .5)
			hidden(finite, bad, .5)
			hidden(bad, bad, 1)
		}
	}
	for _, u := range []uint64{0x7fffffffffffffff, 0xffffffffffffffff, 0x7ff8000000000001, 0x7fffffffe0000000, 0x7ff0000000000000} {
		hidden(finite, Vector{bytes.Repeat(put16(0x4000), 32), BF16}, math.Float64frombits(u))
	}
}

package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// sum is the fused weighted sum of any number of models into 1, 2 or 4 outputs of the same format. All
// of it happens in registers: sums stay there while the models are read one after the other.
//
// BF16 is taken apart without shuffles: of each 32 bits the even element is shifted up and the odd one
// masked, and sums lie in that order until they are put together again.
func sum(f format, base bool, outputs int) {
	registers := 2 // of 8 elements
	if outputs == 1 {
		registers = 4
	}
	block := 8 * registers

	name := fmt.Sprintf("sum%sx%d", f, outputs)
	formula := "outs[k] = sum_i w[i][k]*models[i]"
	signature := "func(outs, models **byte, weights *float32, count, off, n int) uint32"
	if base {
		name = fmt.Sprintf("tasks%sx%d", f, outputs)
		formula = "outs[k] = base + sum_i w[i][k]*(models[i]-base)"
		signature = "func(outs, models **byte, base *byte, weights *float32, count, off, n int) uint32"
	}
	text(name, signature,
		fmt.Sprintf("%s sets %s, for outputs 0 to %d in %s,", name, formula, outputs-1, f),
		fmt.Sprintf("on n elements (a multiple of %d) from byte off on. Each weight is given 8 times over;", block),
		"count > 0 is the number of models, and no weight is NaN. It returns the largest magnitude of the sums",
		"as bits of a float32: before rounding, for BF16 after it. Where that is not finite in the format,",
		"the elements written are unspecified.")

	outs := Load(Param("outs"), GP64())
	models := Load(Param("models"), GP64())
	var theta Register
	if base {
		theta = Load(Param("base"), GP64())
	}
	weights := Load(Param("weights"), GP64())
	count := Load(Param("count"), GP64())
	off := Load(Param("off"), GP64())
	n := Load(Param("n"), GP64())
	most := newMost()

	loop(n, block, func() {
		var bases []VecVirtual
		if base {
			bases = ymms(registers)
			load(f, theta, off, bases)
		}
		sums := make([][]VecVirtual, outputs)
		for k := range sums {
			sums[k] = ymms(registers)
			for _, s := range sums[k] {
				VXORPS(s, s, s)
			}
		}

		i, w := GP64(), GP64()
		XORQ(i, i)
		MOVQ(weights, w)
		Label("model")
		model := GP64()
		MOVQ(Mem{Base: models, Index: i, Scale: 8}, model)
		deltas := ymms(registers)
		load(f, model, off, deltas)
		if base {
			for r := range deltas {
				VSUBPS(bases[r], deltas[r], deltas[r])
			}
		}
		for k := range sums {
			for r, s := range sums[k] {
				product := YMM()
				VMULPS(Mem{Base: w, Disp: 32 * k}, deltas[r], product)
				VADDPS(product, s, s)
			}
		}
		ADDQ(U32(32*outputs), w)
		INCQ(i)
		CMPQ(i, count)
		JNE(LabelRef("model"))

		for k, s := range sums {
			if base {
				for r := range s {
					VADDPS(bases[r], s[r], s[r])
				}
			}
			out := GP64()
			MOVQ(Mem{Base: outs, Disp: 8 * k}, out)
			store(f, s, out, off, most)
		}
		ADDQ(U32(block*f.size()), off)
	})
	if f == bf16 {
		most.widen()
	}
	most.ret()
}

// load decodes elements at p+off into registers, BF16 in the order even, odd.
func load(f format, p, off Register, into []VecVirtual) {
	at := Mem{Base: p, Index: off, Scale: 1}
	switch f {
	case bf16:
		for j := 0; j < len(into); j += 2 {
			even, odd := into[j], into[j+1]
			VMOVDQU(at.Offset(16*j), odd)
			VPSLLD(U8(16), odd, even)
			VPAND(upper, odd, odd)
		}
	case f16:
		for j, r := range into {
			VCVTPH2PS(at.Offset(16*j), r)
		}
	case f32:
		for j, r := range into {
			VMOVUPS(at.Offset(32*j), r)
		}
	}
}

// store encodes registers, in load's order, to p+off.
func store(f format, from []VecVirtual, p, off Register, most most) {
	at := Mem{Base: p, Index: off, Scale: 1}
	if f != bf16 {
		for _, r := range from {
			most.see(r, YMM())
		}
	}
	switch f {
	case bf16:
		// Looked at after rounding, two elements at a time: the NaN of a sum has zeros in its lower half,
		// as those of its operands and the processor's own have, so that rounding does not carry it away.
		for j := 0; j < len(from); j += 2 {
			even, odd := from[j], from[j+1]
			roundBF16(even, YMM())
			roundBF16(odd, YMM())
			VPSRLD(U8(16), even, even)
			VPBLENDW(U8(0xaa), odd, even, even)
			most.seeWords(even, odd)
			VMOVDQU(even, at.Offset(16*j))
		}
	case f16:
		for j, r := range from {
			VCVTPS2PH(U8(0), r, at.Offset(16*j))
		}
	case f32:
		for j, r := range from {
			VMOVUPS(r, at.Offset(32*j))
		}
	}
}

package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// decode turns elements of a format into float32, in order.
func decode(f format) {
	const block = 16
	name := "decode" + f.String()
	text(name, "func(dst *float32, src *byte, n int) uint32",
		fmt.Sprintf("%s is decodeGeneric for n elements, a multiple of %d.", name, block))
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	n := Load(Param("n"), GP64())
	most := newMost()
	loop(n, block, func() {
		for j, r := range ymms(2) {
			at := Mem{Base: src, Disp: 8 * f.size() * j}
			switch f {
			case bf16:
				VPMOVZXWD(at, r)
				VPSLLD(U8(16), r, r)
			case f16:
				VCVTPH2PS(at, r)
			case f32:
				VMOVUPS(at, r)
			}
			most.see(r, YMM())
			VMOVUPS(r, Mem{Base: dst, Disp: 32 * j})
		}
		ADDQ(U32(block*f.size()), src)
		ADDQ(U32(4*block), dst)
	})
	most.ret()
}

// encode rounds float32 to a format, in order, keeping NaN quiet.
func encode(f format) {
	const block = 16
	name := "encode" + f.String()
	text(name, "func(dst *byte, src *float32, n int) uint32",
		fmt.Sprintf("%s is encodeGeneric for n elements, a multiple of %d.", name, block))
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	n := Load(Param("n"), GP64())
	most := newMost()
	loop(n, block, func() {
		r := ymms(2)
		for j, x := range r {
			VMOVUPS(Mem{Base: src, Disp: 32 * j}, x)
			most.see(x, YMM())
			switch f {
			case bf16:
				isNaN, nan := YMM(), YMM()
				VCMPPS(U8(3), x, x, isNaN)
				VPSRLD(U8(16), x, nan)
				VPOR(quiet, nan, nan)
				roundBF16(x, YMM())
				VPSRLD(U8(16), x, x)
				VBLENDVPS(isNaN, nan, x, x)
			case f16:
				VCVTPS2PH(U8(0), x, Mem{Base: dst, Disp: 16 * j})
			case f32:
				VMOVUPS(x, Mem{Base: dst, Disp: 32 * j})
			}
		}
		if f == bf16 { // words of both registers, a lane of each in turn, put in order
			VPACKUSDW(r[1], r[0], r[0])
			VPERMQ(U8(0xd8), r[0], r[0])
			VMOVDQU(r[0], Mem{Base: dst})
		}
		ADDQ(U32(4*block), src)
		ADDQ(U32(block*f.size()), dst)
	})
	most.ret()
}

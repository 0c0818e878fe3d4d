package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// arithmetic writes the steps on decoded numbers.
func arithmetic() {
	binary("subAVX2", "subGeneric", func(a Mem, b, r VecVirtual) {
		VMOVUPS(a, r)
		VSUBPS(b, r, r)
	})
	binary("addAVX2", "addGeneric", func(a Mem, b, r VecVirtual) { VADDPS(a, b, r) })

	const block = 16
	text("axpyAVX2", "func(dst, x *float32, w float32, n int)",
		"axpyAVX2 is axpyGeneric for n elements, a multiple of 16.")
	dst, x := Load(Param("dst"), GP64()), Load(Param("x"), GP64())
	w := YMM()
	factor, err := Param("w").Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(factor.Addr, w)
	n := Load(Param("n"), GP64())
	loop(n, block, func() {
		for j, r := range ymms(2) {
			VMULPS(Mem{Base: x, Disp: 32 * j}, w, r)
			VADDPS(Mem{Base: dst, Disp: 32 * j}, r, r)
			VMOVUPS(r, Mem{Base: dst, Disp: 32 * j})
		}
		ADDQ(U32(4*block), x)
		ADDQ(U32(4*block), dst)
	})
	VZEROUPPER()
	RET()
}

func binary(name, generic string, step func(a Mem, b, r VecVirtual)) {
	const block = 16
	text(name, "func(dst, a, b *float32, n int)", name+" is "+generic+" for n elements, a multiple of 16.")
	dst, a, b := Load(Param("dst"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64())
	n := Load(Param("n"), GP64())
	loop(n, block, func() {
		for j, r := range ymms(2) {
			y := YMM()
			VMOVUPS(Mem{Base: b, Disp: 32 * j}, y)
			step(Mem{Base: a, Disp: 32 * j}, y, r)
			VMOVUPS(r, Mem{Base: dst, Disp: 32 * j})
		}
		ADDQ(U32(4*block), a)
		ADDQ(U32(4*block), b)
		ADDQ(U32(4*block), dst)
	})
	VZEROUPPER()
	RET()
}

package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// reduce writes the sums over a chunk: 16 lanes of float64 in four registers.
func reduce() {
	sums("dotAVX2", "func(lanes *float64, a, b *float32, n int)", "dotGeneric", true)
	sums("totalAVX2", "func(lanes *float64, a *float32, n int)", "totalGeneric", false)
}

func sums(name, signature, generic string, product bool) {
	const block = 16
	text(name, signature, name+" is "+generic+" for n elements, a multiple of 16.")
	lanes, a := Load(Param("lanes"), GP64()), Load(Param("a"), GP64())
	var b Register
	if product {
		b = Load(Param("b"), GP64())
	}
	n := Load(Param("n"), GP64())
	acc := ymms(4)
	for j, s := range acc {
		VMOVUPD(Mem{Base: lanes, Disp: 32 * j}, s)
	}
	loop(n, block, func() {
		for j, s := range acc {
			x := YMM()
			VCVTPS2PD(Mem{Base: a, Disp: 16 * j}, x)
			if product {
				y := YMM()
				VCVTPS2PD(Mem{Base: b, Disp: 16 * j}, y)
				VMULPD(y, x, x)
			}
			VADDPD(x, s, s)
		}
		ADDQ(U32(4*block), a)
		if product {
			ADDQ(U32(4*block), b)
		}
	})
	for j, s := range acc {
		VMOVUPD(s, Mem{Base: lanes, Disp: 32 * j})
	}
	VZEROUPPER()
	RET()
}

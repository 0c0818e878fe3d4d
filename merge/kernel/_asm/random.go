package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// random writes Philox4x32-7 for 8 counters at a time. Each of the four words of a counter's state has
// a 64-bit lane; only its lower half counts, so that products need no masking.
func random() {
	m0, m1 := quads("philoxM0", 0xd2511f53), quads("philoxM1", 0xcd9e8d57)
	step := quads("four", 4)
	first := GLOBL("first", RODATA|NOPTR)
	for i := range 4 {
		DATA(8*i, U64(uint64(i)))
	}

	const groups = 2 // of 4 counters
	const block = 16 * groups
	text("philoxAVX2", "func(dst *uint32, n int, counter uint64, high *uint32, keys *uint32)",
		"philoxAVX2 is wordsGeneric for n words, a multiple of 32, from a counter on. keys are the two keys of",
		"each round, each 8 times over.")
	dst, n := Load(Param("dst"), GP64()), Load(Param("n"), GP64())
	high, keys := Load(Param("high"), GP64()), Load(Param("keys"), GP64())
	counter := YMM()
	start, err := Param("counter").Resolve()
	if err != nil {
		panic(err)
	}
	VPBROADCASTQ(start.Addr, counter)
	VPADDQ(first, counter, counter)

	loop(n, block, func() {
		c := make([][]VecVirtual, groups)
		for g := range c {
			c[g] = ymms(4)
			VMOVDQU(counter, c[g][0])
			VPSRLQ(U8(32), counter, c[g][1])
			VPBROADCASTD(Mem{Base: high}, c[g][2])
			VPBROADCASTD(Mem{Base: high, Disp: 4}, c[g][3])
			VPADDQ(step, counter, counter)
		}
		for round := range 7 {
			for _, c := range c {
				p0, p1 := YMM(), YMM()
				VPMULUDQ(m0, c[0], p0)
				VPMULUDQ(m1, c[2], p1)
				VPXOR(Mem{Base: keys, Disp: 64 * round}, c[1], c[1])
				VPXOR(Mem{Base: keys, Disp: 64*round + 32}, c[3], c[3])
				VPSRLQ(U8(32), p1, c[0])
				VPXOR(c[1], c[0], c[0])
				VPSRLQ(U8(32), p0, c[2])
				VPXOR(c[3], c[2], c[2])
				c[1], c[3] = p1, p0
			}
		}
		for g, c := range c { // from four words a lane to four lanes' words in a row
			for _, pair := range [][2]int{{0, 1}, {2, 3}} {
				VPSLLQ(U8(32), c[pair[1]], c[pair[1]])
				VPBLENDD(U8(0xaa), c[pair[1]], c[pair[0]], c[pair[0]])
			}
			even, odd := YMM(), YMM()
			VPUNPCKLQDQ(c[2], c[0], even) // counters 0 and 2
			VPUNPCKHQDQ(c[2], c[0], odd)  // counters 1 and 3
			VPERM2I128(U8(0x20), odd, even, c[0])
			VPERM2I128(U8(0x31), odd, even, c[2])
			VMOVDQU(c[0], Mem{Base: dst, Disp: 64 * g})
			VMOVDQU(c[2], Mem{Base: dst, Disp: 64*g + 32})
		}
		ADDQ(U32(4*block), dst)
	})
	VZEROUPPER()
	RET()
}

func quads(name string, value uint64) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i := range 4 {
		DATA(8*i, U64(value))
	}
	return m
}

// keep writes the step of DARE that applies a mask.
func keep() {
	const block = 16
	text("keepAVX2", "func(x *float32, words *uint32, last uint32, divisor float32, n int)",
		"keepAVX2 is keepGeneric for n elements, a multiple of 16.")
	x, words := Load(Param("x"), GP64()), Load(Param("words"), GP64())
	limit, divisor := YMM(), YMM()
	last := Load(Param("last"), GP32())
	VMOVD(last, limit.AsX())
	VPBROADCASTD(limit.AsX(), limit)
	by, err := Param("divisor").Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(by.Addr, divisor)
	n := Load(Param("n"), GP64())
	loop(n, block, func() {
		for j, mask := range ymms(2) {
			w := YMM()
			VMOVDQU(Mem{Base: words, Disp: 32 * j}, w)
			VPMINUD(limit, w, mask)
			VPCMPEQD(w, mask, mask)
			quotient := YMM()
			VMOVUPS(Mem{Base: x, Disp: 32 * j}, quotient)
			VDIVPS(divisor, quotient, quotient)
			VANDPS(mask, quotient, quotient)
			VMOVUPS(quotient, Mem{Base: x, Disp: 32 * j})
		}
		ADDQ(U32(4*block), x)
		ADDQ(U32(4*block), words)
	})
	VZEROUPPER()
	RET()
}

package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// ties writes what TIES merging needs: picking magnitudes by their upper bits, trimming, electing signs.
func ties() {
	pick()
	trim()
	elect("electAVX2", false)
	elect("electMeanAVX2", true)
}

// broadcast loads a 32-bit parameter into every lane.
func broadcast(param string) VecVirtual {
	r, y := Load(Param(param), GP32()), YMM()
	VMOVD(r, y.AsX())
	VPBROADCASTD(y.AsX(), y)
	return y
}

func pick() {
	const block = 8
	text("pickAVX2", "func(dst *uint32, x *float32, below, last uint32, order *uint32, n int) (picked, above int)",
		"pickAVX2 writes the magnitudes of x, as bits, that are greater than below and not greater than last,",
		"and returns how many there are, and how many are greater than last, for n elements, a multiple of 8.",
		"It writes up to 8 words more than that. order has, for each of 256 sets of lanes, the lanes in the",
		"set in the order in which they are packed.")
	dst, x := Load(Param("dst"), GP64()), Load(Param("x"), GP64())
	below, last := broadcast("below"), broadcast("last")
	order, n := Load(Param("order"), GP64()), Load(Param("n"), GP64())
	count := GP64()
	XORQ(count, count)
	above := YMM()
	VPXOR(above, above, above)
	loop(n, block, func() {
		u, hit, beyond := YMM(), YMM(), YMM()
		VPAND(magnitude, load8(x), u)
		VPCMPGTD(below, u, hit) // as signed: all are below 2³¹
		VPCMPGTD(last, u, beyond)
		VPSUBD(beyond, above, above)
		VPANDN(hit, beyond, hit)
		set := GP32()
		VMOVMSKPS(hit, set)
		number := GP32()
		POPCNTL(set, number)
		SHLL(U8(5), set)
		lanes := YMM()
		VMOVDQU(Mem{Base: order, Index: set.As64(), Scale: 1}, lanes)
		VPERMD(u, lanes, u)
		VMOVDQU(u, Mem{Base: dst, Index: count, Scale: 4})
		ADDQ(number.As64(), count)
		ADDQ(U32(4*block), x)
	})
	Store(count, ReturnIndex(0))
	retSum(above, 1)
}

// retSum returns the sum of the lanes of counts.
func retSum(counts VecVirtual, index int) {
	low, high := counts.AsX(), XMM()
	VEXTRACTI128(U8(1), counts, high)
	VPADDD(high, low, low)
	VPSHUFD(U8(0x4e), low, high)
	VPADDD(high, low, low)
	VPSHUFD(U8(0xb1), low, high)
	VPADDD(high, low, low)
	VZEROUPPER()
	count := GP32()
	VMOVD(low, count)
	Store(count.As64(), ReturnIndex(index))
	RET()
}

func load8(p Register) VecVirtual {
	r := YMM()
	VMOVDQU(Mem{Base: p}, r)
	return r
}

func trim() {
	const block = 8
	text("trimAVX2", "func(x *float32, least uint32, n int) int",
		"trimAVX2 sets to +0 what has a magnitude with bits below least, and returns how many have exactly",
		"those bits, for n elements, a multiple of 8.")
	x := Load(Param("x"), GP64())
	least := broadcast("least")
	n := Load(Param("n"), GP64())
	equal := YMM()
	VPXOR(equal, equal, equal)
	loop(n, block, func() {
		v, u, same := load8(x), YMM(), YMM()
		VPAND(magnitude, v, u)
		VPCMPEQD(least, u, same)
		VPSUBD(same, equal, equal)
		VPCMPGTD(u, least, u) // as signed: both are below 2³¹
		VPANDN(v, u, v)
		VMOVDQU(v, Mem{Base: x})
		ADDQ(U32(4*block), x)
	})
	retSum(equal, 0)
}

// elect goes over the models twice for each 16 elements: for the sign, and for the sum that agrees.
func elect(name string, mean bool) {
	const registers = 2
	signature := "func(dst *float32, xs **float32, weights *float32, count, off, n int)"
	formula := name + " is electGeneric without parts"
	if mean {
		signature = "func(dst *float32, xs **float32, weights, parts *float32, count, off, n int)"
		formula = name + " is electGeneric with parts"
	}
	text(name, signature, formula+" for n elements, a multiple of 16, from byte off on. Weights",
		"and parts are given 8 times over.")
	dst, xs := Load(Param("dst"), GP64()), Load(Param("xs"), GP64())
	weights := Load(Param("weights"), GP64())
	var parts Register
	if mean {
		parts = Load(Param("parts"), GP64())
	}
	count, off, n := Load(Param("count"), GP64()), Load(Param("off"), GP64()), Load(Param("n"), GP64())
	zero := YMM()
	VXORPS(zero, zero, zero)
	var sign, tiny, unit Mem
	sign = lanes(name+"Sign", 0x80000000)
	if mean {
		tiny, unit = lanes("tiny", 0x322bcc77), lanes("unit", 0x3f800000) // 1e-8 and 1
	}

	loop(n, 8*registers, func() {
		i := GP64()
		each := func(label string, body func(x Mem, weight, part Mem, r int)) {
			shift := GP64()
			XORQ(i, i)
			XORQ(shift, shift)
			Label(label)
			p := GP64()
			MOVQ(Mem{Base: xs, Index: i, Scale: 8}, p)
			for r := range registers {
				weight := Mem{Base: weights, Index: shift, Scale: 1}
				part := Mem{}
				if mean {
					part = Mem{Base: parts, Index: shift, Scale: 1}
				}
				body(Mem{Base: p, Index: off, Scale: 1, Disp: 32 * r}, weight, part, r)
			}
			ADDQ(U8(32), shift)
			INCQ(i)
			CMPQ(i, count)
			JNE(LabelRef(label))
		}
		elected := ymms(registers)
		for _, e := range elected {
			VXORPS(e, e, e)
		}
		each("elect", func(x, weight, _ Mem, r int) {
			product := YMM()
			VMOVUPS(x, product)
			VMULPS(weight, product, product)
			VADDPS(product, elected[r], elected[r])
		})
		sums, shares := ymms(registers), ymms(registers)
		for r, e := range elected {
			VCMPPS(U8(1), zero, e, e) // elected < 0
			VANDPS(sign, e, e)
			VXORPS(sums[r], sums[r], sums[r])
			if mean {
				VXORPS(shares[r], shares[r], shares[r])
			}
		}
		each("agree", func(x, weight, part Mem, r int) {
			v, product, mask := YMM(), YMM(), YMM()
			VMOVUPS(x, v)
			VMULPS(weight, v, product)
			VXORPS(elected[r], product, mask)
			VPSRAD(U8(31), mask, mask) // those that disagree
			VCMPPS(U8(4), zero, v, v)  // those that are not 0
			VANDNPS(v, mask, mask)
			VANDPS(mask, product, product)
			VADDPS(product, sums[r], sums[r])
			if mean {
				VANDPS(part, mask, mask)
				VADDPS(mask, shares[r], shares[r])
			}
		})
		for r, s := range sums {
			if mean {
				size := YMM()
				VANDPS(magnitude, shares[r], size)
				VCMPPS(U8(1), tiny, size, size)
				one := YMM()
				VMOVUPS(unit, one)
				VBLENDVPS(size, one, shares[r], shares[r])
				VDIVPS(shares[r], s, s)
			}
			VMOVUPS(s, Mem{Base: dst, Index: off, Scale: 1, Disp: 32 * r})
		}
		ADDQ(U32(32*registers), off)
	})
	VZEROUPPER()
	RET()
}

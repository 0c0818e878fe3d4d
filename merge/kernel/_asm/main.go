// Command asm writes the assembly of package kernel for amd64 with AVX2 and F16C.
//
// Run it with `go generate` in merge/kernel. Every routine works on a whole number of blocks; what is
// left over is done in Go. None calls another or grows the stack.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("!purego")
	constants()
	for _, f := range []format{bf16, f16, f32} {
		for _, base := range []bool{true, false} {
			for _, outputs := range []int{1, 2, 4} {
				sum(f, base, outputs)
			}
		}
		decode(f)
		encode(f)
	}
	arithmetic()
	reduce()
	random()
	keep()
	ties()
	Generate()
}

// format of elements in memory.
type format int

const (
	bf16 format = iota
	f16
	f32
)

func (f format) String() string { return [...]string{"BF16", "F16", "F32"}[f] }

func (f format) size() int { return [...]int{2, 2, 4}[f] }

// Constants of eight equal lanes.
var magnitude, magnitude16, one, half, upper, quiet Mem

func constants() {
	magnitude = lanes("magnitude", 0x7fffffff)
	magnitude16 = lanes("magnitude16", 0x7fff7fff)
	one = lanes("one", 1)
	half = lanes("half", 0x7fff)
	upper = lanes("upper", 0xffff0000)
	quiet = lanes("quiet", 0x40)
}

func lanes(name string, value uint32) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(value))
	}
	return m
}

func ymms(n int) []VecVirtual {
	r := make([]VecVirtual, n)
	for i := range r {
		r[i] = YMM()
	}
	return r
}

// most keeps the largest magnitude of what it is shown, as bits.
type most struct{ max VecVirtual }

func newMost() most {
	m := most{YMM()}
	VPXOR(m.max, m.max, m.max)
	return m
}

func (m most) see(x, scratch VecVirtual) {
	VPAND(magnitude, x, scratch)
	VPMAXUD(scratch, m.max, m.max)
}

// seeWords is see for 16 BF16.
func (m most) seeWords(x, scratch VecVirtual) {
	VPAND(magnitude16, x, scratch)
	VPMAXUW(scratch, m.max, m.max)
}

// widen turns the words of seeWords into what see keeps.
func (m most) widen() {
	even := YMM()
	VPSLLD(U8(16), m.max, even)
	VPAND(upper, m.max, m.max)
	VPMAXUD(even, m.max, m.max)
}

// ret returns the largest of the lanes.
func (m most) ret() {
	x, y := m.max.AsX(), XMM()
	VEXTRACTI128(U8(1), m.max, y)
	VPMAXUD(y, x, x)
	VPSHUFD(U8(0x4e), x, y)
	VPMAXUD(y, x, x)
	VPSHUFD(U8(0xb1), x, y)
	VPMAXUD(y, x, x)
	VZEROUPPER()
	result := GP32()
	VMOVD(x, result)
	Store(result, ReturnIndex(0))
	RET()
}

// text begins a routine.
func text(name, signature string, doc ...string) {
	TEXT(name, NOSPLIT, signature)
	Doc(doc...)
	Pragma("noescape")
}

// roundBF16 adds what makes cutting the lower half of x a rounding to nearest, ties to even.
func roundBF16(x, scratch VecVirtual) {
	VPSRLD(U8(16), x, scratch)
	VPAND(one, scratch, scratch)
	VPADDD(half, x, x)
	VPADDD(scratch, x, x)
}

// loop runs body n/block times, n in elements.
func loop(n Register, block int, body func()) {
	again, done := "loop", "done"
	SHRQ(U8(log2(block)), n)
	JZ(LabelRef(done))
	Label(again)
	body()
	DECQ(n)
	JNZ(LabelRef(again))
	Label(done)
}

func log2(n int) uint8 {
	for b := range uint8(64) {
		if 1<<b == n {
			return b
		}
	}
	panic(fmt.Sprint(n, " is no power of two"))
}

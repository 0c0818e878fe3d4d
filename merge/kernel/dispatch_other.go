//go:build !amd64 || purego

package kernel

// Implementation names what does the arithmetic on this machine: "avx2" or "generic".
func Implementation() string { return "generic" }

func decode(dst []float32, src []byte, f Format) uint32 { return decodeGeneric(dst, src, f) }

func encode(dst []byte, src []float32, f Format) uint32 { return encodeGeneric(dst, src, f) }

func sub(dst, a, b []float32) { subGeneric(dst, a, b) }

func add(dst, a, b []float32) { addGeneric(dst, a, b) }

func axpy(dst []float32, w float32, x []float32) { axpyGeneric(dst, w, x) }

// fusedSum is not made on this machine.
type fusedSum struct{}

func newFusedSum(*group) *fusedSum { return nil }

func (*fusedSum) run(lo, hi int) (done int) { return 0 }

func (r *Random) blocks(dst []uint32, block uint64) { r.wordsGeneric(dst, block) }

func keep(x []float32, words []uint32, last uint32, divisor float32) {
	keepGeneric(x, words, last, divisor)
}

func dot(*[sumLanes]float64, []float32, []float32) int { return 0 }

func total(*[sumLanes]float64, []float32) int { return 0 }

func trim(x []float32, least uint32) int64 { return trimGeneric(x, least) }

func elect(dst []float32, xs [][]float32, weights, parts []float32) {
	electGeneric(dst, xs, weights, parts, 0)
}

func pick(dst []uint32, x []float32, low, high uint32) (picked int, above int64) {
	return pickGeneric(dst, x, low, high)
}

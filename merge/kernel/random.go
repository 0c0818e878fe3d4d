package kernel

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"math/bits"
)

// Random is an endless row of random 32-bit words, of which any part can be had at once: the same words
// whatever the order, the chunks or the number of goroutines. It is Philox4x32-7 (Salmon, Moraes, Dror
// and Shaw, Parallel random numbers: as easy as 1, 2, 3, SC 2011), a counter-based generator, with the
// fewest rounds that pass all of BigCrush: three more would be a tenth of the time of a DARE merge.
//
// The key and half of the counter come from SHA-256, so that rows with other names are unrelated: of
// the seed in 8 bytes, then each name preceded by its length in 8 bytes, little-endian; the digest's
// first two 32-bit words are the key, the next two the upper half of the counter. The lower half is the
// index divided by 4, and word index mod 4 of the block is the word.
type Random struct {
	key  [2]uint32
	high [2]uint32
	keys [philoxRounds][2][8]uint32 // round keys, each 8 times over
}

const (
	philoxRounds = 7
	philoxM0     = 0xd2511f53
	philoxM1     = 0xcd9e8d57
	philoxW0     = 0x9e3779b9
	philoxW1     = 0xbb67ae85
)

// NewRandom makes the row of a seed and names.
func NewRandom(seed uint64, names ...string) *Random {
	b := binary.LittleEndian.AppendUint64(nil, seed)
	for _, name := range names {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(name)))
		b = append(b, name...)
	}
	sum := sha256.Sum256(b)
	var w [4]uint32
	for i := range w {
		w[i] = binary.LittleEndian.Uint32(sum[4*i:])
	}
	return newRandom([2]uint32{w[0], w[1]}, [2]uint32{w[2], w[3]})
}

func newRandom(key, high [2]uint32) *Random {
	r := &Random{key: key, high: high}
	for i := range r.keys {
		for lane := range 8 {
			r.keys[i][0][lane], r.keys[i][1][lane] = key[0], key[1]
		}
		key[0] += philoxW0
		key[1] += philoxW1
	}
	return r
}

// Words sets dst to the words from index start on.
func (r *Random) Words(dst []uint32, start int64) {
	for start%4 != 0 && len(dst) > 0 {
		block := r.block(uint64(start) / 4)
		n := copy(dst, block[start%4:])
		dst, start = dst[n:], start+int64(n)
	}
	r.blocks(dst, uint64(start)/4)
}

// wordsGeneric sets dst to the words of whole blocks from block on, and part of a last one.
func (r *Random) wordsGeneric(dst []uint32, block uint64) {
	for len(dst) > 0 {
		b := r.block(block)
		dst = dst[copy(dst, b[:]):]
		block++
	}
}

// block is Philox4x32-7 of one counter.
func (r *Random) block(n uint64) [4]uint32 {
	c0, c1, c2, c3 := uint32(n), uint32(n>>32), r.high[0], r.high[1]
	k0, k1 := r.key[0], r.key[1]
	for range philoxRounds {
		hi0, lo0 := bits.Mul32(philoxM0, c0)
		hi1, lo1 := bits.Mul32(philoxM1, c2)
		c0, c1, c2, c3 = hi1^c1^k0, lo1, hi0^c3^k1, lo0
		k0 += philoxW0
		k1 += philoxW1
	}
	return [4]uint32{c0, c1, c2, c3}
}

// Threshold is t such that word < t with probability p, for p from 0 to 1: the words below nest as p
// grows. A word w stands for the number w·2⁻³² and is below t exactly if that number is below p.
func Threshold(p float64) uint64 { return uint64(math.Ceil(p * (1 << 32))) }

// Keep sets x[i] to x[i]/p, rounded, where words[i] is below the threshold of p, and to +0 elsewhere.
func Keep(x []float32, words []uint32, p float64) {
	t, divisor := Threshold(p), float32(p)
	if t == 0 {
		clear(x)
		return
	}
	keep(x, words[:len(x)], uint32(t-1), divisor)
}

// keepGeneric keeps where words[i] <= last.
func keepGeneric(x []float32, words []uint32, last uint32, divisor float32) {
	for i, w := range words {
		if w <= last {
			x[i] /= divisor
		} else {
			x[i] = 0
		}
	}
}

package kernel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// ratio runs work and copying of the given inputs in turn and reports the fastest of each, and how many
// times longer the work took: the figure that says what the arithmetic costs beside the disk.
func ratio(b *testing.B, inputs [][]byte, work func()) {
	b.Helper()
	bytes := 0
	var sinks [][]byte
	for _, in := range inputs {
		bytes += len(in)
		sinks = append(sinks, make([]byte, len(in)))
	}
	copying, working := time.Duration(1<<62), time.Duration(1<<62)
	b.SetBytes(int64(bytes))
	for b.Loop() {
		start := time.Now()
		for i, in := range inputs {
			copy(sinks[i], in)
		}
		middle := time.Now()
		work()
		copying, working = min(copying, middle.Sub(start)), min(working, time.Since(middle))
	}
	b.ReportMetric(float64(working)/float64(copying), "times-copy")
	b.ReportMetric(float64(bytes)/working.Seconds()/1e9, "GB/s-in")
	b.ReportMetric(0, "ns/op")
}

func randomVector(r *rand.Rand, n int, f Format) Vector {
	xs := make([]float32, n)
	for i := range xs {
		xs[i] = float32(r.NormFloat64() * 0.02)
	}
	return vectorOf(xs, f)
}

// BenchmarkTaskArithmetic: chunks as the executor reads them, and a run far beyond the caches.
func BenchmarkTaskArithmetic(b *testing.B) {
	for _, c := range []struct {
		format          Format
		models, outputs int
		kib             int
		out             Format // as format if 0
	}{
		{BF16, 2, 1, 256, 0},
		{BF16, 2, 1, 1024, 0},
		{BF16, 2, 1, 65536, 0},
		{BF16, 1, 1, 256, 0},
		{BF16, 3, 1, 256, 0},
		{BF16, 8, 1, 256, 0},
		{BF16, 2, 2, 256, 0},
		{BF16, 2, 4, 256, 0},
		{BF16, 2, 16, 256, 0},
		{F16, 2, 1, 256, 0},
		{F16, 2, 4, 256, 0},
		{F32, 2, 1, 256, 0},
		{F32, 2, 4, 256, 0},
		{F64, 2, 1, 256, 0},
		{F32, 2, 1, 256, BF16},
		{BF16, 2, 1, 256, F32},
	} {
		out := c.format
		if c.out != 0 {
			out = c.out
		}
		b.Run(fmt.Sprintf("%v-%v/models=%d/outputs=%d/KiB=%d", c.format, out, c.models, c.outputs, c.kib), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			n := c.kib << 10 / c.format.Size()
			base := randomVector(r, n, c.format)
			inputs := [][]byte{base.Data}
			var models []Vector
			for range c.models {
				m := randomVector(r, n, c.format)
				models, inputs = append(models, m), append(inputs, m.Data)
			}
			outs, _ := outputsOf(r, c.outputs, c.models, n, func() Format { return out })
			for k := range outs {
				for i := range outs[k].Weights {
					outs[k].Weights[i] = .1 + r.Float64()
				}
			}
			ratio(b, inputs, func() { TaskArithmetic(outs, base, models) })
		})
	}
}

// BenchmarkConvert: the steps of methods that are no weighted sums.
func BenchmarkConvert(b *testing.B) {
	const n = 128 << 10
	r := rand.New(rand.NewPCG(1, 1))
	xs, ys := make([]float32, n), make([]float32, n)
	for _, f := range []Format{BF16, F16, F32} {
		v := randomVector(r, n, f)
		b.Run(fmt.Sprintf("%v/decode", f), func(b *testing.B) { ratio(b, [][]byte{v.Data}, func() { Decode(xs, v) }) })
		b.Run(fmt.Sprintf("%v/encode", f), func(b *testing.B) { ratio(b, [][]byte{v.Data}, func() { Encode(v, xs) }) })
		b.Run(fmt.Sprintf("%v/finite", f), func(b *testing.B) { ratio(b, [][]byte{v.Data}, func() { FirstNonFinite(v) }) })
	}
	raw := put32(xs)
	b.Run("F32/axpy", func(b *testing.B) { ratio(b, [][]byte{raw}, func() { Axpy(ys, .5, xs) }) })
	b.Run("F32/sub", func(b *testing.B) { ratio(b, [][]byte{raw}, func() { Sub(ys, ys, xs) }) })
}

// BenchmarkScan: what methods with statistics and masks need, beside a copy of the same float32.
func BenchmarkScan(b *testing.B) {
	const n = 128 << 10
	r := rand.New(rand.NewPCG(1, 1))
	base := randomVector(r, n, F32)
	xs, ys, words := make([]float32, n), make([]float32, n), make([]uint32, n)
	deltas := make([]float32, n) // of models in BF16: many are 0, many are equal
	Decode(xs, base)
	for i, x := range xs {
		two := vectorOf([]float32{x, x + float32(r.NormFloat64()*0.0003)}, BF16)
		deltas[i] = float32(two.At(1) - two.At(0))
	}
	in := [][]byte{base.Data}
	first := NewHistogram(F32)
	first.Count(deltas)
	digit, _ := first.Find(n / 5)
	second := first.Child(digit)
	digitOf, trimmed := uint32(second.Bits(0)), slices.Clone(deltas)
	row := NewRandom(1, "model", "tensor")
	for _, c := range []struct {
		name string
		work func()
	}{
		{"histogram/first", func() { first.Count(xs) }},
		{"histogram/first/deltas", func() { first.Count(deltas) }},
		{"histogram/second", func() { second.Count(deltas) }},
		{"random/words", func() { row.Words(words, 0) }},
		{"random/keep", func() { Keep(ys, words, .5) }},
		{"ties/trim", func() { Trim(trimmed, digitOf, 5) }},
		{"ties/elect", func() { Elect(ys, [][]float32{trimmed, deltas}, []float32{.5, .6}, nil) }},
		{"ties/elect/mean", func() { Elect(ys, [][]float32{trimmed, deltas}, []float32{.5, .6}, []float32{.5, .6}) }},
		{"dot", func() { Dot(xs, ys) }},
		{"sum", func() { Sum(xs) }},
	} {
		b.Run(c.name, func(b *testing.B) { ratio(b, in, c.work) })
	}
}

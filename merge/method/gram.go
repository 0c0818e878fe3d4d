package method

import (
	"math"

	"parfait/merge/kernel"
)

// gram is a Reducer that gathers the inner products of the operands of a tensor, ⟨xᵢ, xⱼ⟩, in float64:
// chunks by themselves, then summed in their order.
type gram struct {
	n      int // operands
	chunks [][]float64
	sums   []float64 // row-major, n×n, when finished
}

func newGram(t Tensor, n int) *gram {
	return &gram{n: n, chunks: make([][]float64, t.Chunks())}
}

func (g *gram) Reduce32(_ int, in Chunk[float32]) { g.add(in.Index, Products(in.Models)) }
func (g *gram) Reduce64(_ int, in Chunk[float64]) { g.add(in.Index, Products(in.Models)) }

// add is called by one goroutine for a chunk.
func (g *gram) add(chunk int, part []float64) {
	if g.chunks[chunk] == nil {
		g.chunks[chunk] = part
		return
	}
	for k, v := range part {
		g.chunks[chunk][k] += v
	}
}

// Products are the inner products of a part; those of models that are not there are zero.
func Products[F Float](x [][]F) []float64 {
	out := make([]float64, len(x)*len(x))
	for i := range x {
		for j := i; j < len(x); j++ {
			if x[i] != nil && x[j] != nil {
				out[i*len(x)+j] = Dot(x[i], x[j])
				out[j*len(x)+i] = out[i*len(x)+j]
			}
		}
	}
	return out
}

// Dot is an inner product in float64.
func Dot[F Float](a, b []F) float64 {
	if x, narrow := any(a).([]float32); narrow {
		return kernel.Dot(x, any(b).([]float32))
	}
	return kernel.Dot64(any(a).([]float64), any(b).([]float64))
}

func (g *gram) Finish(int) (bool, error) {
	g.sums = make([]float64, g.n*g.n)
	for _, c := range g.chunks {
		for k, v := range c {
			g.sums[k] += v
		}
	}
	g.chunks = nil
	return false, nil
}

func (g *gram) Stats() Stats { return g }

// cosine of operands i and j; 0 where a norm is 0.
func (g *gram) cosine(i, j int) float64 {
	norms := math.Sqrt(g.sums[i*g.n+i]) * math.Sqrt(g.sums[j*g.n+j])
	if norms == 0 {
		return 0
	}
	return min(max(g.sums[i*g.n+j]/norms, -1), 1)
}

package method

import (
	"math"
	"sync"

	"parfait/merge/kernel"
)

// Methods whose outputs are sums of their operands, weighted by what the operands' inner products say.

// combination gives the weight of each operand in an output's sum, from the Gram matrix of what is taken
// for one vector.
type combination func(s Setting, g *gram) []float64

// gram is the inner products of the operands of a vector, ⟨xᵢ, xⱼ⟩, in float64.
type gram struct {
	n    int       // operands
	sums []float64 // row-major, n×n
}

// cosine of operands i and j; 0 where a norm is 0.
func (g *gram) cosine(i, j int) float64 {
	norms := g.norm(i) * g.norm(j)
	if norms == 0 {
		return 0
	}
	return min(max(g.sums[i*g.n+j]/norms, -1), 1)
}

// norm of operand i.
func (g *gram) norm(i int) float64 { return math.Sqrt(g.sums[i*g.n+i]) }

// tensorGram is the Reducer of the inner products of whole tensors: chunks by themselves, then summed in
// their order.
type tensorGram struct {
	gram
	chunks chunkSums
	memo   sync.Map // an output: its weights
}

func newGram(s []Setting) *tensorGram { return &tensorGram{gram: gram{n: len(s[0].Names)}} }

func (g *tensorGram) Reduce32(_ int, in Chunk[float32]) {
	g.chunks.add(in.Tensor, in.Index, Products(in.Models))
}

func (g *tensorGram) Reduce64(_ int, in Chunk[float64]) {
	g.chunks.add(in.Tensor, in.Index, Products(in.Models))
}

func (g *tensorGram) Finish(int) (bool, error) {
	g.sums = g.chunks.total(g.n * g.n)
	return false, nil
}

func (g *tensorGram) Stats() Stats { return g }

// weights are worked out once an output.
func (g *tensorGram) weights(s Setting, of combination) []float64 {
	if w, ok := g.memo.Load(s.Output); ok {
		return w.([]float64)
	}
	w := of(s, &g.gram)
	g.memo.Store(s.Output, w)
	return w
}

// combine sums the operands of whole tensors, on the base where there is one.
func combine[F Float](dst []Tile[F], in Chunk[F], g *tensorGram, of combination) {
	for _, tile := range dst {
		sumOperands(tile.Out, in, g.weights(tile.Setting, of), 0, len(tile.Out))
	}
}

// combineRows is combine for every row by itself, in chunks that end where rows do. Rows that are longer
// than a chunk have their products in s.
func combineRows[F Float](dst []Tile[F], in Chunk[F], s Stats, of combination) {
	row := in.Tensor.Row()
	if long, ok := s.(*longRows); ok {
		combine(dst, in, long.rows[in.Start/row], of)
		return
	}
	g, x := gram{n: len(in.Models)}, make([][]F, len(in.Models))
	for lo := 0; lo < in.Len(); lo += int(row) {
		hi := lo + int(row)
		for i, m := range in.Models {
			if m != nil {
				x[i] = m[lo:hi]
			}
		}
		g.sums = Products(x)
		for _, tile := range dst {
			sumOperands(tile.Out, in, of(tile.Setting, &g), lo, hi)
		}
	}
}

// sumOperands is Σ wᵢxᵢ from lo to hi, on the base where the operands are differences from it.
func sumOperands[F Float](out []F, in Chunk[F], w []float64, lo, hi int) {
	sum := out[lo:hi]
	clear(sum)
	for i, v := range w {
		if F(v) != 0 {
			Axpy(sum, F(v), in.Models[i][lo:hi])
		}
	}
	if in.Deltas {
		Add(sum, in.Base[lo:hi], sum)
	}
}

// longRows is the Reducer of the inner products of rows that are longer than a chunk.
type longRows struct {
	row  int64
	rows []*tensorGram
}

// newRowGrams gives nil where every row is in one chunk.
func newRowGrams(t Tensor, outs []Setting) Reducer {
	if t.Row() <= ChunkElements {
		return nil
	}
	l := &longRows{row: t.Row(), rows: make([]*tensorGram, t.Len/t.Row())}
	for i := range l.rows {
		l.rows[i] = newGram(outs)
	}
	return l
}

func (l *longRows) Reduce32(pass int, in Chunk[float32]) { l.rows[in.Start/l.row].Reduce32(pass, in) }

func (l *longRows) Reduce64(pass int, in Chunk[float64]) { l.rows[in.Start/l.row].Reduce64(pass, in) }

func (l *longRows) Finish(pass int) (bool, error) {
	for _, g := range l.rows {
		if _, err := g.Finish(pass); err != nil {
			return false, err
		}
	}
	return false, nil
}

func (l *longRows) Stats() Stats { return l }

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

// The ways to take a tensor for vectors.
const (
	wholeTensor = "tensor"
	eachRow     = "rows"
	eachColumn  = "columns"
)

// vectors says what is taken for one vector.
func vectors(choices ...string) Param {
	return Param{Name: "vectors", Kind: Choice, Default: wholeTensor, Choices: choices, About: "what is taken for one vector: the whole tensor, or each of its rows (along the last axis)"}
}

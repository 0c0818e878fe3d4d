package method

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
)

func init() { Register(fisher{}) }

// fisher is the average weighted by each parameter's Fisher information (Matena and Raffel, Merging
// models with Fisher-weighted averaging, arXiv 2111.09832).
type fisher struct{}

// fisherFloor is what an entry is at least, as a share of the mean.
const fisherFloor = 1e-6

func (fisher) Info() Info {
	return Info{
		Name:    "fisher",
		About:   "averages models, each entry weighted by the model's diagonal Fisher information",
		Formula: "Σ cᵢFᵢθᵢ / Σ cᵢFᵢ",
		Paper:   "arXiv 2111.09832",
		Operand: Values,
		Models:  [2]int{1, 0},
		Domains: []Domain{Simplex},
		Least:   0.01,
		Params: []Param{{
			Name: "fisher", Kind: Paths, About: "for each model a safetensors file (or folder) with its diagonal Fisher information, F32 or F64, under the same names",
		}},
		Notes: []string{
			"each F is divided by its norm over the whole model, then floored at 1e-6 of its mean; computed in float64",
			"a model of weight 0 is not read, and one of the smallest weight decides where the others are at their floor: without a range a study's proportions are .01 at least",
			"where every F is at its floor the plain weighted average results, and the receipt counts such entries",
		},
	}
}

func (fisher) Domain(Options) Domain { return Simplex }

func (fisher) Scan(Tensor, []Setting) Reducer { return nil }

func (fisher) ScanAll(ts []Tensor, outs func(Tensor) []Setting) Reducer {
	if len(ts) == 0 {
		return nil
	}
	names := outs(ts[0])[0].Names
	f := &information{names: names, chunks: make([][][]fisherSums, len(ts))}
	for i, t := range ts {
		f.n += t.Len
		f.chunks[i] = make([][]fisherSums, t.Chunks())
	}
	return f
}

func (fisher) Apply32(dst []Tile[float32], in Chunk[float32], s Stats) {
	byInformation(dst, in, s.(*information))
}

func (fisher) Apply64(dst []Tile[float64], in Chunk[float64], s Stats) {
	byInformation(dst, in, s.(*information))
}

// information is the scale of each model's Fisher information.
type information struct {
	names  []string
	n      int64
	chunks [][][]fisherSums // tensor, chunk, model
	norm   []float64
	floor  []float64
	plain  atomic.Int64 // entries where every model is at its floor

	mu  sync.Mutex
	bad *negative // the first one
}

type fisherSums struct{ sum, squares float64 }

// negative is an entry that cannot be Fisher information.
type negative struct {
	tensor Tensor
	index  int64
	model  int
	value  float64
}

func (f *information) Reduce32(_ int, in Chunk[float32]) { sumInformation(f, in) }
func (f *information) Reduce64(_ int, in Chunk[float64]) { sumInformation(f, in) }

func sumInformation[F Float](f *information, in Chunk[F]) {
	sums := f.chunks[in.Tensor.Index][in.Index]
	if sums == nil {
		sums = make([]fisherSums, len(in.Aux))
		f.chunks[in.Tensor.Index][in.Index] = sums
	}
	for i, x := range in.Aux {
		for e, v := range x {
			if v < 0 {
				f.refuse(negative{in.Tensor, in.Start + int64(e), i, float64(v)})
				break
			}
			sums[i].sum += float64(v)
			sums[i].squares += float64(float64(v) * float64(v))
		}
	}
}

// refuse keeps the first bad entry, whatever the order in which they are found.
func (f *information) refuse(n negative) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bad == nil || n.tensor.Index < f.bad.tensor.Index || n.tensor.Index == f.bad.tensor.Index && n.index < f.bad.index {
		f.bad = &n
	}
}

func (f *information) Finish(int) (bool, error) {
	if b := f.bad; b != nil {
		return false, &InputError{
			fmt.Sprintf("method.fisher.%s: %s[%d]", f.names[b.model], b.tensor.Name, b.index), fmt.Sprintf("the value %v", b.value),
			"Fisher information, which is never negative", "compute the file again: the mean of squared gradients",
		}
	}
	f.norm, f.floor = make([]float64, len(f.names)), make([]float64, len(f.names))
	for i := range f.names {
		var all fisherSums
		for _, t := range f.chunks {
			for _, c := range t {
				if c != nil {
					all.sum += c[i].sum
					all.squares += c[i].squares
				}
			}
		}
		f.norm[i] = math.Sqrt(all.squares)
		if f.norm[i] > 0 {
			f.floor[i] = fisherFloor * all.sum / f.norm[i] / float64(f.n)
		}
	}
	f.chunks = nil
	return false, nil
}

func (f *information) Stats() Stats { return f }

// Notes says what the receipt should.
func (f *information) Notes() []string {
	if n := f.plain.Load(); n > 0 {
		return []string{fmt.Sprintf("fisher: in %d entries every model's information is at its floor; they are plain averages", n)}
	}
	return nil
}

// of is model i's information on an entry, and whether it is above the floor.
func (f *information) of(i int, raw float64) (v float64, known bool) {
	if f.norm[i] > 0 {
		v = raw / f.norm[i]
	}
	if v > f.floor[i] {
		return v, true
	}
	return f.floor[i], false
}

func byInformation[F Float](dst []Tile[F], in Chunk[F], f *information) {
	plain := int64(0)
	for _, tile := range dst {
		for e := range tile.Out {
			var sum, total, average, weights float64
			any := false
			for i, c := range tile.Weights {
				if c == 0 {
					continue
				}
				v, known := f.of(i, float64(in.Aux[i][e]))
				any = any || known
				theta, w := float64(in.Models[i][e]), float64(c*v)
				sum += float64(w * theta)
				total += w
				average += float64(c * theta)
				weights += c
			}
			if !any || !(total > 0) {
				plain++
				sum, total = average, weights
			}
			tile.Out[e] = F(sum / total)
		}
	}
	f.plain.Add(plain)
}

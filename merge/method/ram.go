package method

import (
	"math"
	"sync/atomic"
)

func init() {
	Register(ram{plus: false})
	Register(ram{plus: true})
}

// ram averages each entry over the models that have changed it (Reinforced Agent Merging, arXiv 2601.13572).
type ram struct{ plus bool }

func (m ram) Info() Info {
	info := Info{
		Name:      "ram",
		About:     "averages each entry of the task vectors over the models that have changed it",
		Formula:   "θ₀ + λ Σ cᵢδᵢ / Σ cᵢ over the i with |δᵢ| > epsilon",
		Paper:     "arXiv 2601.13572",
		Operand:   Deltas,
		NeedsBase: true,
		Models:    [2]int{1, 0},
		Domains:   []Domain{Simplex},
		Least:     0.01,
		Mergekit:  Mergekit{Name: "ram", Unweighted: true, Lacks: []string{"lambda"}},
		Params: []Param{lambda, {
			Name: "epsilon", Kind: Number, About: "how far an entry has moved to count as changed", Default: 1e-5,
			Lo: 0, Hi: 1e6, Range: [2]float64{0, 1e-4},
		}},
	}
	if m.plus {
		info.Name, info.Mergekit.Name = "ram_plus", "ramplus_tl"
		info.About += ", and enlarges what one model alone has changed"
		info.Formula += "; where that is one i alone, times 1 + r·min(sᵢ/uᵢ, alpha), of the entries that i has changed uᵢ by itself and sᵢ not"
		info.Params = append(info.Params,
			Param{Name: "r", Kind: Number, About: "how much entries of one model alone are enlarged", Default: 0.1, Lo: 0, Hi: 1e6, Range: [2]float64{0, 0.5}},
			Param{Name: "alpha", Kind: Number, About: "the largest sᵢ/uᵢ that counts", Default: 0.2, Lo: 0, Hi: 1e6, Range: [2]float64{0, 1}})
		info.Notes = []string{"sᵢ and uᵢ are counted a tensor"}
	}
	return info
}

func (ram) Domain(Options) Domain { return Simplex }

func (m ram) Scan(_ Tensor, outs []Setting) Reducer {
	if !m.plus {
		return nil
	}
	return &changes{outs: outs, counts: make([]atomic.Int64, 2*len(outs)*len(outs[0].Names))}
}

// changes counts the entries that models have changed, a Reducer.
type changes struct {
	outs   []Setting
	counts []atomic.Int64 // an output and a model: by itself, with others
}

func (c *changes) Reduce32(_ int, in Chunk[float32]) { countChanges(c, in) }
func (c *changes) Reduce64(_ int, in Chunk[float64]) { countChanges(c, in) }

func countChanges[F Float](c *changes, in Chunk[F]) {
	counts := make([]int64, len(c.counts))
	for k, s := range c.outs {
		models, epsilon := s.active(), F(s.Number("epsilon"))
		for e := range in.Len() {
			n, last := changed(in, models, epsilon, e)
			switch {
			case n == 1:
				counts[2*(k*len(s.Names)+last)]++
			case n > 1:
				for _, i := range models {
					if F(math.Abs(float64(in.Models[i][e]))) > epsilon {
						counts[2*(k*len(s.Names)+i)+1]++
					}
				}
			}
		}
	}
	for k, n := range counts {
		c.counts[k].Add(n)
	}
}

// changed is how many models have changed an entry, and the last of them.
func changed[F Float](in Chunk[F], models []int, epsilon F, e int) (n, last int) {
	for _, i := range models {
		if F(math.Abs(float64(in.Models[i][e]))) > epsilon {
			n, last = n+1, i
		}
	}
	return n, last
}

func (c *changes) Finish(int) (bool, error) { return false, nil }

func (c *changes) Stats() Stats { return c }

// alone is by what entries of one model alone are multiplied.
func (c *changes) alone(s Setting, model int) float64 {
	at := 2 * (s.Output*len(s.Names) + model)
	by, shared := float64(c.counts[at].Load()), float64(c.counts[at+1].Load())
	if by == 0 {
		return 1
	}
	return 1 + float64(s.Number("r")*min(shared/by, s.Number("alpha")))
}

func (ram) Apply32(dst []Tile[float32], in Chunk[float32], s Stats) { averageChanges(dst, in, s) }
func (ram) Apply64(dst []Tile[float64], in Chunk[float64], s Stats) { averageChanges(dst, in, s) }

func averageChanges[F Float](dst []Tile[F], in Chunk[F], s Stats) {
	counted, plus := s.(*changes)
	for _, tile := range dst {
		models, epsilon, lambda := tile.active(), F(tile.Number("epsilon")), F(tile.Number("lambda"))
		alone := make([]F, len(in.Models))
		for i := range alone {
			if alone[i] = 1; plus {
				alone[i] = F(counted.alone(tile.Setting, i))
			}
		}
		for e, base := range in.Base {
			var sum, total F
			switch n, last := changed(in, models, epsilon, e); n {
			case 0:
			case 1:
				sum = F(alone[last] * in.Models[last][e])
			default:
				for _, i := range models {
					if d := in.Models[i][e]; F(math.Abs(float64(d))) > epsilon {
						c := F(tile.Weights[i])
						sum += F(c * d)
						total += c
					}
				}
				sum /= total
			}
			tile.Out[e] = base + F(lambda*sum)
		}
	}
}

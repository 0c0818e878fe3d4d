package method

import (
	"fmt"
	"math"

	"parfait/merge/kernel"
)

func init() {
	Register(della{elect: false})
	Register(della{elect: true})
}

// della drops entries of task vectors at random, large ones less often (Deep et al., DELLA-Merging,
// arXiv 2406.11617).
type della struct{ elect bool }

func (m della) Info() Info {
	info := Info{
		Name:      "della_linear",
		About:     "drops entries of task vectors at random, small ones more often, rescales and adds up the rest",
		Formula:   "θ₀ + λ Σ cᵢδ'ᵢ, δ' the entries with u < p, divided by p; p rises with the rank in the row from density − ε to density + ε",
		Paper:     "arXiv 2406.11617",
		Operand:   Deltas,
		NeedsBase: true,
		Models:    [2]int{1, 0},
		Domains:   []Domain{Box},
		Mergekit:  Mergekit{Name: "della_linear", Defaults: map[string]any{"density": 1.0, "epsilon": 0.15, "rescale": byMagnitude}},
		Random:    true,
		Rows:      true,
		Params: []Param{lambda, density(0.5), {
			Name: "epsilon", Kind: Number, About: "how far the keep-probability of the smallest and the largest entry of a row is from density", Default: 0.1,
			Lo: 0, Hi: 0.5, Range: [2]float64{0, 0.2}, PerModel: true,
		}, rescaleRandom},
		Notes: []string{
			"a vector is one row; a row of one entry has probability density; entries of equal magnitude are ranked by their index, the lowest as the largest",
			fmt.Sprintf("rows above %d entries are ranked in blocks of that many", ChunkElements),
			"the random numbers are those of dare_linear; probabilities are cut to the range from 0 to 1",
		},
	}
	if m.elect {
		info.Name = "della"
		info.About = "drops entries of task vectors at random, small ones more often, rescales the rest, elects signs, adds up what agrees"
		info.Formula = "as ties, with the δ' of della_linear"
		info.Domains = []Domain{Box, Simplex}
		info.Mergekit.Name, info.Mergekit.Normalizes = "della", true
		info.Params = append(info.Params, normalizeFlag)
	}
	return info
}

func (m della) Domain(o Options) Domain { return proportions(o) }

func (m della) Scan(t Tensor, outs []Setting) Reducer {
	return magnitudesOf(nil, []Tensor{t}, func(Tensor) []Setting { return outs }, byRank[float32], byRank[float64])
}

func (m della) Apply32(dst []Tile[float32], in Chunk[float32], s Stats) {
	sumSparse(m.elect, dst, in, s, byRank[float32])
}

func (m della) Apply64(dst []Tile[float64], in Chunk[float64], s Stats) {
	sumSparse(m.elect, dst, in, s, byRank[float64])
}

func byRank[F Float](tile Tile[F], in Chunk[F], _ Stats) sparse[F] {
	row := int(min(in.Tensor.Row(), ChunkElements))
	ranks := in.Once("ranks", func() any { // of every entry in its row, from the smallest
		ranks := make([][]int32, len(in.Models))
		for i, delta := range in.Models {
			if delta != nil {
				ranks[i] = rankRows(delta, row)
			}
		}
		return ranks
	}).([][]int32)
	random, words, divide := rowsOf(tile, in), wordsOf(in), tile.Choice("rescale") == byProbability
	tables := make([]chances[F], len(in.Models))
	return func(part []F, i, lo int) {
		all, density, epsilon := len(in.Models[i]), tile.NumberOf("density", i), tile.NumberOf("epsilon", i)
		random[i].Words(words[:len(part)], in.Start+int64(lo))
		for e := 0; e < len(part); {
			start := (lo + e) / row * row
			n := min(row, all-start)
			end := min(start+n-lo, len(part))
			if tables[i].rows != n {
				tables[i].make(n, density, epsilon, divide)
			}
			tables[i].keep(part[e:end], words[e:end], ranks[i][lo+e:lo+end])
			e = end
		}
	}
}

// chances are what becomes of an entry by its rank in a row of n.
type chances[F Float] struct {
	rows   int
	below  []uint64 // the words with which it is kept
	divide []F      // what it is divided by then
}

func (c *chances[F]) make(n int, density, epsilon float64, divide bool) {
	c.rows, c.below, c.divide = n, grown(&c.below, n), grown(&c.divide, n)
	for rank := range n {
		p := probability(density, epsilon, int32(rank), n)
		c.below[rank], c.divide[rank] = kernel.Threshold(p), 1
		if divide {
			c.divide[rank] = F(p)
		}
	}
}

// keep drops entries of part and divides the others.
func (c *chances[F]) keep(part []F, words []uint32, ranks []int32) {
	if narrow, ok := any(part).([]float32); ok {
		divide := any(c.divide).([]float32)
		words, ranks = words[:len(narrow)], ranks[:len(narrow)]
		for e, v := range narrow { // without a branch, of which half would be foretold wrongly
			rank := ranks[e]
			kept := uint32((int64(words[e]) - int64(c.below[rank])) >> 63) // all bits, or none
			narrow[e] = math.Float32frombits(math.Float32bits(v/divide[rank]) & kept)
		}
		return
	}
	for e := range part {
		if rank := ranks[e]; uint64(words[e]) < c.below[rank] {
			part[e] /= c.divide[rank]
		} else {
			part[e] = 0
		}
	}
}

// probability of the entry with a rank among n in its row, from 0 for the smallest.
func probability(density, epsilon float64, rank int32, n int) float64 {
	p := density
	if n > 1 {
		p += float64(epsilon * (2*float64(rank)/float64(n-1) - 1))
	}
	return min(max(p, 0), 1)
}

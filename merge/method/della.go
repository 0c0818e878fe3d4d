package method

import (
	"fmt"

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
	return func(part []F, i, lo int) {
		all, density, epsilon := len(in.Models[i]), tile.NumberOf("density", i), tile.NumberOf("epsilon", i)
		random[i].Words(words[:len(part)], in.Start+int64(lo))
		for e := 0; e < len(part); {
			start := (lo + e) / row * row
			n := min(row, all-start)
			for end := min(start+n-lo, len(part)); e < end; e++ {
				p := probability(density, epsilon, ranks[i][lo+e], n)
				switch {
				case uint64(words[e]) >= kernel.Threshold(p):
					part[e] = 0
				case divide:
					part[e] /= F(p)
				}
			}
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

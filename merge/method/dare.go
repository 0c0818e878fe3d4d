package method

import "parfait/merge/kernel"

func init() {
	Register(dare{elect: false})
	Register(dare{elect: true})
}

// dare drops entries of task vectors at random and rescales the rest (Yu et al., Language models are
// super Mario, arXiv 2311.03099).
type dare struct{ elect bool }

func (m dare) Info() Info {
	info := Info{
		Name:      "dare_linear",
		About:     "drops entries of task vectors at random, rescales and adds up the rest",
		Formula:   "θ₀ + λ Σ cᵢδ'ᵢ, δ' the entries of δ with u < density, divided by density",
		Paper:     "arXiv 2311.03099",
		Operand:   Deltas,
		NeedsBase: true,
		Models:    [2]int{1, 0},
		Domains:   []Domain{Box},
		Mergekit:  Mergekit{Name: "dare_linear", Defaults: map[string]any{"density": 1.0, "rescale": byMagnitude}},
		Random:    true,
		Params:    []Param{lambda, density(0.5), rescaleRandom},
		Notes:     []string{"the random number of an entry does not depend on density, so that what is kept at a lower density is kept at a higher one"},
	}
	if m.elect {
		info.Name, info.Mergekit.Name = "dare_ties", "dare_ties"
		info.About = "drops entries of task vectors at random, rescales the rest, elects signs, adds up what agrees"
		info.Formula = "as ties, with the δ' of dare_linear"
		info.Domains = []Domain{Box, Simplex}
		info.Params = append(info.Params, normalizeFlag)
	}
	return info
}

func (m dare) Domain(o Options) Domain { return proportions(o) }

func (m dare) Scan(t Tensor, outs []Setting) Reducer {
	return magnitudesOf(nil, []Tensor{t}, func(Tensor) []Setting { return outs }, atRandom[float32], atRandom[float64])
}

func (m dare) Apply32(dst []Tile[float32], in Chunk[float32], s Stats) {
	sumSparse(m.elect, dst, in, s, atRandom[float32])
}

func (m dare) Apply64(dst []Tile[float64], in Chunk[float64], s Stats) {
	sumSparse(m.elect, dst, in, s, atRandom[float64])
}

func atRandom[F Float](tile Tile[F], in Chunk[F], _ Stats) sparse[F] {
	random, words, divide := rowsOf(tile, in), wordsOf(in), tile.Choice("rescale") == byProbability
	return func(part []F, i, lo int) {
		words := words[:len(part)]
		random[i].Words(words, in.Start+int64(lo))
		if p := tile.NumberOf("density", i); divide {
			keepRandom(part, words, p)
		} else {
			keepBelow(part, words, kernel.Threshold(p))
		}
	}
}

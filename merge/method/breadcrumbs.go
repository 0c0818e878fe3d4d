package method

func init() {
	Register(breadcrumbs{elect: false})
	Register(breadcrumbs{elect: true})
}

// breadcrumbs drops the largest and the smallest entries of task vectors (Davari and Belilovsky, Model
// Breadcrumbs, arXiv 2312.06795).
type breadcrumbs struct{ elect bool }

func (m breadcrumbs) Info() Info {
	info := Info{
		Name:      "breadcrumbs",
		About:     "drops the largest and the smallest entries of task vectors, adds up the rest",
		Formula:   "θ₀ + λ Σ cᵢδ'ᵢ, δ' the ⌈density·n⌉ entries of δ that follow its ⌊γ·n⌋ largest",
		Paper:     "arXiv 2312.06795",
		Operand:   Deltas,
		NeedsBase: true,
		Models:    [2]int{1, 0},
		Domains:   []Domain{Box},
		Mergekit:  Mergekit{Name: "breadcrumbs", Defaults: map[string]any{"density": 1.0}},
		Params: []Param{lambda, density(0.9), {
			Name: "gamma", Kind: Number, About: "share of the largest entries of each task vector that is dropped", Default: 0.01,
			Lo: 0, Hi: 0.999, Range: [2]float64{0, 0.05}, PerModel: true,
		}, rescaleTrimmed},
		Notes: []string{"entries of equal magnitude are ordered by their index, the lowest first"},
	}
	if m.elect {
		info.Name, info.Mergekit.Name = "breadcrumbs_ties", "breadcrumbs_ties"
		info.About = "drops the largest and the smallest entries of task vectors, elects signs, adds up what agrees"
		info.Formula = "as ties, with the δ' of breadcrumbs"
		info.Domains = []Domain{Box, Simplex}
		info.Params = append(info.Params, normalizeFlag)
	}
	return info
}

func (breadcrumbs) cuts() int { return 2 }

func (m breadcrumbs) Domain(o Options) Domain { return proportions(o) }

// keptRanks are the first rank that is kept and the one after the last, of n.
func keptRanks(s Setting, i int, n int64) (from, to int64) {
	from = int64(s.NumberOf("gamma", i) * float64(n))
	return from, min(n, from+kept(s.NumberOf("density", i), n))
}

func (m breadcrumbs) Scan(t Tensor, outs []Setting) Reducer {
	var want [][]int64
	for _, s := range outs {
		for i := range s.Weights {
			if len(want) <= i {
				want = append(want, nil)
			}
			if s.Effective(i) != 0 {
				from, to := keptRanks(s, i, t.Len)
				want[i] = append(want[i], from, to)
			}
		}
	}
	trimmed := reducerOrNil(newRanks([]Tensor{t}, want), t.Len)
	return magnitudesOf(trimmed, []Tensor{t}, func(Tensor) []Setting { return outs }, dropEnds[float32], dropEnds[float64])
}

func (m breadcrumbs) Apply32(dst []Tile[float32], in Chunk[float32], s Stats) {
	sumSparse(m.elect, dst, in, s, dropEnds[float32])
}

func (m breadcrumbs) Apply64(dst []Tile[float64], in Chunk[float64], s Stats) {
	sumSparse(m.elect, dst, in, s, dropEnds[float64])
}

func dropEnds[F Float](tile Tile[F], in Chunk[F], s Stats) sparse[F] {
	return keepRanks(tile, in, s, keptRanks)
}

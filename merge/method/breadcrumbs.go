package method

import "fmt"

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
		Mergekit:  Mergekit{Name: "breadcrumbs"},
		Params: []Param{lambda, density(0.9), {
			Name: "gamma", Kind: Number, About: "share of the largest entries of each task vector that is dropped", Default: 0.01,
			Lo: 0, Hi: 0.999, Range: [2]float64{0, 0.05}, PerModel: true,
		}},
		Notes: []string{"entries of equal magnitude are ordered by their index, the lowest first"},
	}
	if m.elect {
		info.Name = "breadcrumbs_ties"
		info.About = "drops the largest and the smallest entries of task vectors, elects signs, adds up what agrees"
		info.Formula = "as ties, with the δ' of breadcrumbs"
		info.Domains = []Domain{Box, Simplex}
		info.Mergekit = Mergekit{Name: "breadcrumbs_ties"}
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
	return reducerOrNil(newRanks([]Tensor{t}, want), t.Len)
}

func (m breadcrumbs) Apply32(dst []Tile[float32], in Chunk[float32], s Stats) {
	dropEnds(m.elect, dst, in, s)
}

func (m breadcrumbs) Apply64(dst []Tile[float64], in Chunk[float64], s Stats) {
	dropEnds(m.elect, dst, in, s)
}

func dropEnds[F Float](elect bool, dst []Tile[F], in Chunk[F], s Stats) {
	r, n := thresholds(s, in.Tensor)
	sum := addSparse[F]
	if elect {
		sum = electSparse[F]
	}
	sum(dst, in, func(tile Tile[F]) sparse[F] {
		keep := in.Once(fmt.Sprint("bands of output ", tile.Output), func() any {
			keep := make([]*bands, len(tile.Weights))
			for i := range keep {
				if tile.Effective(i) != 0 {
					from, to := keptRanks(tile.Setting, i, n)
					keep[i] = r.between(i, from, to, n, in.Tensor, in.Start)
				}
			}
			return keep
		}).([]*bands)
		return func(part []F, i, _ int) { keepBand(keep[i], part) }
	})
}

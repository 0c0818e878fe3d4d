package method

import (
	"fmt"
	"math"
)

func init() { Register(ties{}) }

// ties trims each task vector to its largest entries, elects a sign for every entry and adds up those
// that agree (Yadav et al., TIES-Merging, arXiv 2306.01708).
type ties struct{}

func (ties) Info() Info {
	return Info{
		Name:      "ties",
		About:     "trims task vectors to their largest entries, elects signs, adds up what agrees",
		Formula:   "θ₀ + λ Σ cᵢδ'ᵢ over the i with sign(cᵢδ'ᵢ) = sign(Σ cᵢδ'ᵢ), δ' the ⌈density·n⌉ largest of δ",
		Paper:     "arXiv 2306.01708",
		Operand:   Deltas,
		NeedsBase: true,
		Models:    [2]int{1, 0},
		Domains:   []Domain{Box, Simplex},
		Mergekit:  Mergekit{Name: "ties", Normalizes: true, Lacks: []string{"trim"}, Defaults: map[string]any{"density": 1.0}},
		Params: []Param{
			lambda, density(0.2), rescaleTrimmed, normalizeFlag,
			trimParam,
		},
		Notes: []string{"among entries equal to the threshold those with the lowest index are kept; at least one entry of a tensor (of the model with trim: global) is"},
	}
}

// trimParam says among which entries the largest are looked for.
var trimParam = Param{Name: "trim", Kind: Choice, Default: "tensor", Choices: []string{"tensor", "global"}, About: "whether the largest entries are those of each tensor or of the whole model"}

// density is the share of the entries of a task vector that is kept.
func density(value float64) Param {
	return Param{
		Name: "density", Kind: Number, About: "share of the entries of each task vector that is kept", Default: value,
		Lo: 0, Hi: 1, Above: true, Range: [2]float64{0.1, 0.9}, PerModel: true,
	}
}

func (ties) cuts() int { return 1 }

func (ties) Domain(o Options) Domain { return proportions(o) }

// proportions is the domain of the methods with normalize.
func proportions(o Options) Domain {
	if o.Flag("normalize") {
		return Simplex
	}
	return Box
}

func (ties) Scan(t Tensor, outs []Setting) Reducer {
	return trimming([]Tensor{t}, func(Tensor) []Setting { return outs }, t.Len)
}

func (ties) ScanAll(ts []Tensor, outs func(Tensor) []Setting) Reducer {
	if len(ts) == 0 || outs(ts[0])[0].Choice("trim") != "global" {
		return nil
	}
	return trimming(ts, outs, total(ts))
}

// total is the number of elements of some tensors.
func total(ts []Tensor) int64 {
	var n int64
	for _, t := range ts {
		n += t.Len
	}
	return n
}

// trimming finds the thresholds of all models and outputs over some tensors with n entries.
func trimming(ts []Tensor, outs func(Tensor) []Setting, n int64) Reducer {
	var want [][]int64
	for _, t := range ts {
		for _, s := range outs(t) {
			for i := range s.Weights {
				if len(want) <= i {
					want = append(want, nil)
				}
				if s.Effective(i) != 0 {
					want[i] = append(want[i], kept(s.NumberOf("density", i), n))
				}
			}
		}
	}
	return magnitudesOf(reducerOrNil(newRanks(ts, want), n), ts, outs, trim[float32], trim[float64])
}

// trimmed is what a reducer of thresholds leaves for Apply.
type trimmed struct {
	*ranks
	n int64
}

func (t trimmed) Stats() Stats { return t }

func reducerOrNil(r *ranks, n int64) Reducer {
	if r == nil {
		return nil
	}
	return &trimmed{r, n}
}

// kept is ⌈density·n⌉, at least one.
func kept(density float64, n int64) int64 { return max(1, int64(math.Ceil(density*float64(n)))) }

func (ties) Apply32(dst []Tile[float32], in Chunk[float32], s Stats) {
	sumSparse(true, dst, in, s, trim[float32])
}

func (ties) Apply64(dst []Tile[float64], in Chunk[float64], s Stats) {
	sumSparse(true, dst, in, s, trim[float64])
}

func trim[F Float](tile Tile[F], in Chunk[F], s Stats) sparse[F] {
	return keepRanks(tile, in, s, func(s Setting, i int, n int64) (from, to int64) {
		return 0, kept(s.NumberOf("density", i), n)
	})
}

// keepRanks keeps the entries with some ranks of n.
func keepRanks[F Float](tile Tile[F], in Chunk[F], s Stats, which func(s Setting, i int, n int64) (from, to int64)) sparse[F] {
	r, n := thresholds(s, in.Tensor)
	keep := in.Once(fmt.Sprint("bands of output ", tile.Output), func() any {
		keep := make([]*bands, len(tile.Weights))
		for i := range keep {
			if tile.Effective(i) != 0 {
				from, to := which(tile.Setting, i, n)
				keep[i] = r.between(i, from, to, n, in.Tensor, in.Start)
			}
		}
		return keep
	}).([]*bands)
	return func(part []F, i, _ int) { keepBand(keep[i], part) }
}

// thresholds gives what trimming found, and of how many entries; without it every rank is trivial.
func thresholds(s Stats, t Tensor) (*ranks, int64) {
	if found, ok := s.(trimmed); ok {
		return found.ranks, found.n
	}
	return nil, t.Len
}

package method

func init() { Register(localize{}) }

// localize stitches the largest entries of task vectors into the base (He et al., Localize-and-Stitch, arXiv
// 2408.13656, without data).
type localize struct{}

func (localize) Info() Info {
	return Info{
		Name:      "localize",
		About:     "stitches the largest entries of task vectors into the base, and averages where several models have one",
		Formula:   "θ₀ + λ Σ cᵢδ'ᵢ / Σ cᵢ over the i with δ'ᵢ ≠ 0, δ' the ⌈density·n⌉ largest entries of δ",
		Paper:     "arXiv 2408.13656",
		Operand:   Deltas,
		NeedsBase: true,
		Models:    [2]int{1, 0},
		Domains:   []Domain{Simplex},
		Least:     0.01,
		Params:    []Param{lambda, density(0.1), trimParam},
		Notes:     []string{"an entry that one model alone has is as large as it is there, whatever its weight above 0: a weight of 0 is not the limit of small ones", "among entries equal to the threshold those with the lowest index are kept"},
	}
}

func (localize) cuts() int { return 1 }

func (localize) Domain(Options) Domain { return Simplex }

func (localize) Scan(t Tensor, outs []Setting) Reducer { return ties{}.Scan(t, outs) }

func (localize) ScanAll(ts []Tensor, outs func(Tensor) []Setting) Reducer {
	return ties{}.ScanAll(ts, outs)
}

func (localize) Apply32(dst []Tile[float32], in Chunk[float32], s Stats) { stitch(dst, in, s) }
func (localize) Apply64(dst []Tile[float64], in Chunk[float64], s Stats) { stitch(dst, in, s) }

func stitch[F Float](dst []Tile[F], in Chunk[F], s Stats) {
	for k, tile := range dst {
		drop, lambda := trim(tile, in, s), F(tile.Number("lambda"))
		for lo := 0; lo < len(tile.Out); lo += BlockElements {
			hi := min(lo+BlockElements, len(tile.Out))
			sum, total := tile.Out[lo:hi], in.Scratch(len(in.Models))[:hi-lo]
			clear(sum)
			clear(total)
			for i, c := range tile.Weights {
				if tile.Effective(i) != 0 {
					part := thinned(in, drop, k == len(dst)-1, i, lo, hi)
					Axpy(sum, F(c), part)
					addWhere(total, F(c), part)
				}
			}
			divideWhere(sum, total)
			scale(sum, lambda)
			Add(sum, in.Base[lo:hi], sum)
		}
	}
}

// divideWhere divides by total where that is not zero.
func divideWhere[F Float](sum, total []F) {
	for e, d := range total {
		if d != 0 {
			sum[e] /= d
		}
	}
}

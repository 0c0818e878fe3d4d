package method

import "math"

func init() { Register(consensus{}) }

// consensus adds up task vectors where the masks of several models agree that an entry matters to them (Wang et
// al., Localizing task information for improved model merging and compression, arXiv 2405.07813).
type consensus struct{}

func (consensus) Info() Info {
	return Info{
		Name:      "consensus",
		About:     "adds scaled task vectors to the base in the entries that matter to several models, by their TALL masks",
		Formula:   "θ₀ + λ Σ cᵢδᵢ where at least `agree` models have |δᵢ| ≥ maskᵢ·|Σⱼ δⱼ − δᵢ|, else θ₀",
		Paper:     "arXiv 2405.07813",
		Operand:   Deltas,
		NeedsBase: true,
		Models:    [2]int{1, 0},
		Domains:   []Domain{Box},
		ReadsAll:  true,
		Params: []Param{lambda, {
			Name: "mask", Kind: Number, About: "how large an entry of a model is at least, as a share of the sum of all other models', to matter to it", Default: 0.4,
			Lo: 0, Hi: 1e6, Range: [2]float64{0.2, 0.6}, PerModel: true,
		}, {
			Name: "agree", Kind: Number, Whole: true, About: "to how many models an entry has to matter; of fewer models than that, to all", Default: 2.0,
			Lo: 1, Hi: 1e6, Range: [2]float64{1, 3},
		}},
		Notes: []string{"the masks do not depend on the weights: a model whose weight is 0 is read, unless all are"},
	}
}

func (consensus) Domain(Options) Domain { return Box }

func (consensus) Scan(Tensor, []Setting) Reducer { return nil }

func (consensus) Apply32(dst []Tile[float32], in Chunk[float32], _ Stats) { addAgreed(dst, in) }
func (consensus) Apply64(dst []Tile[float64], in Chunk[float64], _ Stats) { addAgreed(dst, in) }

func addAgreed[F Float](dst []Tile[F], in Chunk[F]) {
	for _, tile := range dst {
		w, share := scaled[F](tile.Setting), make([]F, len(in.Models))
		for i := range share {
			share[i] = F(tile.NumberOf("mask", i))
		}
		agree := min(int(tile.Number("agree")), len(in.Models))
		for lo := 0; lo < len(tile.Out); lo += BlockElements {
			hi := min(lo+BlockElements, len(tile.Out))
			all, count, sum := in.Scratch(0)[:hi-lo], in.Scratch(1)[:hi-lo], tile.Out[lo:hi]
			clear(all)
			clear(count)
			clear(sum)
			for _, delta := range in.Models {
				Add(all, all, delta[lo:hi])
			}
			for i, delta := range in.Models {
				for e, d := range delta[lo:hi] {
					if F(math.Abs(float64(d))) >= F(share[i]*F(math.Abs(float64(all[e]-d)))) {
						count[e]++
					}
				}
				if w[i] != 0 {
					Axpy(sum, w[i], delta[lo:hi])
				}
			}
			for e, n := range count {
				if int(n) < agree {
					sum[e] = 0
				}
			}
			Add(sum, in.Base[lo:hi], sum)
		}
	}
}

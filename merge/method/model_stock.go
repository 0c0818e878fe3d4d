package method

func init() { Register(modelStock{}) }

// modelStock finds the point between the base and the average from the angles between task vectors
// alone (Jang et al., Model Stock, arXiv 2403.19522).
type modelStock struct{}

func (modelStock) Info() Info {
	return Info{
		Name:      "model_stock",
		About:     "moves from the base towards the average as far as the angles between task vectors say",
		Formula:   "t·mean(θᵢ) + (1−t)·θ₀, t = N cos/(1 + (N−1) cos), cos the mean pairwise cosine of the δᵢ",
		Paper:     "arXiv 2403.19522",
		Operand:   Deltas,
		NeedsBase: true,
		Models:    [2]int{2, 0},
		Domains:   []Domain{Weightless},
		Mergekit:  Mergekit{Name: "model_stock"},
		Notes:     []string{"per tensor; t is cut to the range from 0 to 1; a cosine is 0 where a norm is 0; computed as θ₀ + t·mean(δᵢ)"},
	}
}

func (modelStock) Domain(Options) Domain { return Weightless }

func (modelStock) Scan(t Tensor, outs []Setting) Reducer { return newGram(t, len(outs[0].Names)) }

func (modelStock) Apply32(dst []Tile[float32], in Chunk[float32], s Stats) {
	towardsMean(dst, in, s.(*gram))
}

func (modelStock) Apply64(dst []Tile[float64], in Chunk[float64], s Stats) {
	towardsMean(dst, in, s.(*gram))
}

func towardsMean[F Float](dst []Tile[F], in Chunk[F], g *gram) {
	w := F(stockRatio(g) / float64(g.n))
	for _, tile := range dst {
		clear(tile.Out)
		for _, delta := range in.Models {
			Axpy(tile.Out, w, delta)
		}
		Add(tile.Out, in.Base, tile.Out)
	}
}

// stockRatio is t.
func stockRatio(g *gram) float64 {
	var sum, pairs float64
	for i := range g.n {
		for j := i + 1; j < g.n; j++ {
			sum += g.cosine(i, j)
			pairs++
		}
	}
	cos, n := sum/pairs, float64(g.n)
	t := n * cos / (1 + float64((n-1)*cos))
	if !(t > 0) { // NaN where the denominator is 0
		return 0
	}
	return min(t, 1)
}

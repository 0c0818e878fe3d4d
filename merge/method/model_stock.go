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
		Params:    []Param{vectors(wholeTensor, eachRow)},
		Notes:     []string{"t is cut to the range from 0 to 1; a cosine is 0 where a norm is 0; computed as θ₀ + t·mean(δᵢ)"},
	}
}

func (modelStock) Domain(Options) Domain { return Weightless }

func (m modelStock) For(o Options, _ bool) Info {
	info := m.Info()
	info.Rows = o.Choice("vectors") == eachRow
	return info
}

func (modelStock) Scan(t Tensor, outs []Setting) Reducer {
	if outs[0].Choice("vectors") == eachRow {
		return newRowGrams(t, outs)
	}
	return newGram(outs)
}

func (modelStock) Apply32(dst []Tile[float32], in Chunk[float32], s Stats) { towardsMean(dst, in, s) }

func (modelStock) Apply64(dst []Tile[float64], in Chunk[float64], s Stats) { towardsMean(dst, in, s) }

func towardsMean[F Float](dst []Tile[F], in Chunk[F], s Stats) {
	weigh := func(_ Setting, g *gram) []float64 {
		w := make([]float64, g.n)
		for i := range w {
			w[i] = stockRatio(g) / float64(g.n)
		}
		return w
	}
	if g, ok := s.(*tensorGram); ok {
		combine(dst, in, g, weigh)
	} else {
		combineRows(dst, in, s, weigh)
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

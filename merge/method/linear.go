package method

func init() { Register(linear{}) }

// linear is the weighted average (model soups, Wortsman et al., arXiv 2203.05482; WiSE-FT, arXiv
// 2109.01903).
type linear struct{}

func (linear) Info() Info {
	return Info{
		Name:     "linear",
		About:    "averages models with weights",
		Formula:  "Σ wᵢθᵢ / Σ wᵢ; without normalize Σ wᵢθᵢ",
		Paper:    "arXiv 2203.05482",
		Operand:  Values,
		Models:   [2]int{1, 0},
		Domains:  []Domain{Simplex, Box},
		Mergekit: Mergekit{Name: "linear", Normalizes: true},
		Params:   []Param{{Name: "normalize", Kind: Flag, Default: true, About: "divides by the sum of the weights, which are then proportions"}},
		Notes:    []string{"the base may be one of the models; as base: it only gives names, shapes and the tokenizer"},
	}
}

func (linear) Domain(o Options) Domain { return proportions(o) }

func (linear) Scan(Tensor, []Setting) Reducer { return nil }

// Sum divides the weights in float64 and rounds them once.
func (linear) Sum(s Setting) []float64 {
	total := 1.0
	if s.Flag("normalize") {
		total = 0
		for _, w := range s.Weights {
			total += w
		}
	}
	out := make([]float64, len(s.Weights))
	for i := range out {
		if s.Effective(i) != 0 {
			out[i] = s.Weights[i] / total
		}
	}
	return out
}

func (m linear) Apply32(dst []Tile[float32], in Chunk[float32], _ Stats) { average(m, dst, in) }
func (m linear) Apply64(dst []Tile[float64], in Chunk[float64], _ Stats) { average(m, dst, in) }

func average[F Float](m linear, dst []Tile[F], in Chunk[F]) {
	for _, tile := range dst {
		clear(tile.Out)
		for i, w := range m.Sum(tile.Setting) {
			if F(w) != 0 {
				Axpy(tile.Out, F(w), in.Models[i])
			}
		}
	}
}

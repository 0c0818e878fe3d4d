package method

func init() { Register(taskArithmetic{}) }

// taskArithmetic is θ₀ + λ Σ cᵢδᵢ (Ilharco et al., Editing models with task arithmetic, arXiv
// 2212.04089; the merging of MAP, arXiv 2406.07529).
type taskArithmetic struct{}

func (taskArithmetic) Info() Info {
	return Info{
		Name:      "task_arithmetic",
		About:     "adds scaled task vectors to the base",
		Formula:   "θ₀ + λ Σ cᵢδᵢ",
		Paper:     "arXiv 2212.04089",
		Operand:   Deltas,
		NeedsBase: true,
		Models:    [2]int{1, 0},
		Domains:   []Domain{Box},
		Mergekit:  Mergekit{Name: "task_arithmetic"},
		Params:    []Param{lambda},
	}
}

// lambda scales all task vectors together.
var lambda = Param{Name: "lambda", Kind: Number, About: "scales all task vectors together", Default: 1.0, Range: [2]float64{0, 1.5}}

func (taskArithmetic) Domain(Options) Domain { return Box }

func (taskArithmetic) Scan(Tensor, []Setting) Reducer { return nil }

func (taskArithmetic) Sum(s Setting) []float64 {
	out := make([]float64, len(s.Weights))
	for i := range out {
		out[i] = s.Effective(i)
	}
	return out
}

func (taskArithmetic) Apply32(dst []Tile[float32], in Chunk[float32], _ Stats) { addDeltas(dst, in) }

func (taskArithmetic) Apply64(dst []Tile[float64], in Chunk[float64], _ Stats) { addDeltas(dst, in) }

// addDeltas rounds every product and every sum, in the order of the models.
func addDeltas[F Float](dst []Tile[F], in Chunk[F]) {
	for _, tile := range dst {
		w := scaled[F](tile.Setting)
		for e, base := range in.Base {
			var a F
			for i, delta := range in.Models {
				if w[i] != 0 {
					a = F(a + F(w[i]*delta[e]))
				}
			}
			tile.Out[e] = F(base + a)
		}
	}
}

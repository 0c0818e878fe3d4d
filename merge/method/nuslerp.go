package method

func init() { Register(nuslerp{}) }

// nuslerp interpolates between two models, or their task vectors, on the sphere, by their weights: as slerp, and for
// rows or columns too (mergekit's NuSLERP).
type nuslerp struct{}

func (nuslerp) Info() Info {
	v := vectors(wholeTensor, eachRow, eachColumn)
	v.About += " or columns (along the first)"
	return Info{
		Name:     "nuslerp",
		About:    "interpolates between two models on the sphere by their weights; with a base between their task vectors",
		Formula:  "(sin((1−t)ω) x₁ + sin(tω) x₂)/sin ω, t = c₂/(c₁ + c₂), cos ω = ⟨x₁, x₂⟩/(‖x₁‖‖x₂‖); with a base x = δ and θ₀ is added, without x = θ",
		Paper:    "Shoemake, SIGGRAPH 1985",
		Operand:  Values,
		Models:   [2]int{2, 2},
		Domains:  []Domain{Simplex},
		Mergekit: Mergekit{Name: "nuslerp"},
		Params:   []Param{v},
		Notes:    []string{"linear where 1 − cos² ω is at most 1e-12; cos ω is 0 where a norm is 0"},
	}
}

func (m nuslerp) For(o Options, based bool) Info {
	info := m.Info().on(based)
	info.Rows = o.Choice("vectors") == eachRow
	return info
}

func (nuslerp) Domain(Options) Domain { return Simplex }

func (nuslerp) Scan(t Tensor, outs []Setting) Reducer {
	switch outs[0].Choice("vectors") {
	case eachRow:
		return newRowGrams(t, outs)
	case eachColumn:
		return newColumnGrams(t)
	}
	return newGram(outs)
}

func (nuslerp) Apply32(dst []Tile[float32], in Chunk[float32], s Stats) { between(dst, in, s) }
func (nuslerp) Apply64(dst []Tile[float64], in Chunk[float64], s Stats) { between(dst, in, s) }

func between[F Float](dst []Tile[F], in Chunk[F], s Stats) {
	switch s := s.(type) {
	case *tensorGram:
		combine(dst, in, s, onArcByWeights)
	case *columnGrams:
		combineColumns(dst, in, s, onArcByWeights)
	default:
		combineRows(dst, in, s, onArcByWeights)
	}
}

// colinear is a sin² ω that may be rounding alone.
const colinear = 1e-12

func onArcByWeights(s Setting, g *gram) []float64 {
	t, cos := s.Weights[1]/(s.Weights[0]+s.Weights[1]), g.cosine(0, 1)
	if 1-float64(cos*cos) <= colinear {
		return []float64{1 - t, t}
	}
	omega := arccosine(cos)
	return []float64{sine(float64((1-t)*omega)) / sine(omega), sine(float64(t*omega)) / sine(omega)}
}

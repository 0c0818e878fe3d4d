package method

import "math"

func init() { Register(slerp{}) }

// slerp interpolates between two models on a great circle (Shoemake, Animating rotation with
// quaternion curves, SIGGRAPH 1985).
type slerp struct{}

// nearlyParallel is the |cos| above which the arc is taken for a line.
const nearlyParallel = 0.9995

func (slerp) Info() Info {
	return Info{
		Name:     "slerp",
		About:    "interpolates between two models on the sphere, tensor by tensor",
		Formula:  "sin((1−t)ω)/sin ω · θ₁ + sin(tω)/sin ω · θ₂ with cos ω = ⟨θ₁, θ₂⟩/(‖θ₁‖‖θ₂‖)",
		Paper:    "Shoemake, SIGGRAPH 1985",
		Operand:  Values,
		Models:   [2]int{2, 2},
		Domains:  []Domain{Weightless},
		Mergekit: Mergekit{Name: "slerp", BaseIsFirst: true},
		Params: []Param{{
			Name: "t", Kind: Number, About: "where between the first model (0) and the second (1)", Default: 0.5,
			Lo: 0, Hi: 1, Range: [2]float64{0, 1},
		}},
		Notes: []string{"linear where |cos ω| > 0.9995 or a norm is 0"},
	}
}

func (slerp) Domain(Options) Domain { return Weightless }

func (slerp) Scan(_ Tensor, outs []Setting) Reducer { return newGram(outs) }

func (slerp) Apply32(dst []Tile[float32], in Chunk[float32], s Stats) {
	combine(dst, in, s.(*tensorGram), onArc)
}

func (slerp) Apply64(dst []Tile[float64], in Chunk[float64], s Stats) {
	combine(dst, in, s.(*tensorGram), onArc)
}

// onArc weighs the two models.
func onArc(s Setting, g *gram) []float64 {
	t, cos := s.Number("t"), g.cosine(0, 1)
	if math.Abs(cos) > nearlyParallel || g.norm(0) == 0 || g.norm(1) == 0 {
		return []float64{1 - t, t}
	}
	omega := arccosine(cos)
	return []float64{sine(float64((1-t)*omega)) / sine(omega), sine(float64(t*omega)) / sine(omega)}
}

package method

func init() { Register(multislerp{}) }

// multislerp takes the direction of the weighted mean of unit vectors (Goddard, goddard.blog/posts/multislerp).
// The step on the tangent plane that its description has after that is zero: with m the direction of Σ wᵢuᵢ,
// Σ wᵢ(uᵢ − ⟨uᵢ, m⟩m) = 0.
type multislerp struct{}

func (multislerp) Info() Info {
	return Info{
		Name:     "multislerp",
		About:    "averages the directions of models and their lengths, tensor by tensor; with a base those of the task vectors",
		Formula:  "Σ wᵢ‖xᵢ‖ · m, m the direction of Σ wᵢxᵢ/‖xᵢ‖, wᵢ = cᵢ / Σ cᵢ; with a base x = δ and θ₀ is added, without x = θ",
		Paper:    "goddard.blog/posts/multislerp-wow-what-a-cool-idea",
		Operand:  Values,
		Models:   [2]int{1, 0},
		Domains:  []Domain{Simplex, Box},
		Mergekit: Mergekit{Name: "multislerp", Normalizes: true, Ignores: []string{"eps"}, Calls: map[string]string{"normalize": "normalize_weights"}},
		Params:   []Param{{Name: "normalize", Kind: Flag, Default: true, About: "divides by the sum of the weights, which are then proportions"}},
		Notes:    []string{"where Σ wᵢxᵢ/‖xᵢ‖ is shorter than 1e-8 it is Σ wᵢxᵢ: opposite directions have no mean"},
	}
}

func (m multislerp) For(_ Options, based bool) Info { return m.Info().on(based) }

// on is the Info of a method that works on task vectors where there is a base.
func (m Info) on(based bool) Info {
	if based {
		m.Operand, m.NeedsBase = Deltas, true
	}
	return m
}

func (multislerp) Domain(o Options) Domain { return proportions(o) }

func (multislerp) Scan(_ Tensor, outs []Setting) Reducer { return newGram(outs) }

func (multislerp) Apply32(dst []Tile[float32], in Chunk[float32], s Stats) {
	combine(dst, in, s.(*tensorGram), inMeanDirection)
}

func (multislerp) Apply64(dst []Tile[float64], in Chunk[float64], s Stats) {
	combine(dst, in, s.(*tensorGram), inMeanDirection)
}

// noDirection is a length of a sum of unit vectors that says nothing about where it points.
const noDirection = 1e-8

func inMeanDirection(s Setting, g *gram) []float64 {
	w := linear{}.Sum(s)
	d := &directions{g: g, alpha: make([]float64, g.n)}
	for i, v := range w {
		if g.norm(i) > 0 {
			d.alpha[i] = v
			d.scale += float64(v * g.norm(i))
		}
	}
	if m := d.mean(noDirection); m != nil {
		return d.operands(m)
	}
	return w
}

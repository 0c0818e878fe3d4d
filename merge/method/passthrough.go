package method

func init() { Register(passthrough{}) }

// passthrough copies one model, scaled or not.
type passthrough struct{}

func (passthrough) Info() Info {
	return Info{
		Name: "passthrough", About: "copies one model, in another dtype, scaled, or with tensors of the base if wanted",
		Formula: "scale·θ₁", Operand: Values, Models: [2]int{1, 1}, Domains: []Domain{Weightless},
		Mergekit: Mergekit{Name: "passthrough"},
		Params:   []Param{{Name: "scale", Kind: Number, About: "multiplies every entry", Default: 1.0, Range: [2]float64{0, 1.5}}},
	}
}

func (passthrough) Domain(Options) Domain { return Weightless }

func (passthrough) Scan(Tensor, []Setting) Reducer { return nil }

func (passthrough) Apply32(dst []Tile[float32], in Chunk[float32], _ Stats) { copyFirst(dst, in) }
func (passthrough) Apply64(dst []Tile[float64], in Chunk[float64], _ Stats) { copyFirst(dst, in) }

func copyFirst[F Float](dst []Tile[F], in Chunk[F]) {
	for _, tile := range dst {
		copy(tile.Out, in.Models[0])
		scale(tile.Out, F(tile.Number("scale")))
	}
}

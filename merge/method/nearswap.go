package method

func init() { Register(nearswap{}) }

// nearswap moves the base to a model where the two are near, and by t at most where they are not (the model
// card of alchemonaut/QuartetAnemoi-70B-t0.0001, huggingface.co).
type nearswap struct{}

func (nearswap) Info() Info {
	return Info{
		Name:      "nearswap",
		About:     "moves each entry of the base to the model's, by t at most",
		Formula:   "θ₀ + min(max(δ₁, −t), t)",
		Paper:     "alchemonaut/QuartetAnemoi-70B-t0.0001",
		Operand:   Deltas,
		NeedsBase: true,
		Models:    [2]int{1, 1},
		Domains:   []Domain{Weightless},
		Mergekit:  Mergekit{Name: "nearswap"},
		Params: []Param{{
			Name: "t", Kind: Number, About: "how far an entry may move: with 0 the base results, from the largest magnitude in δ₁ on the model",
			Lo: 0, Hi: 1e6, Range: [2]float64{0, 0.001},
		}},
	}
}

func (nearswap) Domain(Options) Domain { return Weightless }

func (nearswap) Scan(Tensor, []Setting) Reducer { return nil }

func (nearswap) Apply32(dst []Tile[float32], in Chunk[float32], _ Stats) { clip(dst, in) }
func (nearswap) Apply64(dst []Tile[float64], in Chunk[float64], _ Stats) { clip(dst, in) }

func clip[F Float](dst []Tile[F], in Chunk[F]) {
	for _, tile := range dst {
		t := F(tile.Number("t"))
		for e, delta := range in.Models[0] {
			tile.Out[e] = in.Base[e] + min(max(delta, -t), t)
		}
	}
}

package method

import "math"

func init() { Register(karcher{}) }

// karcher is the weighted Karcher (Fréchet) mean of models on a sphere (arXiv 2603.04972).
type karcher struct{}

func (karcher) Info() Info {
	return Info{
		Name:     "karcher",
		About:    "averages models on the sphere, tensor by tensor: the point with the least sum of weighted squared angles",
		Formula:  "Σ αᵢ‖θᵢ‖ · m, αᵢ = cᵢ / Σ cᵢ, m on the unit sphere with Σ αᵢ log_m(θᵢ/‖θᵢ‖) = 0",
		Paper:    "arXiv 2603.04972",
		Operand:  Values,
		Models:   [2]int{1, 0},
		Domains:  []Domain{Simplex},
		Mergekit: Mergekit{Name: "karcher", Unweighted: true},
		Params: []Param{
			{Name: "max_iter", Kind: Number, Whole: true, About: "how often m is improved at most; with 0 it is the direction of Σ αᵢθᵢ/‖θᵢ‖", Default: 10.0, Lo: 0, Hi: 1e6, Range: [2]float64{0, 100}},
			{Name: "tol", Kind: Number, About: "the step, as an angle, below which m is good enough", Default: 1e-5, Lo: 0, Hi: 1, Range: [2]float64{0, 1e-5}},
		},
		Notes: []string{
			"m begins as the direction of Σ αᵢθᵢ/‖θᵢ‖, or as the first model's where that sum is shorter than tol, and goes along Σ αᵢ log_m until that is shorter than tol",
			"per tensor; a model whose tensor is 0 has no direction there; after five steps below 1e-7 m is good enough in any case",
		},
	}
}

func (karcher) Domain(Options) Domain { return Simplex }

func (karcher) Scan(_ Tensor, outs []Setting) Reducer { return newGram(outs) }

func (karcher) Apply32(dst []Tile[float32], in Chunk[float32], s Stats) {
	combine(dst, in, s.(*tensorGram), atMean)
}

func (karcher) Apply64(dst []Tile[float64], in Chunk[float64], s Stats) {
	combine(dst, in, s.(*tensorGram), atMean)
}

func atMean(s Setting, g *gram) []float64 {
	d := newDirections(s.Weights, g)
	m := d.mean(s.Number("tol"))
	if m == nil {
		m = d.first()
	}
	return d.operands(d.improve(m, int(s.Number("max_iter")), s.Number("tol")))
}

// Angles below smallStep can hardly be told from 0 by inner products in float64: of such steps, each of which is
// a fraction of the one before, smallSteps are enough.
const (
	smallStep  = 1e-7
	smallSteps = 5
)

// directions are unit vectors uᵢ = xᵢ/‖xᵢ‖ with weights. A point is given by the uᵢ it is a sum of.
type directions struct {
	g     *gram
	alpha []float64 // of those that have a direction, with the sum 1
	scale float64   // Σ αᵢ‖xᵢ‖, by the weights as they are
}

// newDirections takes weights that sum to 1 after division by their sum.
func newDirections(weights []float64, g *gram) *directions {
	d := &directions{g: g, alpha: make([]float64, g.n)}
	all, sum := 0.0, 0.0
	for i, c := range weights {
		all += c
		if g.norm(i) > 0 {
			d.alpha[i] = c
			sum += c
		}
	}
	for i, c := range weights {
		d.scale += float64(c / all * g.norm(i))
		if sum > 0 {
			d.alpha[i] /= sum
		}
	}
	return d
}

// dot is ⟨Σ aᵢuᵢ, uⱼ⟩.
func (d *directions) dot(a []float64, j int) (sum float64) {
	for i, v := range a {
		if v != 0 {
			sum += float64(v * d.g.cosine(i, j))
		}
	}
	return sum
}

// length of Σ aᵢuᵢ.
func (d *directions) length(a []float64) float64 {
	squares := 0.0
	for j, v := range a {
		if v != 0 {
			squares += float64(v * d.dot(a, j))
		}
	}
	return math.Sqrt(max(squares, 0))
}

// unit divides a by its length.
func (d *directions) unit(a []float64) []float64 {
	out, n := make([]float64, len(a)), d.length(a)
	for i, v := range a {
		out[i] = v / n
	}
	return out
}

// mean is the direction of Σ αᵢuᵢ; nil where that is shorter than tol, or 0.
func (d *directions) mean(tol float64) []float64 {
	if n := d.length(d.alpha); n < tol || n == 0 {
		return nil
	}
	return d.unit(d.alpha)
}

// first is the first of the directions that has a weight; all zeros where there is none.
func (d *directions) first() []float64 {
	out := make([]float64, len(d.alpha))
	for i, v := range d.alpha {
		if v != 0 {
			out[i] = 1
			return out
		}
	}
	return out
}

// improve moves m along the mean of the tangents towards the uᵢ.
func (d *directions) improve(m []float64, steps int, tol float64) []float64 {
	for small := 0; steps > 0 && small < smallSteps; steps-- {
		tangent := make([]float64, len(m))
		for i, v := range d.alpha {
			if v == 0 {
				continue
			}
			cos := min(max(d.dot(m, i), -1), 1)
			omega := arccosine(cos)
			sin := sine(omega)
			if omega < tol || sin == 0 {
				continue
			}
			v *= omega / sin
			tangent[i] += v
			for k, a := range m {
				tangent[k] -= float64(float64(v*cos) * a)
			}
		}
		n := d.length(tangent)
		if n < tol || n == 0 {
			return m
		}
		n = min(n, math.Pi)
		next := make([]float64, len(m))
		for k := range next {
			next[k] = float64(cosine(n)*m[k]) + float64(sine(n)/n*tangent[k])
		}
		if m = d.unit(next); n < smallStep {
			small++
		}
	}
	return m
}

// operands are the weights of the xᵢ in scale·Σ aᵢuᵢ.
func (d *directions) operands(a []float64) []float64 {
	out := make([]float64, len(a))
	for i, v := range a {
		if v != 0 {
			out[i] = d.scale / d.g.norm(i) * v
		}
	}
	return out
}

package merge

import (
	"math"

	"parfait/merge/method"
)

// varianceCorrected is a linear average whose tensors get back the spread that averaging takes from them:
// out = (w̄ − μ)·√((σ² + ε)/(Var w̄ + ε)) + μ, with w̄ the average, μ its mean, σ² = Σ cᵢ Var θᵢ for
// weights that sum to 1, and ε = 10⁻⁶·σ². Per tensor; sums in float64.
type varianceCorrected struct{ method.Method }

func (m varianceCorrected) Scan(t method.Tensor, outs []method.Setting) method.Reducer {
	return &spread{method: m.Method, outs: outs, chunks: make([][]moments, t.Chunks())}
}

func (m varianceCorrected) Apply32(dst []method.Tile[float32], in method.Chunk[float32], s method.Stats) {
	correct(m.Method, dst, in, s.(*spread))
}

func (m varianceCorrected) Apply64(dst []method.Tile[float64], in method.Chunk[float64], s method.Stats) {
	correct(m.Method, dst, in, s.(*spread))
}

// spread is the Reducer of means and variances: of each model, then of each output's average.
type spread struct {
	method method.Method
	outs   []method.Setting
	chunks [][]moments
	means  []float64 // an output
	scales []float64
}

// moments are the mean x̄ of n numbers and Σ(x − x̄)².
type moments struct{ n, mean, squares float64 }

func (s *spread) Reduce32(_ int, in method.Chunk[float32]) { reduceSpread(s, in) }
func (s *spread) Reduce64(_ int, in method.Chunk[float64]) { reduceSpread(s, in) }

func reduceSpread[F method.Float](s *spread, in method.Chunk[F]) {
	list := s.chunks[in.Index]
	if list == nil {
		list = make([]moments, len(in.Models)+len(s.outs))
		s.chunks[in.Index] = list
	}
	for i, x := range in.Models {
		list[i] = list[i].and(momentsOf(x))
	}
	tile := []method.Tile[F]{{Out: make([]F, in.Len())}}
	for k, set := range s.outs {
		tile[0].Setting = set
		applyTo(s.method, tile, in, nil)
		k += len(in.Models)
		list[k] = list[k].and(momentsOf(tile[0].Out))
	}
}

// momentsOf takes two passes over x, which is in the cache.
func momentsOf[F method.Float](x []F) moments {
	if len(x) == 0 {
		return moments{}
	}
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	m := moments{n: float64(len(x)), mean: sum / float64(len(x))}
	for _, v := range x {
		d := float64(v) - m.mean
		m.squares += float64(d * d)
	}
	return m
}

// and joins two sets of numbers (Chan, Golub and LeVeque, Updating formulae, 1979).
func (m moments) and(o moments) moments {
	if m.n == 0 {
		return o
	}
	if o.n == 0 {
		return m
	}
	n, d := m.n+o.n, o.mean-m.mean
	return moments{n, m.mean + float64(d*o.n/n), m.squares + o.squares + float64(d*d*m.n*o.n/n)}
}

func (s *spread) Finish(int) (bool, error) {
	var all []moments
	for _, c := range s.chunks {
		if all == nil {
			all = make([]moments, len(c))
		}
		for i := range c {
			all[i] = all[i].and(c[i])
		}
	}
	s.chunks = nil
	for k, set := range s.outs {
		var want, weights float64
		for i, c := range set.Weights {
			if c != 0 && all != nil {
				want += float64(c * all[i].squares / all[i].n)
				weights += c
			}
		}
		mean, scale := 0.0, 1.0
		if want /= weights; want > 0 {
			got := all[len(all)-len(s.outs)+k]
			mean = got.mean
			epsilon := float64(1e-6 * want)
			scale = math.Sqrt((want + epsilon) / (got.squares/got.n + epsilon))
		}
		s.means, s.scales = append(s.means, mean), append(s.scales, scale)
	}
	return false, nil
}

func (s *spread) Stats() method.Stats { return s }

func correct[F method.Float](m method.Method, dst []method.Tile[F], in method.Chunk[F], s *spread) {
	applyTo(m, dst, in, nil)
	for _, tile := range dst {
		mean, scale := s.means[tile.Output], s.scales[tile.Output]
		if scale == 1 {
			continue
		}
		for e, v := range tile.Out {
			tile.Out[e] = F(float64((float64(v)-mean)*scale) + mean)
		}
	}
}

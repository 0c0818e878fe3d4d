package method

import (
	"math"
	"slices"
	"sync"
)

func init() { Register(fusion{}) }

// fusion takes the entries of a model that matter most: those that moved far, in rows whose distribution changed
// (Arcee Fusion, arcee.ai, MergeKit 0.1).
type fusion struct{}

func (fusion) Info() Info {
	return Info{
		Name:      "arcee_fusion",
		About:     "takes those entries of a model that moved far in rows that changed much, and the base elsewhere",
		Formula:   "θ₁ where I ≥ Q₂ + 1.5·(Q₃ − Q₁), else θ₀; I = |δ₁|·KL(softmax(θ₁) ‖ softmax(θ₀)) by row, Q its quartiles over the tensor",
		Paper:     "arcee.ai, MergeKit 0.1",
		Operand:   Deltas,
		NeedsBase: true,
		Models:    [2]int{1, 1},
		Domains:   []Domain{Weightless},
		Rows:      true,
		Mergekit:  Mergekit{Name: "arcee_fusion"},
		Notes: []string{
			"the quartiles are exact: of n entries in rising order those with the indices ⌊(n−1)/4⌋, ⌊(n−1)/2⌋ and ⌊3(n−1)/4⌋",
			"a vector is one row; 1e-8 is added to every probability; KL is computed in float64",
			"rows above 131072 entries are taken in blocks of that many",
		},
	}
}

func (fusion) Domain(Options) Domain { return Weightless }

func (fusion) Scan(t Tensor, _ []Setting) Reducer {
	if t.Len <= ChunkElements {
		return nil // a chunk is the tensor
	}
	q := &quartiles{n: t.Len, of: ranks{wide: t.Wide}}
	var cuts []*cut
	for i := range q.cuts {
		rank := t.Len - quartile(i, t.Len)
		q.cuts[i] = &cut{rank: rank, quota: rank}
		cuts = append(cuts, q.cuts[i])
	}
	q.searches = []*digits{q.of.newDigits(0, cuts)}
	return q
}

// quartile is the index of a quartile of n entries in rising order.
func quartile(i int, n int64) int64 { return (n - 1) * int64(i+1) / 4 }

// quartiles is the Reducer of the quartiles of importances.
type quartiles struct {
	n        int64
	of       ranks
	cuts     [3]*cut
	searches []*digits
}

func (q *quartiles) Reduce32(_ int, in Chunk[float32]) { q.count(importance(in)) }
func (q *quartiles) Reduce64(_ int, in Chunk[float64]) { q.count(importance(in)) }

func (q *quartiles) count(x any) {
	for _, s := range q.searches {
		s.count(x, 0)
	}
}

func (q *quartiles) Finish(int) (bool, error) {
	var next []*digits
	for _, s := range q.searches {
		for _, found := range s.next(&q.of) {
			if d, more := found.(*digits); more { // where equal entries are does not matter
				next = append(next, d)
			}
		}
	}
	q.searches = next
	return len(next) > 0, nil
}

func (q *quartiles) Stats() Stats { return q }

func (fusion) Apply32(dst []Tile[float32], in Chunk[float32], s Stats) { fuse(dst, in, s) }
func (fusion) Apply64(dst []Tile[float64], in Chunk[float64], s Stats) { fuse(dst, in, s) }

func fuse[F Float](dst []Tile[F], in Chunk[F], s Stats) {
	x := importance(in)
	least := threshold(x, s)
	for _, tile := range dst {
		for e, v := range x {
			if tile.Out[e] = in.Base[e]; v >= least {
				tile.Out[e] += in.Models[0][e]
			}
		}
	}
}

// threshold is the importance from which on entries are taken.
func threshold[F Float](x []F, s Stats) F {
	var at [3]F
	if q, ok := s.(*quartiles); ok {
		for i, c := range q.cuts {
			if at[i] = F(math.Float32frombits(uint32(c.at))); q.of.wide {
				at[i] = F(math.Float64frombits(c.at))
			}
		}
	} else {
		sorted := slices.Sorted(slices.Values(x))
		for i := range at {
			at[i] = sorted[quartile(i, int64(len(x)))]
		}
	}
	return at[1] + F(1.5*F(at[2]-at[0]))
}

// importance is I of the entries of whole rows.
func importance[F Float](in Chunk[F]) []F {
	row, out := int(min(in.Tensor.Row(), ChunkElements)), make([]F, in.Len())
	b := rowBuffers.Get().(*[2][]float64)
	defer rowBuffers.Put(b)
	for lo := 0; lo < in.Len(); lo += row {
		hi := min(lo+row, in.Len())
		kl := F(divergence(b, in.Base[lo:hi], in.Models[0][lo:hi]))
		for e, d := range in.Models[0][lo:hi] {
			out[lo+e] = F(math.Abs(float64(d))) * kl
		}
	}
	return out
}

var rowBuffers = sync.Pool{New: func() any { return new([2][]float64) }}

// addedProbability keeps logarithms finite.
const addedProbability = 1e-8

// divergence is KL(softmax(base + delta) ‖ softmax(base)).
func divergence[F Float](b *[2][]float64, base, delta []F) float64 {
	for k := range b {
		b[k] = slices.Grow(b[k][:0], len(base))[:len(base)]
	}
	p, q := b[0], b[1]
	for e, v := range base {
		p[e], q[e] = float64(v+delta[e]), float64(v)
	}
	softmax(p)
	softmax(q)
	sum := 0.0
	for e := range p {
		x, y := p[e]+addedProbability, q[e]+addedProbability
		sum += float64(x * logarithm(x/y))
	}
	return max(sum, 0)
}

func softmax(x []float64) {
	top, sum := slices.Max(x), 0.0
	for e, v := range x {
		x[e] = exponential(v - top)
		sum += x[e]
	}
	for e := range x {
		x[e] /= sum
	}
}

package search

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"parfait/pareto"
)

var evolutionEntry = entry{
	Info: Info{
		Name:  "evolution",
		Line:  "an evolutionary search for one best merge, on real evaluations, as for many checkpoints of one run",
		Paper: "LCSC, Liu et al. 2024 (arXiv 2404.02241)",
		Options: []Option{
			{"population", 0, "points that may become parents; 0: a fifth of the budget, between 6 and 20"},
			{"weights", nil, weightsDoc},
		},
	},
	build: func(o *settings) Strategy {
		return evolution{population: o.whole("population", 0, 0), weights: o.weights("weights")}
	},
}

// evolution looks for the one best merge by an evolutionary search over real evaluations, as LCSC does
// for many checkpoints of one training run (Liu et al., Linear Combination of Saved Checkpoints,
// arXiv 2404.02241): no surrogate, no gradient, coefficients of any sign that the ranges allow.
//
// Half of the first population are averages that weigh the models exponentially, the last one most, with
// memories from one model to all (LCSC's start; the models' order is the order of training), the other
// half is spread over the region. After it every point is bred from two of the best: blended or crossed
// coefficient by coefficient, and mutated by a normal step as wide as the best differ among themselves,
// and 2 % of the range. The score is the weighted mean of the optimised tasks, floors first.
type evolution struct {
	population int // 0: about a fifth of the budget, between 6 and 20
	weights    map[string]float64
}

// Ask implements Strategy.
func (e evolution) Ask(ctx context.Context, q Question) (Proposal, error) {
	p, err := newPreference(q.Tasks, e.weights, q.Done)
	if err != nil {
		return Proposal{}, err
	}
	size := e.size(q.Budget)
	best := p.best(q.Done, size)
	if q.Asked < size || len(best) < 2 {
		first := q.Space.firstGeneration(size, q.Asked+2*q.N, q.Seed)
		return q.draw(ctx, q.N, func(i int) []float64 {
			if q.Asked+i < len(first) {
				return first[q.Asked+i]
			}
			return q.Space.random(q.Seed, uint64(q.Asked+i))
		}, "first generation")
	}
	b := newVariation(q.Space, best, generator(q.Seed, mix(0x6c637363)+uint64(q.Batch)))
	return q.draw(ctx, q.N, func(int) []float64 { return b.offspring() }, "bred from the best")
}

func (e evolution) size(budget int) int {
	if e.population > 0 {
		return max(e.population, 2)
	}
	return min(max(budget/5, 6), 20)
}

// best are the size best points that tell something, best first, the earlier of equal ones first.
func (p *preference) best(points []Point, size int) [][]float64 {
	type judged struct {
		x []float64
		v verdict
	}
	var all []judged
	for _, point := range points {
		if v := p.of(point); v.known {
			all = append(all, judged{point.X, v})
		}
	}
	slices.SortStableFunc(all, func(a, b judged) int { return b.v.compare(a.v) })
	var out [][]float64
	for _, j := range all[:min(size, len(all))] {
		out = append(out, j.x)
	}
	return out
}

// firstGeneration are averages and points spread over the region in turn, size of them, and then only
// spread ones up to n.
func (s Space) firstGeneration(size, n int, seed uint64) [][]float64 {
	r, units := newRegion(s), s.units()
	spread := r.spread(max(n, size), seed)
	var out [][]float64
	averages := size / 2
	if len(units) < 2 {
		averages = 0
	}
	for k := range averages {
		out = append(out, r.blend(units, memory(len(units), k, averages)), spread[k])
	}
	return append(out, spread[averages:max(n, size)-averages]...)
}

// memory is the weights of n models, oldest first, in an exponential moving average: with memory k of m,
// from the last model alone (k = 0) to the plain average (k = m−1).
func memory(n, k, m int) []float64 {
	keep := 0.0
	switch {
	case k == m-1:
		keep = 1
	case k > 0:
		keep = 1 - math.Pow(float64(n), -float64(k)/float64(m-1))
	}
	w, sum := make([]float64, n), 0.0
	for i := range w {
		w[i] = math.Pow(keep, float64(n-1-i))
		sum += w[i]
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}

// variation makes children of the best points.
type variation struct {
	bounds pareto.Bounds
	best   [][]float64
	step   []float64 // a coefficient: the standard deviation of a mutation
	rng    *rand.Rand
}

// minStep is the part of a range that a mutation has at least as its standard deviation.
const minStep = 0.02

func newVariation(s Space, best [][]float64, rng *rand.Rand) *variation {
	b := &variation{bounds: s.Bounds(), best: best, step: make([]float64, len(s.Coefficients)), rng: rng}
	for i, c := range s.Coefficients {
		mean, square := 0.0, 0.0
		for _, x := range best {
			mean += x[i] / float64(len(best))
		}
		for _, x := range best {
			d := x[i] - mean
			square += float64(d*d) / float64(len(best))
		}
		b.step[i] = math.Sqrt(square) + minStep*(c.Hi-c.Lo)
	}
	return b
}

// child is bred from two different parents, each the better of two.
func (b *variation) offspring() []float64 {
	i := min(b.rng.IntN(len(b.best)), b.rng.IntN(len(b.best)))
	j := min(b.rng.IntN(len(b.best)-1), b.rng.IntN(len(b.best)-1))
	if j >= i {
		j++
	}
	x, other := slices.Clone(b.best[i]), b.best[j]
	blend, u := b.rng.Float64() < 0.5, b.rng.Float64()
	for k := range x {
		switch {
		case blend:
			x[k] += float64(u * (other[k] - x[k]))
		case b.rng.Float64() < 0.5:
			x[k] = other[k]
		}
	}
	for k := range x {
		if b.rng.Float64() < max(0.5, 1/float64(len(x))) {
			x[k] += float64(b.step[k] * b.rng.NormFloat64())
		}
	}
	b.bounds.Project(x)
	return x
}

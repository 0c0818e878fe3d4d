package search

import (
	"context"
	"math"
	"slices"

	"parfait/pareto"
)

// direct evolves a front on real evaluations, without a surrogate, by NSGA-III (Deb and Jain 2014): the
// baseline that a surrogate has to beat at equal budget. The first generation is a Latin hypercube over
// the whole space; after it every batch is offspring of the best that is known, so that a generation is as
// long as a batch. Or, with algorithm random, every point is drawn at random: the baseline of baselines.
type direct struct {
	random     bool
	population int // 0: about a quarter of the budget, between 8 and 92
}

func newDirect(options map[string]any) (Strategy, error) {
	o := settings{given: options}
	d := direct{random: o.word("algorithm", "nsga3", "random") == "random", population: o.whole("population", 0, 0)}
	return d, o.err("direct")
}

// Ask implements Strategy.
func (d direct) Ask(ctx context.Context, q Question) (Proposal, error) {
	if err := q.check(); err != nil {
		return Proposal{}, err
	}
	n, spent := q.wanted()
	if n == 0 {
		return Proposal{Stop: spent}, nil
	}
	goals := q.goals()
	if d.random || len(goals) == 0 {
		return q.draw(ctx, n, func(i int) []float64 {
			return q.Space.random(q.Seed, uint64(q.Asked+i))
		}, "drawn at random")
	}
	size := d.size(q.Budget)
	directions := pareto.Directions(len(goals), size)
	options := pareto.NSGA3Options{Population: size, Directions: directions, Seed: q.Seed}
	if q.Asked < size {
		v, err := pareto.NewEvolution(q.Space.Bounds(), len(goals), options)
		if err != nil {
			return Proposal{}, err
		}
		first := v.Ask(size)
		return q.draw(ctx, min(n, size-q.Asked), func(i int) []float64 {
			if q.Asked+i < size {
				return first[q.Asked+i]
			}
			return q.Space.random(q.Seed, uint64(q.Asked+i))
		}, "first generation")
	}
	options.Seed = mix(q.Seed + uint64(q.Batch))
	v, err := pareto.NewEvolution(q.Space.Bounds(), len(goals), options)
	if err != nil {
		return Proposal{}, err
	}
	q.tell(v, goals)
	var offspring [][]float64
	return q.draw(ctx, n, func(i int) []float64 {
		for i >= len(offspring) {
			offspring = append(offspring, v.Ask(n)...)
		}
		return offspring[i]
	}, "offspring of the measured front")
}

func (d direct) size(budget int) int {
	n := d.population
	if n == 0 {
		n = min(max(budget/4, 8), 92)
	}
	return (n + 3) / 4 * 4
}

// goals are the indices of the optimised tasks.
func (q *Question) goals() []int {
	var out []int
	for i, t := range q.Tasks {
		if t.Optimise {
			out = append(out, i)
		}
	}
	return out
}

// tell enters the finished points, a batch at a time.
func (q *Question) tell(v *pareto.Evolution, goals []int) {
	for rest := q.Done; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Batch == rest[0].Batch {
			n++
		}
		var xs, fs [][]float64
		for _, p := range rest[:n] {
			if p.Failed {
				continue
			}
			f := make([]float64, len(goals))
			for k, i := range goals {
				if f[k] = p.Y[i].Value; q.Tasks[i].Maximize {
					f[k] = -f[k]
				}
			}
			xs, fs = append(xs, p.X), append(fs, f)
		}
		v.Tell(xs, fs)
		rest = rest[n:]
	}
}

// drawsMost is how many draws in a row may be places that were asked for already.
const drawsMost = 200

// draw returns the first n of the points next(0), next(1), … that nobody has asked for yet.
func (q *Question) draw(ctx context.Context, n int, next func(i int) []float64, why string) (Proposal, error) {
	var out Proposal
	taken := q.taken()
	for i, misses := 0, 0; len(out.X) < n; i++ {
		if err := ctx.Err(); err != nil {
			return Proposal{}, err
		}
		x := q.Space.tidy(next(i))
		if q.Space.known(x, taken) {
			if misses++; misses > drawsMost {
				out.Stop = "every place that is found has been asked for"
				break
			}
			continue
		}
		misses = 0
		taken = append(taken, x)
		out.X, out.Why = append(out.X, x), append(out.Why, why)
	}
	return out, nil
}

// random is point i of a sequence of uniform draws from the space.
func (s Space) random(seed, i uint64) []float64 {
	rng := generator(seed, mix(0x72616e646f6d)+i)
	x := make([]float64, len(s.Coefficients))
	for k, c := range s.Coefficients {
		x[k] = c.Lo + float64(rng.Float64()*(c.Hi-c.Lo))
	}
	for _, set := range s.Simplex {
		sum := 0.0
		for _, k := range set {
			x[k] = -math.Log(max(rng.Float64(), 1e-300))
			sum += x[k]
		}
		for _, k := range set {
			x[k] /= sum
		}
	}
	return slices.Clip(x)
}

package search

import (
	"context"

	"parfait/pareto"
)

var directEntry = entry{
	Info: Info{
		Name:  "direct",
		Line:  "NSGA-III or random points on real evaluations: the baseline at equal budget",
		Paper: "Deb and Jain 2014",
		Options: []Option{
			{"algorithm", "nsga3", "nsga3 or random"},
			{"population", 0, "points of the first generation; 0: a quarter of the budget, between 8 and 92"},
		},
	},
	build: func(o *settings) Strategy {
		return direct{random: o.word("algorithm", "nsga3", "random") == "random", population: o.whole("population", 0, 0)}
	},
}

// direct evolves a front on real evaluations, without a surrogate, by NSGA-III (Deb and Jain 2014): the
// baseline that a surrogate has to beat at equal budget. The first generation is a Latin hypercube over
// the whole space; after it every batch is offspring of the best that is known, so that a generation is as
// long as a batch. Or, with algorithm random, every point is drawn at random: the baseline of baselines.
type direct struct {
	random     bool
	population int // 0: about a quarter of the budget, between 8 and 92
}

// Ask implements Strategy.
func (d direct) Ask(ctx context.Context, q Question) (Proposal, error) {
	goals := q.goals()
	if d.random || len(goals) == 0 {
		return q.draw(ctx, q.N, func(i int) []float64 {
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
		return q.draw(ctx, min(q.N, size-q.Asked), func(i int) []float64 {
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
	return q.draw(ctx, q.N, func(i int) []float64 {
		for i >= len(offspring) {
			offspring = append(offspring, v.Ask(q.N)...)
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

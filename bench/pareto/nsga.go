package main

import (
	"fmt"
	"slices"
	"time"

	"parfait/pareto"
	"parfait/pareto/problems"
)

// spread is the best, the median and the worst of several runs.
type spread struct {
	Best    float64 `json:"best"`
	Median  float64 `json:"median"`
	Worst   float64 `json:"worst"`
	Runs    int     `json:"runs"`
	Seconds float64 `json:"seconds,omitempty"` // of one run, median
}

func spreadOf(v, seconds []float64) *spread {
	if len(v) == 0 {
		return nil
	}
	return &spread{Best: slices.Min(v), Median: median(v), Worst: slices.Max(v), Runs: len(v), Seconds: median(seconds)}
}

// nsga3 is NSGA-III by the protocol of Deb and Jain (2014): inverted generational distance to the points
// of the front on the reference directions.
type nsga3 struct {
	Problem     string  `json:"problem"`
	Generations int     `json:"generations"`
	Ours        *spread `json:"igd"`
	Archived    spread  `json:"pymoo_archived"` // pymoo 0.6 over 15 to 20 runs
	Live        *spread `json:"pymoo"`          // in this run
	Ratio       float64 `json:"ratio"`          // of the medians, to the archived
}

// String is a row of a table for people.
func (n nsga3) String() string {
	s := fmt.Sprintf("NSGA-III %-6s IGD %.2e / %.2e / %.2e in %.2f s   pymoo %.2e / %.2e / %.2e", n.Problem,
		n.Ours.Best, n.Ours.Median, n.Ours.Worst, n.Ours.Seconds, n.Archived.Best, n.Archived.Median, n.Archived.Worst)
	if n.Live != nil {
		s += fmt.Sprintf(", here %.2e / %.2e / %.2e in %.2f s", n.Live.Best, n.Live.Median, n.Live.Worst, n.Live.Seconds)
	}
	return s + fmt.Sprintf("   ratio %.2f", n.Ratio)
}

// evolutions runs NSGA-III on three objectives, ours and pymoo's in turn.
func (b *bench) evolutions(seeds, live int) ([]nsga3, error) {
	var out []nsga3
	for _, c := range []struct {
		problem     problems.Problem
		variables   int
		generations int
		archived    spread
	}{
		{problems.DTLZ1(3, 7), 7, 400, spread{Best: 3.85e-4, Median: 1.91e-3, Worst: 4.39e-3}},
		{problems.DTLZ2(3, 12), 12, 250, spread{Best: 9.25e-4, Median: 1.10e-3, Worst: 1.78e-3}},
		{problems.DTLZ4(3, 12), 12, 600, spread{Best: 2.02e-4, Median: 3.47e-4, Worst: 1.43e-3}},
	} {
		targets := c.problem.Front(91)
		var igd, seconds, theirs, theirSeconds []float64
		file := ""
		if b.peers != nil {
			var err error
			if file, err = b.peers.file("targets", targets); err != nil {
				return nil, err
			}
		}
		for seed := range seeds {
			start := time.Now()
			_, fs, err := pareto.NSGA3(b.ctx, c.problem.Problem, pareto.NSGA3Options{
				Directions: pareto.DasDennis(3, 12), Population: 92, Generations: c.generations - 1, Seed: uint64(seed + 1),
			})
			if err != nil {
				return nil, err
			}
			seconds = append(seconds, time.Since(start).Seconds())
			igd = append(igd, pareto.IGD(fs, targets))
			if b.peers == nil || seed >= live {
				continue
			}
			a, err := b.peers.ask(map[string]any{
				"do": "nsga3", "problem": c.problem.Name, "n": c.variables, "m": 3, "p": 12, "population": 92,
				"generations": c.generations, "crossover": 30, "mutation": 20, "seed": seed + 1, "targets": file,
			})
			if err != nil {
				return nil, err
			}
			theirs, theirSeconds = append(theirs, a.Value), append(theirSeconds, a.Seconds)
		}
		n := nsga3{Problem: c.problem.Name, Generations: c.generations, Ours: spreadOf(igd, seconds), Archived: c.archived, Live: spreadOf(theirs, theirSeconds)}
		n.Ratio = n.Ours.Median / c.archived.Median
		b.say("%s", n)
		out = append(out, n)
	}
	return out, nil
}

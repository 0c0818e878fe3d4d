package study

import (
	"context"
	"math"
	"slices"

	"parfait/pareto"
)

// measured finds the front among the trials and the hypervolume it grew to, from a reference point that
// is the worst measured value of each objective less a tenth of its range, strays apart.
func (a *Analysis) measured(ctx context.Context) error {
	costs, ids := a.measuredCosts()
	if len(costs) == 0 {
		return nil
	}
	ref := make([]float64, len(a.Objectives))
	for o, t := range a.Objectives {
		best, worst := math.Inf(1), math.Inf(-1)
		for k, c := range costs {
			if !a.Stray(ids[k], t) {
				best, worst = min(best, c[o]), max(worst, c[o])
			}
		}
		ref[o] = worst + 0.1*(worst-best)
		if a.Ref = append(a.Ref, ref[o]); a.Tasks[t].Sense == Maximize {
			a.Ref[o] = -ref[o]
		}
	}
	for _, i := range pareto.NonDominated(costs) {
		a.Measured = append(a.Measured, ids[i])
	}
	var front [][]float64
	volume := 0.0
	for _, c := range costs {
		more, err := gain(ctx, front, c, ref)
		if err != nil {
			return err
		}
		volume += more
		a.History = append(a.History, volume)
		front = append(front, c)
		keep := make([][]float64, 0, len(front))
		for _, i := range pareto.NonDominated(front) {
			keep = append(keep, front[i])
		}
		front = keep
	}
	a.Hypervolume = volume
	return nil
}

// measuredCosts are the costs of the trials of which every objective was measured, and their indices.
func (a *Analysis) measuredCosts() (costs [][]float64, trials []int) {
	for i, t := range a.Trials {
		c := a.costs(func(task int) float64 {
			if m, ok := t.Metrics[a.Tasks[task].Name]; ok {
				return m.Value
			}
			return math.NaN()
		})
		if !slices.ContainsFunc(c, math.IsNaN) {
			costs, trials = append(costs, c), append(trials, i)
		}
	}
	return costs, trials
}

// gain is the hypervolume that c adds to front: its own box less what of that box the front covers (While,
// Bradstreet and Barone 2012). Over all trials that costs about as much as one hypervolume of them all.
func gain(ctx context.Context, front [][]float64, c, ref []float64) (float64, error) {
	box := 1.0
	for i := range c {
		box *= ref[i] - c[i]
	}
	covered := make([][]float64, len(front))
	for k, f := range front {
		covered[k] = make([]float64, len(c))
		for i := range c {
			covered[k][i] = max(c[i], f[i])
		}
	}
	v, err := pareto.HypervolumeUntil(ctx, covered, ref)
	return max(0, box-v), err
}

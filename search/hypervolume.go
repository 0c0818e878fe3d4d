package search

import (
	"context"

	"parfait/parallel"
)

// mcHypervolume compares hypervolumes by Monte Carlo: points drawn evenly in the box between the ideal and the
// reference that are dominated (probes) are counted. Objectives are minimised.
//
// Idea: with many objectives exact algorithms take seconds (the problem is #P-hard: Bringmann and Friedrich 2010).
// A share that is counted on n probes has a standard error of at most 1/(2√n), half a percent for 10,000, in any
// number of objectives, and comparisons are made on the same probes, so that most of the error cancels.
//
// Invariant: the probes do not depend on anything but the rows, the reference and their number.
//
// Cost: O(probes·rows·m/64) to draw, by dominanceIndex; greedy is the lazy greedy algorithm for submodular
// functions (Minoux 1978): what a row adds only shrinks, so that its last known gain is an upper bound, and most
// rows are never looked at again. What it chooses dominates at least 1 − 1/e as many probes as the best choice
// (Nemhauser, Wolsey and Fisher 1978).
type mcHypervolume struct{ probes [][]float64 }

// probeTries is how many probes are drawn at most for each that is wanted.
const probeTries = 20

// newMCHypervolume draws so many probes of the part of the objectives' space that some row of fs dominates. The error
// is that of ctx.
func newMCHypervolume(ctx context.Context, fs [][]float64, ref []float64, wanted int) (*mcHypervolume, error) {
	v := &mcHypervolume{}
	best, rows := ideal(fs, ref), newDominanceIndex(fs)
	rng := generator(1, 0x766f6c)
	for tries := probeTries * wanted; tries > 0 && len(v.probes) < wanted; tries -= wanted {
		ys, hit := make([][]float64, min(tries, wanted)), make([]bool, min(tries, wanted))
		for i := range ys {
			ys[i] = make([]float64, len(ref))
			for k := range ys[i] {
				ys[i][k] = best[k] + rng.Float64()*(ref[k]-best[k])
			}
		}
		if err := parallel.For(ctx, 0, len(ys), func(i int) { hit[i] = rows.dominated(ys[i]) }); err != nil {
			return nil, err
		}
		for i, y := range ys {
			if hit[i] && len(v.probes) < wanted {
				v.probes = append(v.probes, y)
			}
		}
	}
	return v, nil
}

// mostVolume returns the indices of at most n rows that dominate most together, as greedy does, told by so many probes.
func mostVolume(ctx context.Context, fs [][]float64, ref []float64, probes, n int, ok func(i int) bool) ([]int, error) {
	v, err := newMCHypervolume(ctx, fs, ref, probes)
	if err != nil {
		return nil, err
	}
	return v.greedy(ctx, fs, n, ok)
}

// weaklyDominates says whether f is at least as good as y in every objective.
func weaklyDominates(f, y []float64) bool {
	for k, a := range f {
		if a > y[k] {
			return false
		}
	}
	return true
}

// greedy returns the indices of at most n rows that dominate the most probes together, each the one that
// adds most to those before it, of those for which ok, if there is such a function, holds. The error is that of ctx.
func (v *mcHypervolume) greedy(ctx context.Context, fs [][]float64, n int, ok func(i int) bool) ([]int, error) {
	covered, err := v.dominated(ctx, fs)
	if err != nil {
		return nil, err
	}
	done := make([]bool, len(v.probes))
	bound := make([]int, len(fs)) // of what a row adds: what it once added
	for i := range fs {
		bound[i] = len(covered[i])
	}
	var out []int
	for len(out) < n {
		best := -1
		for best < 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			top := 0
			for i, b := range bound {
				if b > bound[top] {
					top = i
				}
			}
			if len(bound) == 0 || bound[top] == 0 {
				return out, nil
			}
			fresh := 0
			for _, j := range covered[top] {
				if !done[j] {
					fresh++
				}
			}
			switch {
			case fresh < bound[top]:
				bound[top] = fresh
			case ok == nil || ok(top):
				best = top
			default:
				bound[top] = 0
			}
		}
		out = append(out, best)
		bound[best] = 0
		for _, j := range covered[best] {
			done[j] = true
		}
	}
	return out, nil
}

// dominated are, a row, the probes that it dominates.
func (v *mcHypervolume) dominated(ctx context.Context, fs [][]float64) ([][]int32, error) {
	rows := newDominanceIndex(fs)
	by := make([][]int32, len(v.probes))
	if err := parallel.For(ctx, 0, len(by), func(j int) { by[j] = rows.dominating(nil, v.probes[j]) }); err != nil {
		return nil, err
	}
	covered := make([][]int32, len(fs))
	for j, rows := range by {
		for _, i := range rows {
			covered[i] = append(covered[i], int32(j))
		}
	}
	return covered, nil
}

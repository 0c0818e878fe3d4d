package search

import (
	"context"

	"parfait/parallel"
)

// mcHypervolume compares hypervolumes by Monte Carlo: points that are dominated (probes) are counted, each with its
// weight. Objectives are minimised.
//
// Idea: with many objectives exact algorithms take seconds (the problem is #P-hard: Bringmann and Friedrich 2010).
// A share that is counted on n probes has a standard error of at most 1/(2√n), half a percent for 10,000, in any
// number of objectives, and comparisons are made on the same probes, so that most of the error cancels. They are drawn
// evenly in the box between the ideal and the reference, as long as some of the box is dominated: of 8 objectives a
// thirtieth, of 16 a two-thousandth. Where next to nothing is, every probe is drawn in the box of some row instead, and
// weighs as much as such draws are rare there (Karp, Luby and Madras 1989): of 16 objectives 40 rows chosen so have
// .65 of what all dominate, and .55 by the hundred hits of 200,000 tries.
//
// Invariant: the probes do not depend on anything but the rows, the reference and their number.
//
// Cost: O(probes·rows·m/64) to draw, by dominanceIndex; greedy is the lazy greedy algorithm for submodular
// functions (Minoux 1978): what a row adds only shrinks, so that its last known gain is an upper bound, and most
// rows are never looked at again. What it chooses dominates at least 1 − 1/e as many probes as the best choice
// (Nemhauser, Wolsey and Fisher 1978).
type mcHypervolume struct {
	probes  [][]float64
	weights []float64
}

const (
	probeTries = 20  // how many probes are drawn at most for each that is wanted
	rareHits   = 200 // one hit in so many tries is too few: draws in the boxes of rows have about a tenth of the weight of evenly drawn ones
)

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
				v.probes, v.weights = append(v.probes, y), append(v.weights, 1)
			}
		}
		if tries == probeTries*wanted && rareHits*len(v.probes) < wanted {
			return v, v.drawInRows(ctx, fs, best, ref, wanted)
		}
	}
	return v, nil
}

// drawInRows draws each probe in the box of a row, any of them as often as any other. It weighs one by the density of
// such draws: the sum, over the boxes that it is in, of one by the box's volume.
func (v *mcHypervolume) drawInRows(ctx context.Context, fs [][]float64, best, ref []float64, wanted int) error {
	var within [][]float64
	var density []float64
	for _, f := range fs {
		volume := 1.0
		for k, x := range f {
			volume *= max(ref[k]-x, 0) / max(ref[k]-best[k], 1e-300)
		}
		if volume > 0 {
			within, density = append(within, f), append(density, 1/volume)
		}
	}
	v.probes, v.weights = nil, nil
	if len(within) == 0 {
		return nil
	}
	rng := generator(1, 0x726f7773)
	for range wanted {
		f := within[rng.IntN(len(within))]
		y := make([]float64, len(ref))
		for k := range y {
			y[k] = f[k] + rng.Float64()*(ref[k]-f[k])
		}
		v.probes = append(v.probes, y)
	}
	rows := newDominanceIndex(within)
	v.weights = make([]float64, wanted)
	return parallel.For(ctx, 0, wanted, func(j int) {
		sum := 0.0
		for _, i := range rows.dominating(nil, v.probes[j]) {
			sum += density[i]
		}
		v.weights[j] = 1 / max(sum, 1) // rounding may put a probe beyond the box that it was drawn in
	})
}

// mostVolume returns the indices of at most n rows that dominate most together, as greedy does, told by so many probes.
func mostVolume(ctx context.Context, fs [][]float64, ref []float64, probes, n int) ([]int, error) {
	v, err := newMCHypervolume(ctx, fs, ref, probes)
	if err != nil {
		return nil, err
	}
	return v.greedy(ctx, fs, nil, n)
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
// adds most to those before it and to the rows given. The error is that of ctx.
func (v *mcHypervolume) greedy(ctx context.Context, fs [][]float64, given []int, n int) ([]int, error) {
	c, err := v.choose(ctx, fs, given)
	if err != nil {
		return nil, err
	}
	var out []int
	for len(out) < n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		i := c.best()
		if i < 0 {
			break
		}
		c.take(i)
		out = append(out, i)
	}
	return out, nil
}

// choice is a choice of rows in the making.
type choice struct {
	*mcHypervolume
	covered [][]int32 // a row: the probes that it dominates
	done    []bool    // probes that what was taken dominates
	bound   []float64 // of what a row adds: what it once added
	had     float64   // what was taken dominates, and
	all     float64   // all rows together
	weight  float64   // of what is missing, beside other choices
}

// missing is the share of what all rows dominate that what was taken does not, times the weight.
func (c *choice) missing() float64 { return c.weight * (1 - c.had/max(c.all, c.had, 1e-300)) }

func (v *mcHypervolume) choose(ctx context.Context, fs [][]float64, given []int) (*choice, error) {
	covered, err := v.dominated(ctx, fs)
	if err != nil {
		return nil, err
	}
	c := &choice{mcHypervolume: v, covered: covered, done: make([]bool, len(v.probes)), bound: make([]float64, len(fs)), weight: 1}
	any := make([]bool, len(v.probes))
	for i, probes := range covered {
		for _, j := range probes {
			c.bound[i] += v.weights[j]
			if !any[j] {
				any[j] = true
				c.all += v.weights[j]
			}
		}
	}
	for _, i := range given {
		c.take(i)
	}
	return c, nil
}

func (c *choice) take(i int) {
	c.bound[i] = 0
	for _, j := range c.covered[i] {
		if !c.done[j] {
			c.done[j] = true
			c.had += c.weights[j]
		}
	}
}

// best is the row that adds most to those taken; −1 where none adds any.
func (c *choice) best() int {
	for {
		top := 0
		for i, b := range c.bound {
			if b > c.bound[top] {
				top = i
			}
		}
		if len(c.bound) == 0 || c.bound[top] == 0 {
			return -1
		}
		fresh := 0.0
		for _, j := range c.covered[top] {
			if !c.done[j] {
				fresh += c.weights[j]
			}
		}
		if fresh >= c.bound[top] {
			return top
		}
		c.bound[top] = fresh
	}
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

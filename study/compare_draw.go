package study

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"parfait/parallel"
	"parfait/pareto"
)

// NoiseDraws is how often the true values of all trials are drawn to compare studies.
const NoiseDraws = 400

// falseClaim is how often some of several studies that are truly alike is called worse than another.
const falseClaim = 0.05

// Standing is how several studies stand against each other in one figure, by draws of what is true of their trials.
type Standing struct {
	Value, Std []float64   // a study: mean and standard deviation of the draws
	Order      []int       // the studies, the best first
	Leaders    []int       // the first of Order, and all that noise cannot tell from it
	Ahead      [][]float64 // for every two, the share of the draws in which the first is better; a tie counts a half
}

// judged judges draws (a draw a row, a study a column; more is better). Studies differ where the means of two lie
// farther apart, in standard deviations of their difference, than those of any two do in all but a share level of the
// draws about their means: so that of several that are alike some is called worse no more often than that (Tukey's
// studentised range, with the distribution of the draws for the normal one; Hsu, Multiple Comparisons, 1996).
func judged(draws [][]float64, level float64) Standing {
	n := len(draws[0])
	s := Standing{Value: make([]float64, n), Std: make([]float64, n), Order: make([]int, n), Ahead: make([][]float64, n)}
	column := make([][]float64, n)
	for i := range n {
		s.Order[i] = i
		for _, d := range draws {
			column[i] = append(column[i], d[i])
		}
		s.Value[i], s.Std[i] = stat.MeanStdDev(column[i], nil)
	}
	slices.SortStableFunc(s.Order, func(i, j int) int { return cmp.Compare(s.Value[j], s.Value[i]) })
	apart := make([]float64, len(draws)) // of any two, in a draw
	sd := make([][]float64, n)
	for i := range n {
		s.Ahead[i], sd[i] = make([]float64, n), make([]float64, n)
		for j := range n {
			difference := make([]float64, len(draws))
			floats.SubTo(difference, column[i], column[j])
			_, sd[i][j] = stat.MeanStdDev(difference, nil)
			for d, v := range difference {
				switch {
				case v > 0:
					s.Ahead[i][j] += 1 / float64(len(draws))
				case v == 0:
					s.Ahead[i][j] += 0.5 / float64(len(draws))
				}
				if sd[i][j] > 0 {
					apart[d] = max(apart[d], math.Abs(v-s.Value[i]+s.Value[j])/sd[i][j])
				}
			}
		}
	}
	slices.Sort(apart)
	least := apart[min(int(math.Ceil((1-level)*float64(len(apart)))), len(apart)-1)]
	top := s.Order[0]
	for _, i := range s.Order {
		if d := s.Value[top] - s.Value[i]; i == top || d <= least*sd[top][i] {
			s.Leaders = append(s.Leaders, i)
		}
	}
	return s
}

// mostDrawn is how many trials of a study are drawn jointly, at most: those nearest to its front.
const mostDrawn = 300

// latent draws what is true of the trials of a study, costs a trial a row.
type latent func(rng *rand.Rand, dst [][]float64)

// wider is by how much a surrogate's standard deviations at its own trials are too small, beside what was held out: all of
// them enter a front, and errors of a task are alike. At 1 of two studies that are alike one was called better in a quarter of all
// cases, and that was not true of their trials in one of twenty (bench/verdicts).
const wider = 1.25

// latent draws from the surrogates' joint distribution at n trials, each task's as much wider as predictions that were
// left out were off (Trust.Spread). True values are drawn, and not measurements again: the best of what was measured is
// the luckiest too, the more so the noisier it is and the more there is of it (Binois, Ginsbourger and Roustant,
// Quantifying uncertainty on Pareto fronts with Gaussian process conditional simulations, 2015).
func (in contest) latent(tasks []Task) (n int, draw latent, err error) {
	order, ranks := make([]int, len(in.costs)), pareto.Ranks(in.costs)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return ranks[i] - ranks[j] })
	order = order[:min(len(order), mostDrawn)]
	xs := make([][]float64, len(order))
	for k, i := range order {
		xs[k] = in.a.Trials[in.trials[i]].X
	}
	var means [][]float64
	var covs []*mat.SymDense
	for k, task := range tasks {
		mean, cov := in.fits[k].joint(xs)
		if task.Sense == Maximize {
			floats.Scale(-1, mean)
		}
		cov.ScaleSym(wider*wider, cov)
		means, covs = append(means, mean), append(covs, cov)
	}
	draw, err = pareto.Normals(means, covs)
	return len(order), draw, err
}

// luck is the standard error of the items of each task, which all trials of a study share: 0 where all studies have
// as many, and so the same.
func (c *Comparison) luck(k int, in contest) (stderr float64) {
	if c.differing(func(s Contestant) string { return s.Noise[k].items() }) == "" {
		return 0
	}
	for _, row := range in.stderrs {
		stderr = max(stderr, row[k])
	}
	return stderr
}

// draw draws what is true of all studies' trials, and judges their fronts and the best of each task.
func (c *Comparison) draw(ctx context.Context, box pareto.Box, all []contest) error {
	latents, counts, lucks := make([]latent, len(all)), make([]int, len(all)), make([][]float64, len(all))
	for i, in := range all {
		for k := range c.Tasks {
			lucks[i] = append(lucks[i], c.luck(k, in))
		}
		n, l, err := in.latent(c.Tasks)
		if err != nil {
			return &Error{Code: CodeTooFew, Where: c.Studies[i].Name, What: "what is true of its trials cannot be drawn from its surrogates", Err: err}
		}
		counts[i], latents[i] = n, l
	}
	volumes := make([][]float64, NoiseDraws)
	best := make([][][]float64, len(c.Tasks)) // a task, a draw, a study
	for k := range best {
		best[k] = make([][]float64, NoiseDraws)
	}
	err := parallel.For(ctx, 0, NoiseDraws, func(d int) {
		rng := rand.New(rand.NewPCG(1, uint64(d)))
		tops := make([][]float64, len(c.Tasks))
		for i := range all {
			rows := make([][]float64, counts[i])
			latents[i](rng, rows)
			for k := range c.Tasks {
				shift := rng.NormFloat64() * lucks[i][k]
				top := math.Inf(1)
				for _, row := range rows {
					row[k] += shift
					top = min(top, row[k])
				}
				tops[k] = append(tops[k], -top)
			}
			v, _ := box.Volume(ctx, rows) // whose error is the loop's
			volumes[d] = append(volumes[d], v)
		}
		for k := range tops {
			best[k][d] = tops[k]
		}
	})
	if err := errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	c.Fronts = judged(volumes, falseClaim)
	for k := range c.Tasks {
		s := judged(best[k], falseClaim/float64(len(c.Tasks)))
		s.Value = c.signed(k, s.Value)
		c.On = append(c.On, s)
	}
	return nil
}

// signed turns what is the more the better into values of a task.
func (c *Comparison) signed(k int, values []float64) []float64 {
	if c.Tasks[k].Sense == Minimize {
		floats.Scale(-1, values)
	}
	return values
}

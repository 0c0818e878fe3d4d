package main

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"

	"parfait/evaluator"
	"parfait/evaluator/digits"
	"parfait/parallel"
	"parfait/surrogate/items"
)

var covered = []kind{{digits.Usual, 4, 12, 0}, {digits.Usual, 8, 24, 0}, {digits.Ignorant, 6, 12, 0}}

// coverage are the shares of 90 % intervals that hold.
type coverage struct {
	Of        string  `json:"of"`
	Predictor string  `json:"predictor"`
	Draws     int     `json:"draws"`
	These     float64 `json:"these"` // of the mean over the items of a benchmark
	Again     float64 `json:"again"` // likewise, after fifty items more
	New       float64 `json:"new"`   // of the mean over all images from which benchmarks are drawn
}

// predictors, from the one that is meant to worse than none.
var predictors = []string{"fitted", "the mean of all items", "of another task", "at random", "the wrong way round"}

// cover draws benchmarks of 450 items out of 900, with replacement, and of each a sample.
func (k kind) cover(ctx context.Context, draws int) ([]coverage, error) {
	w, err := k.networks(ctx)
	if err != nil {
		return nil, err
	}
	xs, at := w.points(w.full, 0), w.points(targets, 1)
	answers, truths := w.scores(xs, evaluator.Validation, evaluator.Test), w.scores(at, evaluator.Validation, evaluator.Test)
	predicted := make([][][]float64, k.models) // of each task, of each point, of each of 900 images
	for task := range predicted {
		p, err := w.known(ctx, xs, answers[task], 0)
		if err != nil {
			return nil, err
		}
		for _, x := range at {
			v, _, err := p.At(x)
			if err != nil {
				return nil, err
			}
			predicted[task] = append(predicted[task], v)
		}
	}
	out := make([]coverage, len(predictors))
	errs := make([]error, len(out))
	ended := parallel.For(ctx, 0, len(out), func(i int) {
		out[i] = coverage{Of: k.String(), Predictor: predictors[i], Draws: draws}
		r := rand.New(rand.NewPCG(uint64(i), 5))
		for d := 0; d < draws && errs[i] == nil; d++ {
			task, point := r.IntN(k.models), r.IntN(targets)
			guess := predicted[task][point]
			switch i {
			case 1:
				guess = filled(len(guess), mean(answers[task][r.IntN(w.full)]))
			case 2:
				guess = predicted[(task+1)%k.models][point]
			case 3:
				guess = filled(len(guess), 0)
				for j := range guess {
					guess[j] = r.Float64()
				}
			case 4:
				guess = filled(len(guess), 1)
				for j, v := range predicted[task][point] {
					guess[j] -= v
				}
			}
			errs[i] = out[i].draw(r, guess, truths[task][point])
		}
		for _, v := range []*float64{&out[i].These, &out[i].Again, &out[i].New} {
			*v /= float64(draws)
		}
	})
	return out, errors.Join(append(errs, ended)...)
}

// draw draws one benchmark of the pool, a sample of it, and one more, and counts the intervals that hold.
func (c *coverage) draw(r *rand.Rand, guess, pool []float64) error {
	predicted, scores, std := make([]float64, images), make([]float64, images), make([]float64, images)
	for i := range scores {
		j := r.IntN(len(pool))
		predicted[i], scores[i], std[i] = guess[j], pool[j], math.Sqrt(guess[j]*(1-guess[j]))
	}
	first, err := ask(predicted, std, scores, r.Uint64())
	if err != nil {
		return err
	}
	for _, i := range first.Items {
		std[i] = -1
	}
	second, err := ask(predicted, std, scores, r.Uint64())
	if err != nil {
		return err
	}
	once, err := items.Combine(first)
	if err != nil {
		return err
	}
	twice, err := items.Combine(first, second)
	if err != nil {
		return err
	}
	count := func(into *float64, truth float64, lo, hi float64) {
		if lo <= truth && truth <= hi {
			*into++
		}
	}
	l, h := once.ForThese(0.9)
	count(&c.These, mean(scores), l, h)
	l, h = twice.ForThese(0.9)
	count(&c.Again, mean(scores), l, h)
	l, h = once.ForNew(0.9)
	count(&c.New, mean(pool), l, h)
	return nil
}

func filled(n int, v float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

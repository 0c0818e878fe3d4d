package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"parfait/evaluator"
	"parfait/evaluator/digits"
	"parfait/surrogate/items"
)

// kind is a kind of study: so many models of a recipe, trials that answered all items, and then some that answered fifty.
type kind struct {
	recipe          digits.Recipe
	models          int
	full, thenAsked int
}

func (k kind) String() string {
	s := fmt.Sprintf("%d models, %d full trials", k.models, k.full)
	if k.thenAsked > 0 {
		s += fmt.Sprintf(" and %d of %d items", k.thenAsked, asked)
	}
	if k.recipe != digits.Usual {
		s += ", " + string(k.recipe)
	}
	return s
}

// networks answer items.
type networks struct {
	kind
	landscape *digits.Landscape
	lo, hi    []float64
}

func (k kind) networks(ctx context.Context) (*networks, error) {
	l, err := k.recipe.Landscape(ctx, k.models)
	if err != nil {
		return nil, err
	}
	w := &networks{kind: k, landscape: l, lo: make([]float64, k.models), hi: make([]float64, k.models)}
	for i := range w.hi {
		w.hi[i] = 1.2 * min(1, 2/math.Sqrt(float64(k.models))) // where designs sample
	}
	return w, nil
}

// points are even in the region.
func (w *networks) points(n int, seed uint64) [][]float64 {
	r := rand.New(rand.NewPCG(seed, uint64(w.models)))
	out := make([][]float64, n)
	for i := range out {
		for _, hi := range w.hi {
			out[i] = append(out[i], hi*r.Float64())
		}
	}
	return out
}

// scores are the answers of the merges at xs: of each task, of each merge, of each image of the splits.
func (w *networks) scores(xs [][]float64, splits ...evaluator.Split) [][][]float64 {
	out := make([][][]float64, w.models) // the guard comes last
	for task := range out {
		out[task] = make([][]float64, len(xs))
	}
	for t, x := range xs {
		for _, split := range splits {
			for task, of := range w.landscape.Items(x, split)[:w.models] {
				for _, right := range of {
					v := 0.0
					if right {
						v = 1
					}
					out[task][t] = append(out[task][t], v)
				}
			}
		}
	}
	return out
}

// refit is after how many trials predictions are fitted anew.
const refit = 8

// known are the trials of one task: full ones at xs, and then, one after the other, those that are asked what those before
// leave in doubt.
func (w *networks) known(ctx context.Context, xs [][]float64, scores [][]float64, seed uint64) (*items.Predictor, error) {
	n := len(scores[0])
	var trials []items.Trial
	for t, x := range xs[:w.full] {
		trials = append(trials, items.Trial{X: x, Scores: scores[t]})
	}
	var p *items.Predictor
	var err error
	for t := w.full; t < len(xs); t++ {
		if (t-w.full)%refit == 0 {
			if p, err = items.NewPredictor(ctx, trials, w.lo, w.hi, n); err != nil {
				return nil, err
			}
		}
		predicted, std, err := p.At(xs[t])
		if err != nil {
			return nil, err
		}
		a, err := ask(predicted, std, scores[t], seed+uint64(t))
		if err != nil {
			return nil, err
		}
		trials = append(trials, items.Trial{X: xs[t], Items: a.Items, Scores: a.Scores})
	}
	return items.NewPredictor(ctx, trials, w.lo, w.hi, n)
}

// ask draws fifty items and looks up their answers.
func ask(predicted, std, scores []float64, seed uint64) (items.Asking, error) {
	p, err := items.Probabilities(std, asked)
	if err != nil {
		return items.Asking{}, err
	}
	in, err := items.Draw(p, seed)
	a := items.Asking{Items: in, Probability: p, Predicted: predicted}
	for _, i := range in {
		a.Scores = append(a.Scores, scores[i])
	}
	return a, err
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, a := range v {
		sum += a
	}
	return sum / float64(len(v))
}

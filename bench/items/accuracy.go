package main

import (
	"context"
	"errors"
	"math"

	"parfait/evaluator"
	"parfait/evaluator/digits"
	"parfait/parallel"
	"parfait/surrogate/items"
)

var kinds = []kind{
	{digits.Usual, 4, 12, 0},
	{digits.Usual, 4, 24, 0},
	{digits.Usual, 4, 8, 32},
	{digits.Usual, 6, 12, 0},
	{digits.Usual, 6, 24, 0},
	{digits.Usual, 8, 12, 0},
	{digits.Usual, 8, 24, 0},
	{digits.Mild, 7, 24, 0},
	{digits.Ignorant, 6, 24, 0},
}

// accuracy are the root mean squared errors of a metric from fifty items, over points of the region and tasks.
type accuracy struct {
	Of        string  `json:"of"`
	Cases     int     `json:"cases"`
	Random    float64 `json:"random"`    // items at random
	Predicted float64 `json:"predicted"` // items at random, with predictions
	Active    float64 `json:"active"`    // items by their doubt, with predictions
	Stated    float64 `json:"stated"`    // the standard error of these
	Worth     int     `json:"worth"`     // items at random, without predictions, that would be as good
	All       float64 `json:"all"`       // standard error for new items of all 450
}

// measured points a design, and samples a point.
const targets, samples = 20, 5

func (k kind) measure(ctx context.Context, seeds int) (accuracy, error) {
	w, err := k.networks(ctx)
	if err != nil {
		return accuracy{}, err
	}
	sums := make([]accuracy, seeds*k.models)
	errs := make([]error, len(sums))
	ended := parallel.For(ctx, 0, len(sums), func(i int) { sums[i], errs[i] = w.measure(ctx, uint64(i/k.models), i%k.models) })
	if err := errors.Join(append(errs, ended)...); err != nil {
		return accuracy{}, err
	}
	total := accuracy{Of: k.String()}
	spread := 0.0
	for _, s := range sums {
		total.Cases += s.Cases
		total.Random, total.Predicted, total.Active = total.Random+s.Random, total.Predicted+s.Predicted, total.Active+s.Active
		total.Stated, total.All = total.Stated+s.Stated, total.All+s.All
	}
	spread = total.All / float64(total.Cases)
	n := float64(images)
	total.Worth = int(math.Round(spread / (total.Active/float64(total.Cases) + spread/n)))
	total.All = math.Sqrt(spread / n)
	for _, v := range []*float64{&total.Random, &total.Predicted, &total.Active, &total.Stated} {
		*v = math.Sqrt(*v / float64(total.Cases))
	}
	return total, nil
}

const images = 450 // items of a task

// measure returns sums of squared errors of one task of one design; All is the sum of the variances of the answers.
func (w *networks) measure(ctx context.Context, seed uint64, task int) (sum accuracy, err error) {
	xs := w.points(w.full+w.thenAsked, 2*seed)
	p, err := w.known(ctx, xs, w.scores(xs, evaluator.Validation)[task], seed*1000)
	if err != nil {
		return sum, err
	}
	at := w.points(targets, 2*seed+1)
	for t, scores := range w.scores(at, evaluator.Validation)[task] {
		predicted, std, err := p.At(at[t])
		if err != nil {
			return sum, err
		}
		truth, even := mean(scores), make([]float64, len(scores))
		sum.All += samples * truth * (1 - truth)
		for i := range even {
			even[i] = 1
		}
		for s := range uint64(samples) {
			for _, way := range []struct {
				predicted, std []float64
				into           *float64
			}{{make([]float64, len(scores)), even, &sum.Random}, {predicted, even, &sum.Predicted}, {predicted, std, &sum.Active}} {
				a, err := ask(way.predicted, way.std, scores, seed*1e6+uint64(t)*1000+s)
				if err != nil {
					return sum, err
				}
				e, err := items.Combine(a)
				if err != nil {
					return sum, err
				}
				*way.into += (e.Value - truth) * (e.Value - truth)
				if way.into == &sum.Active {
					sum.Stated += e.These * e.These
				}
			}
			sum.Cases++
		}
	}
	return sum, nil
}

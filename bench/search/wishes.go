package main

import (
	"math"
	"math/rand/v2"

	"parfait/evaluator"
)

// wishes is how many preferences are drawn; before them stands the one that asks for balance (max-min).
const wishes = 100

// preferences are weights a task: equal ones, for the best worst task, and then wishes random ones, even on the
// simplex. What is preferred is the merge with the smallest largest weighted loss (Chebyshev), each task's loss in
// units of the range from the worst anchor to the best.
func (t *truth) preferences() [][]float64 {
	rng := rand.New(rand.NewPCG(5, 5))
	out := make([][]float64, 1+wishes)
	for i := range out {
		w, sum := make([]float64, t.n), 0.0
		for k := range w {
			if w[k] = 1; i > 0 {
				w[k] = rng.ExpFloat64()
			}
			sum += w[k]
		}
		for k := range w {
			w[k] /= sum
		}
		out[i] = w
	}
	return out
}

// scale is, a task, the best and the worst of the anchors, negated.
func (t *truth) scale(split evaluator.Split) (best, worst []float64) {
	for i, v := range t.all(t.anchors(), split) {
		if i == 0 {
			best, worst = append(best, v...), append(worst, v...)
		}
		for k := range v {
			best[k], worst[k] = min(best[k], v[k]), max(worst[k], v[k])
		}
	}
	return best, worst
}

// fallsShort is the largest weighted loss, in units of what the task loses where the weights are equal.
func fallsShort(f, w, best, worst []float64) float64 {
	short := math.Inf(-1)
	for k, v := range f {
		short = max(short, w[k]*float64(len(w))*(v-best[k])/(worst[k]-best[k]))
	}
	return short
}

// picked is, a preference, how far the row that seen prefers truly falls short.
func (t *truth) picked(seen, truths [][]float64) []float64 {
	best, worst := t.scale(evaluator.Test)
	out := make([]float64, 0, 1+wishes)
	for _, w := range t.preferences() {
		at, least := -1, math.Inf(1)
		for i, f := range seen {
			if v := fallsShort(f, w, best, worst); v < least {
				at, least = i, v
			}
		}
		out = append(out, fallsShort(truths[at], w, best, worst))
	}
	return out
}

// wished is what could be picked of xs on validation.
func (t *truth) wished(xs [][]float64) []float64 {
	return t.picked(t.all(xs, evaluator.Validation), t.all(xs, evaluator.Test))
}

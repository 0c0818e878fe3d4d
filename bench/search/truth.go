package main

import (
	"context"
	"fmt"
	"math"
	"sync"

	"parfait/evaluator"
	"parfait/evaluator/digits"
	"parfait/parallel"
	"parfait/search"
	"parfait/surrogate"
)

// truth is the landscape of merging n experts of a recipe. What is searched is the accuracy on the validation images,
// what is judged the accuracy on the test images: a front that only knows the luck of its images gains
// nothing by it.
type truth struct {
	landscape *digits.Landscape
	recipe    digits.Recipe
	n         int
	space     search.Space
	tasks     []search.Task
	mu        sync.Mutex
	known     map[evaluator.Split]map[string][]float64
}

const images = 450 // behind each accuracy

func newTruth(ctx context.Context, r digits.Recipe, n int) (*truth, error) {
	l, err := r.Landscape(ctx, n)
	if err != nil {
		return nil, err
	}
	t := &truth{landscape: l, recipe: r, n: n, known: map[evaluator.Split]map[string][]float64{evaluator.Validation: {}, evaluator.Test: {}}}
	for _, name := range digits.Tasks(n) {
		t.space.Coefficients = append(t.space.Coefficients, search.Coefficient{Name: name, Model: name, Lo: 0, Hi: 1.2, Kind: search.Scaling})
		t.tasks = append(t.tasks, search.Task{Name: name, Link: surrogate.Logit, Maximize: true, Optimise: true})
	}
	return t, nil
}

// errors are the error rates less one, the accuracies negated: minimised.
func (t *truth) negated(x []float64, split evaluator.Split) []float64 {
	key := fmt.Sprint(x)
	t.mu.Lock()
	v, ok := t.known[split][key]
	t.mu.Unlock()
	if ok {
		return v
	}
	v = t.landscape.Values(nil, x, split)[:t.n] // the guard comes last
	for i := range v {
		v[i] = -v[i]
	}
	t.mu.Lock()
	t.known[split][key] = v
	t.mu.Unlock()
	return v
}

// all is negated at many points, on every processor.
func (t *truth) all(xs [][]float64, split evaluator.Split) [][]float64 {
	out := make([][]float64, len(xs))
	_ = parallel.For(context.Background(), 0, len(xs), func(i int) { out[i] = t.negated(xs[i], split) })
	return out
}

// point measures x as a study would.
func (t *truth) point(x []float64) search.Point {
	p := search.Point{X: x}
	for _, v := range t.negated(x, evaluator.Validation) {
		p.Y = append(p.Y, search.Measurement{Value: -v, Stderr: math.Sqrt(-v * (1 + v) / images), N: images})
	}
	return p
}

// anchors are the base, each model alone, and (s/2)·1 with s = min(1, 2/√N).
func (t *truth) anchors() [][]float64 {
	out := [][]float64{make([]float64, t.n)}
	half := make([]float64, t.n)
	for i := range t.n {
		x := make([]float64, t.n)
		x[i] = 1
		half[i] = t.shrink() / 2
		out = append(out, x)
	}
	return append(out, half)
}

func (t *truth) shrink() float64 { return min(1, 2/math.Sqrt(float64(t.n))) }

// archived is the name of an archive of the landscape.
func (t *truth) archived(what string) string {
	if t.recipe == digits.Usual {
		return fmt.Sprintf("testdata/%s-%d.json", what, t.n)
	}
	return fmt.Sprintf("testdata/%s-%s-%d.json", what, t.recipe, t.n)
}

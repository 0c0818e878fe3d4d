package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"parfait/evaluator"
	"parfait/study"
)

// world is a known truth: rates that are logistic in a quadratic of the coefficients.
type world struct {
	truth  int     // which
	models int     // and coefficients
	tasks  int     // each has a model of its own, and optima that others share a little
	shift  float64 // of all tasks, in logits
	items  int     // of a measurement
	shared float64 // of an item's luck, what it has at every merge: 0 where items are redrawn
	noise  string  // names the draws
	trials int
	search int     // seed of the search
	asks   string  // strategy
	salt   string  // of measurements that are made anew
	dip    float64 // between any two models, in logits
	loss   bool    // tasks are losses, with standard errors
}

// random is a generator of its own for what is named.
func random(name string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return rand.New(rand.NewPCG(h.Sum64(), 0x76657264))
}

// lossNoise is the standard deviation of an item's loss, as a share of the loss.
const lossNoise = 0.5

// rate is the true rate of a task at x, or its loss.
func (w world) rate(task int, x []float64) float64 {
	r := random(fmt.Sprintf("truth %d %d %d", w.truth, w.models, task))
	own := task % w.models
	centre, weight := make([]float64, w.models), make([]float64, w.models)
	for j := range centre {
		if j == own {
			centre[j], weight[j] = 0.75+0.2*r.Float64(), 2+1.5*r.Float64()
		} else {
			centre[j], weight[j] = 0.05+0.3*r.Float64(), 0.8+1.2*r.Float64()
		}
	}
	eta := 1.2 + r.Float64() + w.shift
	for j, v := range x {
		eta -= weight[j] * (v - centre[j]) * (v - centre[j])
	}
	for i, v := range x {
		for _, u := range x[:i] {
			eta -= 4 * w.dip * u * v
		}
	}
	if w.loss {
		return 2 * math.Exp(-0.4*eta)
	}
	return 1 / (1 + math.Exp(-eta))
}

// right is how many of the items of a split a merge gets right. Where items are shared each has a luck of its own,
// which is most of what decides, and the merge a little beside.
func (w world) right(task int, x []float64, split evaluator.Split) int {
	p, k := w.rate(task, x), 0
	own := random(fmt.Sprintf("%s %s %d %v %s", w.noise, split, task, x, w.salt))
	if w.shared == 0 {
		for range w.items {
			if own.Float64() < p {
				k++
			}
		}
		return k
	}
	item := random(fmt.Sprintf("%s %s %d", w.noise, split, task))
	a, b := math.Sqrt(w.shared), math.Sqrt(1-w.shared)
	at := distuv.UnitNormal.Quantile(p)
	for range w.items {
		if a*item.NormFloat64()+b*own.NormFloat64() < at {
			k++
		}
	}
	return k
}

// here is the true rate of a task at x on the items of the validation split: what a merge there gets right on average.
func (w world) here(task int, x []float64) float64 {
	if w.shared == 0 {
		return w.rate(task, x)
	}
	if w.loss {
		return w.rate(task, x) * (1 + math.Sqrt(w.shared)*w.lucky(fmt.Sprintf("%s %s %d", w.noise, evaluator.Validation, task)))
	}
	item := random(fmt.Sprintf("%s %s %d", w.noise, evaluator.Validation, task))
	a, b := math.Sqrt(w.shared), math.Sqrt(1-w.shared)
	at, sum := distuv.UnitNormal.Quantile(w.rate(task, x)), 0.0
	for range w.items {
		sum += distuv.UnitNormal.CDF((at - a*item.NormFloat64()) / b)
	}
	return sum / float64(w.items)
}

// lucky is what a mean of as many items as a measurement has is off by, as a share of a loss.
func (w world) lucky(name string) float64 {
	return lossNoise / math.Sqrt(float64(w.items)) * random(name).NormFloat64()
}

// measured is what an evaluator reports of a task: a rate and its number of items, or a loss and its standard error.
func (w world) measured(task int, x []float64, split evaluator.Split) evaluator.Metric {
	if w.loss {
		own := w.lucky(fmt.Sprintf("%s %s %d %v %s", w.noise, split, task, x, w.salt))
		all := w.lucky(fmt.Sprintf("%s %s %d", w.noise, split, task))
		v := w.rate(task, x) * (1 + math.Sqrt(w.shared)*all + math.Sqrt(1-w.shared)*own)
		return evaluator.Metric{Value: v, Stderr: w.stderr(task, x)}
	}
	return evaluator.Metric{Value: float64(w.right(task, x, split)) / float64(w.items), N: w.items}
}

// play runs a study of the world by the real runner, and returns what it knows at the end.
func (w world) play(ctx context.Context) (snap *study.Snapshot, err error) {
	dir, err := os.MkdirTemp("", "verdicts-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var spec strings.Builder
	spec.WriteString("version: 1\nbase: base\nmodels:\n")
	for i := range w.models {
		fmt.Fprintf(&spec, "  - {name: m%d, path: m%d, range: [0, 1.2]}\n", i, i)
	}
	spec.WriteString("tasks:\n")
	for i := range w.tasks {
		fmt.Fprintf(&spec, "  - {name: t%d, unit: %s}\n", i, map[bool]string{false: "rate", true: "loss"}[w.loss])
	}
	spec.WriteString("evaluators:\n  main: {command: ['true'], model: false, parallel: 2}\n")
	fmt.Fprintf(&spec, "search: {strategy: %s, order: fixed, budget: %d, seed: %d}\n", w.asks, w.trials, w.search)
	if err := os.WriteFile(filepath.Join(dir, study.SpecFile), []byte(spec.String()), 0o644); err != nil {
		return nil, err
	}
	s, err := study.Open(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	measure := func(_ context.Context, c evaluator.Candidate, _ func(evaluator.Progress)) (evaluator.Metrics, error) {
		x, m := make([]float64, len(c.At)), evaluator.Metrics{}
		for i, v := range c.At {
			x[i] = v.Value
		}
		for i := range w.tasks {
			m[fmt.Sprintf("t%d", i)] = w.measured(i, x, c.Split)
		}
		return m, nil
	}
	err = s.Run(ctx, study.RunOptions{Simulate: &study.Simulation{
		Now: time.Now, Evaluators: map[string]evaluator.Evaluator{"main": evaluator.Blocking(evaluator.Limits{InFlight: 2}, measure)},
	}})
	if err != nil {
		return nil, err
	}
	return s.Load(ctx)
}

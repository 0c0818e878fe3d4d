package main

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"

	"parfait/parallel"
	"parfait/search"
	"parfait/surrogate"
)

// A terrain is a made landscape on which merges break: rates of several tasks that are smooth and trade off, but
// fall to their floor beyond an edge. Every seed makes another one.
type terrain struct {
	name  string
	doc   string
	tasks int // and coefficients
	make  func(rng *rand.Rand, tasks int) func(x []float64) []float64
}

// edgeWidth is how far, in units of the ranges, a task takes from four fifths of itself to a fifth is 2.8 of it.
const edgeWidth = 0.02

var terrains = []terrain{
	{"smooth", "no cliff: what must not suffer", 4, smooth},
	{"too-much", "every task collapses where its coefficients together are large, and is best shortly before", 4, tooMuch},
	{"one-task", "one task of four collapses in a part of the region, the others do not", 4, oneTask},
	{"ignorant", "the base, and what is near it, scores nothing; too much collapses as well", 6, ignorant},
}

// tradeOff is smooth: every task gains by its own coefficient and loses or gains a little by the others.
func tradeOff(rng *rand.Rand, tasks int) func(x []float64) []float64 {
	own, others, level := make([]float64, tasks), make([][]float64, tasks), make([]float64, tasks)
	for t := range own {
		own[t], level[t] = 2+2*rng.Float64(), -1.5+rng.Float64()
		others[t] = make([]float64, tasks)
		for j := range others[t] {
			others[t][j] = 0.4 - 1.6*rng.Float64()
		}
	}
	return func(x []float64) []float64 {
		out := make([]float64, tasks)
		for t := range out {
			eta := level[t] + own[t]*x[t]*(1.6-0.6*x[t])
			for j, v := range x {
				if j != t {
					eta += others[t][j] * v * v / math.Sqrt(float64(tasks-1))
				}
			}
			out[t] = 1 / (1 + math.Exp(-eta))
		}
		return out
	}
}

func smooth(rng *rand.Rand, tasks int) func(x []float64) []float64 { return tradeOff(rng, tasks) }

// beyond is 1 where a weighted norm of x is below the edge, 0 above.
func beyond(x, weight []float64, edge float64) float64 {
	sum := 0.0
	for j, v := range x {
		sum += weight[j] * v * v
	}
	return 1 / (1 + math.Exp((math.Sqrt(sum/float64(len(x)))-edge)/edgeWidth))
}

func weights(rng *rand.Rand, n int) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = 0.5 + rng.Float64()
	}
	return w
}

func tooMuch(rng *rand.Rand, tasks int) func(x []float64) []float64 {
	f := tradeOff(rng, tasks)
	weight, edge := make([][]float64, tasks), make([]float64, tasks)
	for t := range weight {
		weight[t], edge[t] = weights(rng, tasks), 0.55+0.2*rng.Float64()
	}
	return func(x []float64) []float64 {
		y := f(x)
		for t := range y {
			y[t] = 0.01 + (y[t]-0.01)*beyond(x, weight[t], edge[t])
		}
		return y
	}
}

func oneTask(rng *rand.Rand, tasks int) func(x []float64) []float64 {
	f, which := tradeOff(rng, tasks), rng.IntN(tasks)
	weight, edge := weights(rng, tasks), 0.5+0.15*rng.Float64()
	weight[which] = 0
	return func(x []float64) []float64 {
		y := f(x)
		y[which] = 0.1 + (y[which]-0.1)*beyond(x, weight, edge)
		return y
	}
}

func ignorant(rng *rand.Rand, tasks int) func(x []float64) []float64 {
	f := tooMuch(rng, tasks)
	weight, edge := make([][]float64, tasks), make([]float64, tasks)
	for t := range weight {
		weight[t], edge[t] = weights(rng, tasks), 0.25+0.1*rng.Float64()
	}
	return func(x []float64) []float64 {
		y := f(x)
		for t := range y {
			y[t] *= 1 - beyond(x, weight[t], edge[t])
		}
		return y
	}
}

// edgeSizes are the numbers of trials after which a front is judged.
var edgeSizes = []int{20, 40, 60}

// edgeRow is how the predicted fronts of one terrain were after n adaptive trials. Values are shares of a task's
// range, from the worst to the best that it has.
type edgeRow struct {
	Terrain  string  `json:"terrain"`
	N        int     `json:"n"`
	Coverage float64 `json:"coverage"`        // share of true values on the front in their 90 % intervals: mean over seeds
	Width    float64 `json:"width"`           // of these intervals, likewise
	Optimism float64 `json:"optimism"`        // predicted less true of the most balanced point, mean over its tasks and the seeds
	Spread   float64 `json:"optimism_spread"` // standard error of that mean
	Worst    float64 `json:"optimism_worst"`  // largest of a task of it, median over seeds
	Gap      float64 `json:"gap"`             // what its true worst task lacks to the best there is: mean over seeds
}

// outcome is how one predicted front was.
type outcome struct{ coverage, width, optimism, worst, gap float64 }

// edges judges the program's fronts on a terrain, after trials of the default strategy.
func edges(ctx context.Context, t terrain, seeds int) ([]edgeRow, error) {
	all, errs := make([][]outcome, seeds), make([]error, seeds)
	err := parallel.For(ctx, 0, seeds, func(s int) {
		p := newPlayground(t, uint64(s))
		xs, err := p.sample(ctx, edgeSizes[len(edgeSizes)-1], uint64(s))
		for _, n := range edgeSizes {
			var o outcome
			if err == nil {
				o, err = p.judge(ctx, xs[:n])
			}
			all[s], errs[s] = append(all[s], o), err
		}
	})
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	var rows []edgeRow
	for i, n := range edgeSizes {
		of := func(figure func(o outcome) float64) (out []float64) {
			for _, o := range all {
				out = append(out, figure(o[i]))
			}
			return out
		}
		optimism := of(func(o outcome) float64 { return o.optimism })
		m := mean(optimism)
		rows = append(rows, edgeRow{
			Terrain: t.name, N: n, Optimism: m,
			Spread:   math.Sqrt(max(squares(optimism)/float64(seeds)-m*m, 0) / float64(max(seeds-1, 1))),
			Coverage: mean(of(func(o outcome) float64 { return o.coverage })),
			Width:    mean(of(func(o outcome) float64 { return o.width })),
			Worst:    quantile(of(func(o outcome) float64 { return o.worst }), 0.5),
			Gap:      mean(of(func(o outcome) float64 { return o.gap })),
		})
	}
	return rows, nil
}

// judge compares the front that is predicted from the trials xs with the truth.
func (p *playground) judge(ctx context.Context, xs [][]float64) (outcome, error) {
	land, err := search.Fit(ctx, p.question(xs))
	if err != nil {
		return outcome{}, err
	}
	front, err := land.Front(ctx, 200)
	if err != nil {
		return outcome{}, err
	}
	var o outcome
	var pick []float64
	most, each := math.Inf(-1), 1/float64(len(front)*p.tasks)
	for _, x := range front {
		least := math.Inf(1)
		for k, y := range p.f(x) {
			s := land.Surrogate(k)
			least = min(least, p.scaled(k, s.Mean(nil, x)))
			lo, hi := s.Interval(x, 0.9)
			o.width += each * (hi - lo) / (p.hi[k] - p.lo[k])
			if lo <= y && y <= hi {
				o.coverage += each
			}
		}
		if least > most {
			pick, most = x, least
		}
	}
	for k, y := range p.f(pick) {
		off := p.scaled(k, land.Surrogate(k).Mean(nil, pick)) - p.scaled(k, y)
		o.optimism, o.worst = o.optimism+off/float64(p.tasks), max(o.worst, off)
	}
	o.gap = p.balanced - p.least(pick)
	return o, nil
}

// playground is one terrain as a strategy sees it.
type playground struct {
	terrain
	f        func(x []float64) []float64
	space    search.Space
	goals    []search.Task
	lo, hi   []float64 // of every task
	balanced float64   // the best worst task there is, about
}

func newPlayground(t terrain, seed uint64) *playground {
	p := &playground{terrain: t, f: t.make(rand.New(rand.NewPCG(seed, 23)), t.tasks), balanced: math.Inf(-1)}
	for k := range t.tasks {
		name := string(rune('a' + k))
		p.space.Coefficients = append(p.space.Coefficients, search.Coefficient{Name: name, Model: name, Lo: 0, Hi: 1, Kind: search.Scaling})
		p.goals = append(p.goals, search.Task{Name: name, Link: surrogate.Logit, Maximize: true, Optimise: true})
	}
	xs := uniform(4000, t.tasks, 1, seed)
	p.lo, p.hi = slices.Clone(p.f(xs[0])), slices.Clone(p.f(xs[0]))
	for _, x := range xs {
		for k, y := range p.f(x) {
			p.lo[k], p.hi[k] = min(p.lo[k], y), max(p.hi[k], y)
		}
	}
	best := xs[0]
	for _, x := range xs {
		if b := p.least(x); b > p.balanced {
			best, p.balanced = x, b
		}
	}
	rng := rand.New(rand.NewPCG(seed, 29))
	for i := range 4000 { // uphill from there
		x := slices.Clone(best)
		for k := range x {
			x[k] = min(max(x[k]+rng.NormFloat64()*0.2*math.Pow(0.999, float64(i)), 0), 1)
		}
		if b := p.least(x); b > p.balanced {
			best, p.balanced = x, b
		}
	}
	return p
}

func (p *playground) scaled(task int, y float64) float64 {
	return (y - p.lo[task]) / (p.hi[task] - p.lo[task])
}

func (p *playground) least(x []float64) float64 {
	least := math.Inf(1)
	for k, y := range p.f(x) {
		least = min(least, p.scaled(k, y))
	}
	return least
}

func (p *playground) question(xs [][]float64) search.Question {
	q := search.Question{Space: p.space, Tasks: p.goals}
	for _, x := range xs {
		point := search.Point{X: x}
		for _, y := range p.f(x) {
			point.Y = append(point.Y, search.Measurement{Value: math.Round(y*images) / images, N: images})
		}
		q.Done = append(q.Done, point)
	}
	return q
}

// sample is what the default strategy asks for, each batch asked for when the one before is measured.
func (p *playground) sample(ctx context.Context, n int, seed uint64) ([][]float64, error) {
	s, err := search.New("adaptive", nil)
	if err != nil {
		return nil, err
	}
	var xs [][]float64
	for b := 0; len(xs) < n; b++ {
		q := p.question(xs)
		q.Batch, q.N, q.Budget, q.Asked, q.Seed = b, min(batch, n-len(xs)), n, len(xs), seed
		asked, err := s.Ask(ctx, q)
		if err != nil {
			return nil, err
		}
		if asked.Stop != "" {
			return nil, errors.New(asked.Stop)
		}
		xs = append(xs, asked.Xs()...)
	}
	return xs, nil
}

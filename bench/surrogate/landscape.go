package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"parfait/evaluator"
	"parfait/evaluator/digits"
	"parfait/parallel"
	"parfait/search"
	"parfait/surrogate"
)

// landscape is the accuracy of merging experts that read handwritten digits, one coefficient and one task an
// expert: known everywhere, so that a fit can be compared with the truth.
type landscape struct {
	digits   *digits.Landscape
	n        int     // experts, coefficients and tasks
	top      float64 // of each coefficient's range
	space    search.Space
	tasks    []search.Task
	testSets []testSet
	mu       sync.Mutex
	known    map[string][]float64
}

const images = 450 // behind each accuracy

// testSet is where fits are tested, and what is true there.
type testSet struct {
	name string
	doc  string
	xs   [][]float64
	ys   [][]float64 // a point, a task
}

func newLandscape(ctx context.Context, experts, points int, top float64) (*landscape, error) {
	d, err := digits.NewLandscape(ctx, experts)
	if err != nil {
		return nil, err
	}
	l := &landscape{digits: d, n: experts, top: top, known: map[string][]float64{}}
	for _, name := range digits.Tasks(experts) {
		l.space.Coefficients = append(l.space.Coefficients, search.Coefficient{Name: name, Model: name, Lo: 0, Hi: top, Kind: search.Scaling})
		l.tasks = append(l.tasks, search.Task{Name: name, Link: surrogate.Logit, Maximize: true, Optimise: true})
	}
	front, err := l.front(ctx, points)
	if err != nil {
		return nil, err
	}
	for _, p := range []testSet{
		{name: "region", doc: fmt.Sprintf("even in [0, s·%g]^%d, s = min(1, 2/√N) = %.2f: where designs sample", top, experts, l.scale()), xs: uniform(points, experts, l.scale()*l.top, 1)},
		{name: "front", doc: "on the front of processes fitted to 400 other points of the region", xs: front},
		{name: "box", doc: fmt.Sprintf("even in [0, %g]^%d, corners and all", top, experts), xs: uniform(points, experts, top, 2)},
	} {
		p.ys = l.all(p.xs)
		l.testSets = append(l.testSets, p)
	}
	return l, nil
}

// scale is the s of the scaled box.
func (l *landscape) scale() float64 { return min(1, 2/math.Sqrt(float64(l.n))) }

// at is the true accuracy of every task at x, on the validation images.
func (l *landscape) at(x []float64) []float64 {
	key := fmt.Sprint(x)
	l.mu.Lock()
	v, ok := l.known[key]
	l.mu.Unlock()
	if ok {
		return v
	}
	v = l.digits.Values(nil, x, evaluator.Validation)[:l.n] // the guard comes last
	l.mu.Lock()
	l.known[key] = v
	l.mu.Unlock()
	return v
}

func (l *landscape) all(xs [][]float64) [][]float64 {
	out := make([][]float64, len(xs))
	_ = parallel.For(context.Background(), 0, len(xs), func(i int) { out[i] = l.at(xs[i]) })
	return out
}

// front is an approximation of the true Pareto set that no fit under test has a part in.
func (l *landscape) front(ctx context.Context, n int) ([][]float64, error) {
	xs := uniform(400, l.n, l.scale()*l.top, 3)
	fit, err := search.Fit(ctx, search.Question{Space: l.space, Tasks: l.tasks, Done: l.points(xs)})
	if err != nil {
		return nil, err
	}
	return fit.Front(ctx, n)
}

// batch is how many points a strategy is asked for at a time.
const batch = 4

// sample is what a strategy asks for, batch after batch, each asked for before the batch before it is
// measured, as in a study. The program's own design looks at no metric: anchors, I-optimal points, gaps.
func (l *landscape) sample(ctx context.Context, strategy string, n int, seed uint64) ([][]float64, error) {
	s, err := search.New(strategy, nil)
	if err != nil {
		return nil, err
	}
	var done []search.Point
	var pending, all [][]float64
	for b := 0; len(all) < n; b++ {
		p, err := s.Ask(ctx, search.Question{
			Space: l.space, Tasks: l.tasks, Done: done, Pending: pending,
			Batch: b, N: min(batch, n-len(all)), Budget: n, Asked: len(all), Seed: seed,
		})
		if err != nil {
			return nil, err
		}
		if p.Stop != "" {
			return nil, fmt.Errorf("%s has asked for %d points of %d: %s", strategy, len(all), n, p.Stop)
		}
		done = append(done, l.points(pending)...)
		pending = p.Xs()
		all = append(all, pending...)
	}
	return all, nil
}

// points are what a study would know of xs.
func (l *landscape) points(xs [][]float64) []search.Point {
	out := make([]search.Point, len(xs))
	for i, y := range l.all(xs) {
		out[i] = search.Point{X: xs[i]}
		for _, v := range y {
			out[i].Y = append(out[i].Y, search.Measurement{Value: v, N: images})
		}
	}
	return out
}

// data are the measurements of every task at xs. items is how many images each is measured on, drawn anew
// for every point; 0: all of them, without noise.
func (l *landscape) data(xs [][]float64, items int, seed uint64) []surrogate.Data {
	rng := rand.New(rand.NewPCG(seed, 7))
	out := make([]surrogate.Data, l.n)
	ys := l.all(xs)
	for t := range out {
		d := surrogate.Data{X: xs, Lo: make([]float64, l.n), Hi: slices.Repeat([]float64{l.top}, l.n), Link: surrogate.Logit}
		for _, y := range ys {
			v, n := y[t], images
			if items > 0 {
				v, n = binomial(rng, y[t], items), items
			}
			d.Y, d.N = append(d.Y, v), append(d.N, n)
		}
		out[t] = d
	}
	return out
}

// binomial is the share of n draws that succeed with probability p.
func binomial(rng *rand.Rand, p float64, n int) float64 {
	k := 0
	for range n {
		if rng.Float64() < p {
			k++
		}
	}
	return float64(k) / float64(n)
}

// uniform returns n points of [0, hi]^d.
func uniform(n, d int, hi float64, seed uint64) [][]float64 {
	rng := rand.New(rand.NewPCG(seed, 11))
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, d)
		for k := range out[i] {
			out[i][k] = hi * rng.Float64()
		}
	}
	return out
}

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"gonum.org/v1/gonum/mat"

	"parfait/pareto"
	"parfait/search"
	"parfait/surrogate"
)

// frontTiming is a front on the surrogates of a made-up study, by gradients and by NSGA-III.
type frontTiming struct {
	Tasks       int     `json:"tasks"` // objectives, and as many coefficients
	Trials      int     `json:"trials"`
	Points      int     `json:"points"`
	Best        float64 `json:"best_ms"`
	Median      float64 `json:"median_ms"`
	CPU         float64 `json:"cpu_ms"`      // of all processors, best: what counts where others are at work
	Evaluations int64   `json:"evaluations"` // a Jacobian counts as one more
	Volume      float64 `json:"hypervolume"` // share of the box between the ideal and the nadir, sampled
	Bounded     float64 `json:"bounded_ms"`  // best, within where the surrogates may be believed
	BoundedCPU  float64 `json:"bounded_cpu_ms"`
	NSGA3       struct {
		Millis      float64 `json:"ms"`
		CPU         float64 `json:"cpu_ms"`
		Evaluations int64   `json:"evaluations"`
		Points      int     `json:"points"`
		Volume      float64 `json:"hypervolume"`
	} `json:"nsga3"`
}

// String is a row of a table for people.
func (f frontTiming) String() string {
	return fmt.Sprintf("front of %d points, %d tasks, %d trials: %.0f ms (CPU %.0f; bounded %.0f, CPU %.0f), %d evaluations, hypervolume %.4f   NSGA-III %.0f ms (CPU %.0f), %d evaluations, %.4f",
		f.Points, f.Tasks, f.Trials, f.Best, f.CPU, f.Bounded, f.BoundedCPU, f.Evaluations, f.Volume,
		f.NSGA3.Millis, f.NSGA3.CPU, f.NSGA3.Evaluations, f.NSGA3.Volume)
}

// landscape fits surrogates to rates that each peak where one coefficient is large.
func (b *bench) landscape(tasks, trials int) (*search.Landscape, error) {
	rng := rand.New(rand.NewPCG(1, uint64(tasks)))
	var space search.Space
	var ts []search.Task
	for i := range tasks {
		name := fmt.Sprintf("t%d", i)
		space.Coefficients = append(space.Coefficients, search.Coefficient{Name: name, Hi: 1.2, Kind: search.Scaling, Model: name})
		ts = append(ts, search.Task{Name: name, Link: surrogate.Logit, Maximize: true, Optimise: true})
	}
	points := make([]search.Point, trials)
	for n := range points {
		x := make([]float64, tasks)
		for j := range x {
			x[j] = rng.Float64() * 1.2 * min(1, 2/math.Sqrt(float64(tasks)))
		}
		points[n].X = x
		for k := range tasks {
			r := -1.5
			for j, v := range x {
				peak := 0.1
				if j == k {
					peak = 0.7
				}
				r += (0.8 + 0.1*float64((j+k)%5)) * (v - peak) * (v - peak)
			}
			rate := 1/(1+math.Exp(2*r)) + 0.01*rng.NormFloat64()
			points[n].Y = append(points[n].Y, search.Measurement{Value: min(max(rate, 0), 1), N: 1000})
		}
	}
	return search.Fit(b.ctx, search.Question{Space: space, Tasks: ts, Done: points})
}

// fronts times fronts of 500 points.
func (b *bench) fronts() ([]frontTiming, error) {
	var out []frontTiming
	for _, tasks := range []int{2, 3, 8} {
		l, err := b.landscape(tasks, 100)
		if err != nil {
			return nil, err
		}
		var n atomic.Int64
		p := counted(l.Problem(), &n)
		f := frontTiming{Tasks: tasks, Trials: 100}
		var fs [][]float64
		millis, busy, err := b.repeat(func() (err error) {
			n.Store(0)
			_, fs, err = pareto.Front(b.ctx, p, pareto.FrontOptions{N: 500})
			return err
		})
		if err != nil {
			return nil, err
		}
		f.Best, f.Median, f.CPU = slices.Min(millis), median(millis), slices.Min(busy)
		f.Points, f.Evaluations = len(fs), n.Load()
		millis, busy, err = b.repeat(func() error {
			_, err := l.Front(b.ctx, 500)
			return err
		})
		if err != nil {
			return nil, err
		}
		f.Bounded, f.BoundedCPU = slices.Min(millis), slices.Min(busy)
		n.Store(0)
		start, used := time.Now(), cpu()
		_, ns, err := pareto.NSGA3(b.ctx, p, pareto.NSGA3Options{Directions: pareto.Directions(tasks, 250), Generations: 250})
		if err != nil {
			return nil, err
		}
		f.NSGA3.CPU = (cpu() - used).Seconds() * 1e3
		f.NSGA3.Millis, f.NSGA3.Evaluations, f.NSGA3.Points = time.Since(start).Seconds()*1e3, n.Load(), len(ns)
		f.Volume, f.NSGA3.Volume = shares(fs, ns)
		b.say("%s", f)
		out = append(out, f)
	}
	return out, nil
}

// repeat measures f for about a second, at least three times: in milliseconds, by the clock and of CPU.
func (b *bench) repeat(f func() error) (clock, busy []float64, err error) {
	for begin := time.Now(); len(clock) < 3 || time.Since(begin).Seconds() < b.seconds; {
		start, used := time.Now(), cpu()
		if err := f(); err != nil {
			return nil, nil, err
		}
		clock, busy = append(clock, time.Since(start).Seconds()*1e3), append(busy, (cpu()-used).Seconds()*1e3)
	}
	return clock, busy, nil
}

// cpu is the time that this process has used, on all processors.
func cpu() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// counted counts evaluations.
func counted(p pareto.Problem, n *atomic.Int64) pareto.Problem {
	eval, jacobian, both := p.Eval, p.Jacobian, p.EvalJacobian
	p.Eval = func(dst, x []float64) { n.Add(1); eval(dst, x) }
	p.Jacobian = func(dst *mat.Dense, x []float64) { n.Add(1); jacobian(dst, x) }
	if both != nil {
		p.EvalJacobian = func(dst []float64, jac *mat.Dense, x []float64) { n.Add(2); both(dst, jac, x) }
	}
	return p
}

// shares samples how much of the box between the ideal and the nadir of both sets each dominates.
func shares(a, b [][]float64) (float64, float64) {
	all := slices.Concat(a, b)
	lo, hi := slices.Clone(all[0]), slices.Clone(all[0])
	for _, f := range all {
		for k, v := range f {
			lo[k], hi[k] = min(lo[k], v), max(hi[k], v)
		}
	}
	const draws = 200000
	rng := rand.New(rand.NewPCG(1, 1))
	y := make([]float64, len(lo))
	inA, inB := 0, 0
	dominates := func(f []float64) bool { return pareto.Dominates(f, y) }
	for range draws {
		for k := range y {
			y[k] = lo[k] + (hi[k]-lo[k])*rng.Float64()
		}
		if slices.ContainsFunc(a, dominates) {
			inA++
		}
		if slices.ContainsFunc(b, dominates) {
			inB++
		}
	}
	return float64(inA) / draws, float64(inB) / draws
}

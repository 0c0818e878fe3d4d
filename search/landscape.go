package search

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"parfait/pareto"
	"parfait/surrogate"
)

// Landscape is the fitted surrogates of one question. Immutable and safe for concurrent use.
type Landscape struct {
	space Space
	tasks []Task
	fits  []fit
	goals []int // indices of the tasks that are optimised
	// starts are measured points from which the front is looked for.
	starts [][]float64
	ref    []float64 // from which hypervolume is counted
	// failed and worked are where measuring failed and where it did not.
	failed, worked [][]float64
}

type fit struct {
	surrogate surrogate.Surrogate
	trust     surrogate.Trust
	used      []int
	spread    float64 // range of the measured values
}

// Fit fits one surrogate a task to the points that have it measured, tasks in parallel; the result does
// not depend on how many run at once. warm may be nil or the landscape of fewer points; the result does
// not depend on it. Of more than 500 points those on the measured front and an even spread of the others are
// fitted. An error (NoData) names every task that no point has measured.
func Fit(ctx context.Context, space Space, tasks []Task, points []Point, warm *Landscape) (*Landscape, error) {
	return FitAs(ctx, surrogate.Choice{}, space, tasks, points)
}

// FitAs is Fit with the surrogates that a study chose.
func FitAs(ctx context.Context, c surrogate.Choice, space Space, tasks []Task, points []Point) (*Landscape, error) {
	q := Question{Space: space, Tasks: tasks, Done: points}
	if err := q.check(); err != nil {
		return nil, err
	}
	l := &Landscape{space: space, tasks: tasks, fits: make([]fit, len(tasks))}
	data := make([]surrogate.Data, len(tasks))
	var problems []error
	for i, t := range tasks {
		if t.Optimise {
			l.goals = append(l.goals, i)
		}
	}
	keep := l.thin(points)
	for i, t := range tasks {
		data[i] = l.gather(i, points, keep)
		if len(data[i].X) == 0 {
			problems = append(problems, fail(NoData, "task %q: no finished trial has it measured", t.Name))
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	l.starts, l.ref = l.measuredFront(points), l.reference(points)
	for _, p := range points {
		if p.Failed {
			l.failed = append(l.failed, p.X)
		} else {
			l.worked = append(l.worked, p.X)
		}
	}
	for i, r := range surrogate.Fit(ctx, data, c) {
		if r.Err != nil {
			problems = append(problems, fmt.Errorf("task %q: %w", tasks[i].Name, r.Err))
			continue
		}
		l.fits[i].surrogate, l.fits[i].trust = r.Surrogate, r.Trust
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return l, nil
}

// gather collects what was measured of a task at the points to keep, and notes which they are.
func (l *Landscape) gather(task int, points []Point, keep []bool) surrogate.Data {
	d := surrogate.Data{Link: l.tasks[task].Link}
	if d.Link == "" {
		d.Link = surrogate.Identity
	}
	for _, c := range l.space.Coefficients {
		d.Lo, d.Hi = append(d.Lo, c.Lo), append(d.Hi, c.Hi)
	}
	f := &l.fits[task]
	lo, hi := math.Inf(1), math.Inf(-1)
	for k, p := range points {
		if !keep[k] || math.IsNaN(p.Y[task].Value) {
			continue
		}
		m := p.Y[task]
		f.used = append(f.used, k)
		d.X, d.Y = append(d.X, p.X), append(d.Y, m.Value)
		d.Stderr, d.N = append(d.Stderr, m.Stderr), append(d.N, m.N)
		lo, hi = min(lo, m.Value), max(hi, m.Value)
	}
	if f.spread = hi - lo; l.tasks[task].AutoLink && d.Link == surrogate.Log && lo <= 0 {
		d.Link = surrogate.Identity
	}
	return d
}

// measuredFront are the points that were measured on every optimised task and are not dominated.
func (l *Landscape) measuredFront(points []Point) [][]float64 {
	xs, fs := l.measuredGoals(points)
	var out [][]float64
	for _, k := range pareto.NonDominated(fs) {
		out = append(out, xs[k])
	}
	return out
}

// Surrogate returns the surrogate of a task.
func (l *Landscape) Surrogate(task int) surrogate.Surrogate { return l.fits[task].surrogate }

// Trust returns the held-out figures of a task.
func (l *Landscape) Trust(task int) surrogate.Trust { return l.fits[task].trust }

// Used returns the indices of the points that a task was fitted on; Trust.LOO is in the same order.
func (l *Landscape) Used(task int) []int { return l.fits[task].used }

// Problem is the surrogates of the optimised tasks as pareto sees them: all minimised, with gradients.
func (l *Landscape) Problem() pareto.Problem {
	return pareto.Problem{
		Bounds: l.space.Bounds(),
		M:      len(l.goals),
		Eval:   func(dst, x []float64) { l.objectives(dst, nil, x) },
		Jacobian: func(jac *mat.Dense, x []float64) {
			l.objectives(make([]float64, len(l.goals)), jac, x)
		},
		EvalJacobian: l.objectives,
	}
}

// objectives stores the predicted means at x, signed to be minimised, and their gradients where jac is
// not nil.
func (l *Landscape) objectives(dst []float64, jac *mat.Dense, x []float64) {
	for k, i := range l.goals {
		var row []float64
		if jac != nil {
			row = jac.RawRowView(k)
		}
		sign := l.sign(i)
		dst[k] = sign * l.fits[i].surrogate.Mean(row, x)
		for j := range row {
			row[j] *= sign
		}
	}
}

func (l *Landscape) sign(task int) float64 {
	if l.tasks[task].Maximize {
		return -1
	}
	return 1
}

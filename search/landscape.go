package search

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

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
	// failed and worked are where measuring failed and where it did not; strays were measured, but on an optimised
	// task far from all that the others say, and are taken for failed.
	failed, worked, strays [][]float64
	facts                  [][]float64 // the measured front, of what no optimised task sets apart
	floors                 []floor     // that the front keeps
}

type fit struct {
	surrogate surrogate.Surrogate
	trust     surrogate.Trust
	used      []int
	width     float64 // of the range of the measured values, Trust.Range
}

// Fit fits one surrogate a task to the points of q that have it measured, of the kind that q.Surrogate says; what
// is pending, and all that is about asking, does not matter. The tasks are fitted in parallel; the result does not
// depend on how many run at once. Of more than 500 points those on the measured front and an even spread of the
// others are fitted. *Error with BadQuestion where q makes no sense, with NoData for every task that no point has
// measured.
func Fit(ctx context.Context, q Question) (*Landscape, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	l := &Landscape{space: q.Space, tasks: q.Tasks, fits: make([]fit, len(q.Tasks)), goals: q.goals()}
	data, err := l.gather(q.Done)
	if err != nil {
		return nil, err
	}
	var problems []error
	for i, r := range surrogate.Fit(ctx, data, q.Surrogate) {
		if r.Err != nil {
			problems = append(problems, fmt.Errorf("task %q: %w", q.Tasks[i].Name, r.Err))
		}
		l.fits[i].surrogate, l.fits[i].trust, l.fits[i].width = r.Surrogate, r.Trust, r.Trust.Range
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	l.starts, l.ref = l.measuredFront(q.Done), l.reference(q.Done)
	l.whereItWorked(q.Done)
	l.facts = l.known(q.Done)
	return l.Under(Floors(q.Tasks))
}

// whereItWorked notes where points were measured, and where not, or to no use.
func (l *Landscape) whereItWorked(points []Point) {
	for k, p := range points {
		switch {
		case p.Failed:
			l.failed = append(l.failed, p.X)
		case slices.ContainsFunc(l.goals, func(i int) bool { return l.fits[i].strays(k) }):
			l.failed, l.strays = append(l.failed, p.X), append(l.strays, p.X)
		default:
			l.worked = append(l.worked, p.X)
		}
	}
}

// gather collects what is to be fitted, a task; an error names every task that has nothing.
func (l *Landscape) gather(points []Point) ([]surrogate.Data, error) {
	data, keep := make([]surrogate.Data, len(l.tasks)), l.thin(points)
	var problems []error
	for i, t := range l.tasks {
		data[i] = l.gatherTask(i, points, keep)
		if len(data[i].X) == 0 {
			problems = append(problems, fail(NoData, "task %q: no finished trial has it measured", t.Name))
		}
	}
	return data, errors.Join(problems...)
}

// gatherTask collects what was measured of a task at the points to keep, and notes which they are.
func (l *Landscape) gatherTask(task int, points []Point, keep []bool) surrogate.Data {
	d := surrogate.Data{Link: l.tasks[task].Link, Breaks: surrogate.High}
	if l.tasks[task].Maximize {
		d.Breaks = surrogate.Low
	}
	if d.Link == "" {
		d.Link = surrogate.Identity
	}
	for _, c := range l.space.Coefficients {
		d.Lo, d.Hi = append(d.Lo, c.Lo), append(d.Hi, c.Hi)
	}
	f := &l.fits[task]
	for k, p := range points {
		if !keep[k] || math.IsNaN(p.Y[task].Value) {
			continue
		}
		m := p.Y[task]
		f.used = append(f.used, k)
		d.X, d.Y = append(d.X, p.X), append(d.Y, m.Value)
		d.Stderr, d.N = append(d.Stderr, m.Stderr), append(d.N, m.N)
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

// known are the measured front less what is set apart from the fit of an optimised task: strays, and what collapsed.
func (l *Landscape) known(points []Point) [][]float64 {
	return slices.DeleteFunc(l.measuredFront(points), func(x []float64) bool {
		return slices.ContainsFunc(l.goals, func(i int) bool {
			f := &l.fits[i]
			return slices.ContainsFunc(f.trust.Apart, func(k int) bool { return l.space.same(points[f.used[k]].X, x) })
		})
	})
}

// Surrogate returns the surrogate of a task.
func (l *Landscape) Surrogate(task int) surrogate.Surrogate { return l.fits[task].surrogate }

// Trust returns the held-out figures of a task.
func (l *Landscape) Trust(task int) surrogate.Trust { return l.fits[task].trust }

// Used returns the indices of the points that a task was fitted on; Trust.LOO is in the same order.
func (l *Landscape) Used(task int) []int { return l.fits[task].used }

// Reference is the point from which hypervolume is counted: of every optimised task, minimised, the worst of the measured
// anchors less a tenth of their range; see reference.
func (l *Landscape) Reference() []float64 { return slices.Clone(l.ref) }

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
	for k := range l.goals {
		var row []float64
		if jac != nil {
			row = jac.RawRowView(k)
		}
		dst[k] = l.objective(row, x, k)
	}
}

// objective is the predicted mean of the k-th goal at x, signed to be minimised; it stores its gradient where grad is
// not nil.
func (l *Landscape) objective(grad, x []float64, k int) float64 {
	i := l.goals[k]
	sign := l.sign(i)
	v := sign * l.fits[i].surrogate.Mean(grad, x)
	for j := range grad {
		grad[j] *= sign
	}
	return v
}

func (l *Landscape) sign(task int) float64 {
	if l.tasks[task].Maximize {
		return -1
	}
	return 1
}

package search

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"parfait/surrogate"
)

// pair is two branches on their way to become one: a study of two coefficients of its own.
type pair struct {
	*node
	a, b    *node
	space   Space
	us      [][]float64 // the design: what a and b are scaled by
	xs      [][]float64 // the same points as coefficients of the study
	whys    []string
	settled bool // all of them are
}

// maxScale is what a branch that was merged before is scaled by at most.
const maxScale = 1.2

// newPair designs the merges of a and b that are measured, and recalls which were.
func (t *tree) newPair(ctx context.Context, a, b *node) (*pair, error) {
	p := &pair{
		a: a, b: b, settled: true,
		node: &node{
			branch: &Branch{Name: fmt.Sprintf("(%s + %s)", a.branch.Name, b.branch.Name), Round: t.phase, Parts: []*Branch{a.branch, b.branch}},
			owns:   make([]bool, len(t.Tasks)), metric: math.NaN(),
		},
	}
	p.pair = p
	for i := range p.owns {
		p.owns[i] = a.owns[i] || b.owns[i]
	}
	p.branch.Tasks = t.names(p.owns)
	for i, n := range []*node{a, b} {
		c := Coefficient{Name: []string{"first", "second"}[i], Kind: Scaling, Lo: 0, Hi: 1}
		if !t.flat {
			c.Lo, c.Hi = t.reach(n)
		}
		p.space.Coefficients = append(p.space.Coefficients, c)
	}
	if t.flat {
		p.space.Simplex = [][]int{{0, 1}}
	}
	var err error
	if p.us, err = t.design(ctx, p.space); err != nil {
		return nil, err
	}
	p.branch.Wanted = len(p.us)
	for k, u := range p.us {
		x := t.compose(p, u)
		p.xs, t.needed = append(p.xs, x), append(t.needed, x)
		p.whys = append(p.whys, fmt.Sprintf("nested, round %d: %.3g·%s + %.3g·%s (%d of %d)",
			t.phase, u[0], a.branch.Name, u[1], b.branch.Name, k+1, len(p.us)))
		if _, how := t.recall(x); how == settled {
			p.branch.Measured++
		} else {
			p.settled = false
		}
	}
	return p, nil
}

// design is what the two coefficients of a pair are measured at; many pairs share theirs.
func (t *tree) design(ctx context.Context, space Space) ([][]float64, error) {
	key := [4]float64{space.Coefficients[0].Lo, space.Coefficients[0].Hi, space.Coefficients[1].Lo, space.Coefficients[1].Hi}
	if us, ok := t.designs[key]; ok {
		return us, nil
	}
	d, err := extend(ctx, &Question{Space: space, Seed: t.Seed}, t.size)
	if err != nil {
		return nil, err
	}
	t.designs[key] = d.Xs()
	return t.designs[key], nil
}

// reach is what n can be scaled by within the ranges of its models: their own ranges for a model, from 0
// to at most 1.2 for a merge.
func (t *tree) reach(n *node) (lo, hi float64) {
	lo, hi = math.Inf(-1), maxScale
	if len(n.branch.Parts) == 0 {
		hi = math.Inf(1)
	} else {
		lo = 0
	}
	for i, v := range n.v {
		c := t.Space.Coefficients[i]
		switch {
		case v > 0:
			lo, hi = max(lo, c.Lo/v), min(hi, c.Hi/v)
		case v < 0:
			lo, hi = max(lo, c.Hi/v), min(hi, c.Lo/v)
		}
	}
	if !(lo < hi) { // the ranges of its models do not meet
		return 0, 1
	}
	return lo, hi
}

// compose is the merge u[0]·a + u[1]·b as coefficients of the study.
func (t *tree) compose(p *pair, u []float64) []float64 {
	x := slices.Clone(t.region.origin)
	for _, unit := range t.units {
		for _, i := range unit.at {
			c := t.Space.Coefficients[i]
			x[i] = min(max(float64(u[0]*p.a.v[i])+float64(u[1]*p.b.v[i]), c.Lo), c.Hi)
		}
	}
	return t.Space.tidy(x)
}

// decide fits the pair's surrogates to what was measured of its design and picks.
func (t *tree) decide(ctx context.Context, p *pair) error {
	var points []Point
	for k, x := range p.xs {
		if point, how := t.recall(x); how == settled && !point.Failed {
			point.X = p.us[k]
			points = append(points, point)
		}
	}
	u, metric := []float64{0.5, 0.5}, math.NaN() // where nothing could be measured: the average
	tasks := t.tasksOf(p)
	land, err := fitSome(ctx, t.Surrogate, p.space, t.Tasks, tasks, points)
	var e *Error
	switch {
	case errors.As(err, &e) && e.Code == NoData:
	case err != nil:
		return err
	default:
		u, metric = t.pick(p, land, tasks)
	}
	p.branch.At, p.branch.X = [2]float64{u[0], u[1]}, t.compose(p, u)
	p.metric = metric
	p.v = make([]float64, len(p.a.v))
	for i := range p.v {
		p.v[i] = float64(u[0]*p.a.v[i]) + float64(u[1]*p.b.v[i])
	}
	return nil
}

// tasksOf are the tasks that a pair's pick looks at: its own, or all that are optimised where it has
// none, and those with a floor.
func (t *tree) tasksOf(p *pair) []int {
	var out []int
	none := !slices.Contains(p.owns, true)
	for i, task := range t.Tasks {
		if p.owns[i] || none && task.Optimise || task.AtLeast != nil || task.AtMost != nil {
			out = append(out, i)
		}
	}
	return out
}

// fitSome fits some of the tasks.
func fitSome(ctx context.Context, c surrogate.Choice, space Space, tasks []Task, some []int, points []Point) (*Landscape, error) {
	var few []Task
	for _, i := range some {
		few = append(few, tasks[i])
	}
	var less []Point
	for _, p := range points {
		var y []Measurement
		for _, i := range some {
			y = append(y, p.Y[i])
		}
		less = append(less, Point{X: p.X, Y: y})
	}
	return Fit(ctx, Question{Space: space, Tasks: few, Done: less, Surrogate: c})
}

// pickGrid is the number of steps along each of the two coefficients.
const pickGrid = 60

// pick returns the merge with the best predicted verdict among those that may be believed, and its metric.
func (t *tree) pick(p *pair, land *Landscape, tasks []int) (u []float64, metric float64) {
	var top, anywhere verdict
	var wild []float64 // the best of all, where none may be believed
	for i := range pickGrid + 1 {
		for j := range pickGrid + 1 {
			if t.flat && i+j != pickGrid {
				continue
			}
			at := p.space.tidy([]float64{p.space.along(0, i), p.space.along(1, j)})
			v := t.prefer.within(tasks, t.predict(land, tasks, at))
			if v.compare(top) > 0 && land.Believed(at) {
				top, u = v, at
			}
			if wild == nil || v.compare(anywhere) > 0 {
				anywhere, wild = v, at
			}
		}
	}
	if u == nil {
		u = wild
	}
	return u, t.metric(p.owns, t.predict(land, tasks, u))
}

// along is step k of pickGrid along a coefficient.
func (s Space) along(coefficient, k int) float64 {
	c := s.Coefficients[coefficient]
	return c.Lo + float64((c.Hi-c.Lo)*float64(k)/pickGrid)
}

// predict returns the predicted mean of each of the landscape's tasks; NaN for the others.
func (t *tree) predict(land *Landscape, tasks []int, u []float64) func(task int) float64 {
	return func(task int) float64 {
		k := slices.Index(tasks, task)
		if k < 0 {
			return math.NaN()
		}
		return land.Surrogate(k).Mean(nil, u)
	}
}

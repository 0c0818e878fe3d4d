package search

import (
	"context"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"

	"parfait/parallel"
	"parfait/pareto"
	"parfait/problem"
	"parfait/surrogate"
)

// FloorSure is the probability with which the front keeps floors, where some point can and nobody says otherwise: that of
// what is true at a point, not of what a measurement there may say. Of merges chosen at the edge where the prediction itself
// just keeps a floor, half break it.
const FloorSure = 0.95

// floor is a Floor on a landscape.
type floor struct {
	Floor
	task  int
	width float64 // of the task's range
	sure  bool    // it is kept with its probability; else by the prediction itself
}

// slack is how far inside the floor x lies, in units of the task's range; below 0 where it breaks it. grad, unless nil, is
// that of the prediction. As far as a prediction breaks it, its distribution is not asked for: O(n·d) instead of O(n²).
func (l *Landscape) slack(f *floor, grad, x []float64) float64 {
	s := l.fits[f.task].surrogate
	v, sign := s.Mean(grad, x), 1/f.width
	if f.Least {
		sign = -sign
	}
	for j := range grad {
		grad[j] *= -sign
	}
	if f.sure && f.miss(v) <= 0 {
		v = f.surely(s, x, f.Sure)
	}
	return -f.miss(v) / f.width
}

// missing is by how much x breaks the floors, the worst of them, in units of the tasks' ranges: at most 0 where it
// keeps them all; −1 where there are none.
func (l *Landscape) missing(x []float64) float64 {
	worst := -1.0
	for i := range l.floors {
		worst = max(worst, -l.slack(&l.floors[i], nil, x))
	}
	return worst
}

// kept says whether x keeps every floor: missing is at most 0, told by the first that it breaks.
func (l *Landscape) kept(x []float64) bool {
	for i := range l.floors {
		if l.slack(&l.floors[i], nil, x) < 0 {
			return false
		}
	}
	return true
}

// Under returns l with other floors in the place of those that its tasks have. Its front, and what is refined or asked for
// on it, keep to them where they can be kept. It is looked for from given points too. The error is that a task is not known
// (BadOption).
func (l *Landscape) Under(floors []Floor, from ...[]float64) (*Landscape, error) {
	var wrong problem.List
	names := make([]string, len(l.tasks))
	for i, t := range l.tasks {
		names[i] = t.Name
	}
	other := *l
	other.floors, other.starts = nil, slices.Concat(l.starts, from)
	for _, f := range floors {
		i := slices.Index(names, f.Task)
		if i < 0 {
			wrong = append(wrong, problem.Unknown(BadOption, "floors", "task", f.Task, names))
			continue
		}
		width := l.fits[i].width
		if !(width > 0) {
			width = max(math.Abs(f.Value), 1e-9)
		}
		other.floors = append(other.floors, floor{Floor: f, task: i, width: width, sure: f.Sure > 0.5})
	}
	return &other, wrong.Err()
}

// Floors are those that the front keeps.
func (l *Landscape) Floors() []Floor {
	var out []Floor
	for _, f := range l.floors {
		out = append(out, f.Floor)
	}
	return out
}

// surely is the value that is kept at x with a probability: what is true there is no nearer to the floor's wrong side.
func (f Floor) surely(s surrogate.Surrogate, x []float64, p float64) float64 {
	if f.Least {
		p = 1 - p
	}
	return s.Quantile(x, p)
}

// Kept is the probability that the merge at x truly keeps a floor of the task of a surrogate, to a thousandth.
func Kept(s surrogate.Surrogate, f Floor, x []float64) float64 {
	const steps = 1000
	broken := sort.Search(steps+1, func(k int) bool { return f.miss(f.surely(s, x, float64(k)/steps)) > 0 })
	return float64(max(broken-1, 0)) / steps
}

// asPredicted is l with floors that are kept where the predictions themselves keep them.
func (l *Landscape) asPredicted() *Landscape {
	other := *l
	other.floors = slices.Clone(l.floors)
	for i := range other.floors {
		other.floors[i].sure = false
	}
	return &other
}

// without is l without its floors, or without the one of that index.
func (l *Landscape) without(k int) *Landscape {
	other := *l
	if other.floors = nil; k >= 0 {
		other.floors = slices.Delete(slices.Clone(l.floors), k, k+1)
	}
	return &other
}

// believedWithin is at most 0 where x may be believed and keeps the floors.
func (l *Landscape) believedWithin(x []float64) float64 {
	if d := l.doubt(x); d > 0 || len(l.floors) == 0 {
		return d
	}
	return l.missing(x)
}

// inside is l as its front is looked for under its floors: from points that may be believed and keep them, and above a
// reference that keeps those of optimised tasks. They are kept with the probability they ask for, or, where no point does
// that, by the predictions; nil where no point does that either. It is l where there are no floors.
func (l *Landscape) inside(ctx context.Context) (*Landscape, error) {
	if len(l.floors) == 0 {
		return l, nil
	}
	from, may, err := l.places(ctx)
	if err != nil {
		return nil, err
	}
	u, kept, err := l.keepable(ctx, from, may)
	if err != nil || u == nil {
		return nil, err
	}
	u.starts, u.ref = slices.Concat(l.starts, l.best(kept)), slices.Clone(l.ref)
	for _, f := range u.floors {
		if k := slices.Index(l.goals, f.task); k >= 0 && f.Least == l.tasks[f.task].Maximize {
			u.ref[k] = min(u.ref[k], l.sign(f.task)*f.Value)
		}
	}
	return u, nil
}

// keepable is l with its floors as they can be kept from some points: with the probability that they ask for, else as
// predicted; and points that keep them, as of within, or of givingUp: what Unmet advises is accepted. nil where none do. A
// copy, but where there are no floors.
func (l *Landscape) keepable(ctx context.Context, from [][]float64, may func([]float64) bool) (*Landscape, [][]float64, error) {
	if len(l.floors) == 0 {
		return l, nil, nil
	}
	other := *l
	for _, u := range []*Landscape{&other, l.asPredicted()} {
		if kept, _, err := u.within(ctx, from, may); err != nil || len(kept) > 0 {
			return u, kept, err
		}
	}
	u := l.asPredicted()
	for k := range u.floors {
		if x, miss, err := u.givingUp(ctx, k, from, may); err != nil || x != nil && miss <= 0 {
			return u, [][]float64{x}, err
		}
	}
	return nil, nil, nil
}

// places are points all over what may be believed, and whether a point may be; all points, and nil, where none is.
func (l *Landscape) places(ctx context.Context) (from [][]float64, may func(x []float64) bool, err error) {
	all := l.everywhere()
	believed := make([]bool, len(all))
	if err := parallel.For(ctx, 0, len(all), func(i int) { believed[i] = l.doubt(all[i]) <= 0 }); err != nil {
		return nil, nil, err
	}
	for i, x := range all {
		if believed[i] {
			from = append(from, x)
		}
	}
	if len(from) == 0 {
		return all, nil, nil
	}
	return from, l.Believed, nil
}

// edge is l as a search looks for its front: under its floors as predicted, wherever that is; where no point is predicted to
// keep them without them, and near are those that come nearest to it.
func (l *Landscape) edge(ctx context.Context) (inside *Landscape, near [][]float64, err error) {
	if len(l.floors) == 0 {
		return l, nil, nil
	}
	u := l.asPredicted()
	kept, near, err := u.within(ctx, l.everywhere(), nil)
	if err != nil || len(kept) == 0 {
		return l.without(-1), near, err
	}
	u.starts = slices.Concat(l.starts, l.best(kept))
	return u, nil, nil
}

// keeping is the probability that candidate i of a posterior keeps all floors, tasks taken as independent.
func (l *Landscape) keeping(joint *posterior, i int) float64 {
	p := 1.0
	for k := range l.floors {
		f := &l.floors[k]
		s := l.fits[f.task].surrogate
		v, std := s.Mean(nil, joint.xs[i]), 0.0
		if t := slices.Index(joint.tasks, f.task); t >= 0 {
			std = l.fits[f.task].width * math.Sqrt(max(joint.cov[t].At(i, i), 0))
		}
		switch m := f.miss(v); {
		case std > 0:
			p *= distuv.UnitNormal.CDF(-m / std)
		case m > 0:
			return 0
		}
	}
	return p
}

// keeps says whether a measured point keeps every floor. What was not measured does not.
func (l *Landscape) keeps(p Point) bool {
	return !slices.ContainsFunc(l.floors, func(f floor) bool { return !(f.miss(p.Y[f.task].Value) <= 0) })
}

// best are the points of which none is predicted to be better than another.
func (l *Landscape) best(xs [][]float64) [][]float64 {
	if len(l.goals) == 0 {
		return xs
	}
	fs := make([][]float64, len(xs))
	for i, x := range xs {
		fs[i] = l.at(x)
	}
	var out [][]float64
	for _, i := range pareto.NonDominated(fs) {
		out = append(out, xs[i])
	}
	return out
}

const (
	entrants    = 24 // places from which the region of the floors is looked for
	maxEnter    = 30 // steps of each
	corrections = 4  // steps back to the region, at most, after one along a direction
	overstep    = 0.02
)

// within are points that keep the floors, of those given and, where these have none, of what is found by climbing from
// those that come nearest, no step of which goes where it may not; where none does, the places that climbing came to.
func (l *Landscape) within(ctx context.Context, from [][]float64, may func(x []float64) bool) (kept, nearest [][]float64, err error) {
	miss := make([]float64, len(from))
	if err := parallel.For(ctx, 0, len(from), func(i int) { miss[i] = l.missing(from[i]) }); err != nil {
		return nil, nil, err
	}
	order := make([]int, len(from))
	for i := range order {
		if order[i] = i; miss[i] <= 0 {
			kept = append(kept, from[i])
		}
	}
	if len(kept) > 0 || len(from) == 0 {
		return kept, nil, nil
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case miss[i] < miss[j]:
			return -1
		case miss[i] > miss[j]:
			return 1
		}
		return 0
	})
	order = order[:min(len(order), entrants)]
	ends := make([][]float64, len(order))
	if err := parallel.For(ctx, 0, len(order), func(k int) { ends[k] = l.enter(from[order[k]], may) }); err != nil {
		return nil, nil, err
	}
	for _, x := range ends {
		if l.missing(x) <= 0 {
			kept = append(kept, x)
		}
	}
	if len(kept) == 0 {
		nearest = ends
	}
	return kept, nearest, nil
}

// enter goes from x to where the floor that is missed most is missed least, or all are kept; only where it may, which may move
// the step.
func (l *Landscape) enter(x []float64, may func(x []float64) bool) []float64 {
	x = slices.Clone(x)
	y, bounds := make([]float64, len(x)), l.space.Bounds()
	for step, count := firstStep, 0; count < maxEnter && step > lastStep; count++ {
		grad, s := l.worstFloor(x)
		norm := 0.0
		for j, g := range grad {
			w := bounds.Hi[j] - bounds.Lo[j]
			if grad[j] = g * w; x[j] <= bounds.Lo[j] && g < 0 || x[j] >= bounds.Hi[j] && g > 0 {
				grad[j] = 0
			}
			norm += grad[j] * grad[j]
		}
		if s > 0 || !(norm > 0) {
			break
		}
		for j := range y {
			y[j] = x[j] + step*(bounds.Hi[j]-bounds.Lo[j])*grad[j]/math.Sqrt(norm)
		}
		bounds.Project(y)
		if (may == nil || may(y)) && l.missing(y) < -s {
			copy(x, y)
			step *= 1.4
		} else {
			step *= 0.4
		}
	}
	return x
}

// worstFloor is the slack of the floor that x misses most, and its gradient.
func (l *Landscape) worstFloor(x []float64) (grad []float64, slack float64) {
	slack = math.Inf(1)
	g := make([]float64, len(x))
	for i := range l.floors {
		if s := l.slack(&l.floors[i], g, x); s < slack {
			slack, grad = s, slices.Clone(g)
		}
	}
	return grad, slack
}

// backWithin moves x back to where it keeps the floors, along their gradients and a little farther; false where it does not
// get there. Along an edge that would be left by every step, that is the step along it.
func (l *Landscape) backWithin(x []float64) bool {
	if len(l.floors) == 0 {
		return true
	}
	bounds := l.space.Bounds()
	for range corrections {
		grad, slack := l.worstFloor(x)
		norm := 0.0
		for j, g := range grad {
			norm += g * g * (bounds.Hi[j] - bounds.Lo[j]) * (bounds.Hi[j] - bounds.Lo[j])
		}
		if slack >= 0 || !(norm > 0) {
			return slack >= 0
		}
		for j, g := range grad {
			w := bounds.Hi[j] - bounds.Lo[j]
			x[j] += (1 + overstep) * -slack / norm * w * w * g
		}
		bounds.Project(x)
	}
	return l.missing(x) <= 0
}

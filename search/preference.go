package search

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"parfait/problem"
	"parfait/surrogate"
)

// preference makes one figure of the metrics of a point, for the strategies that look for one merge and
// not for a front: the weighted mean of the optimised tasks, each the larger the better. Rates count as
// they are; where a task is not a rate, every task counts in units of its range over some points.
type preference struct {
	tasks  []Task
	weight []float64 // a task, summing to 1; 0 where it is not optimised
	scale  []float64 // a task, signed: what its metric is multiplied by
	unit   []float64 // a task: the range, to compare breaches of floors with each other
}

// verdict of a point. The zero value stands for a point that tells nothing.
type verdict struct {
	known  bool    // every task that counts was measured
	breach float64 // how far floors are missed, all together
	score  float64
}

// compare is positive where v is better than o. Points that keep the floors are better than those that do
// not, and among these the smaller breach wins (Deb 2000).
func (v verdict) compare(o verdict) int {
	switch {
	case v.known != o.known:
		if v.known {
			return 1
		}
		return -1
	case v.breach != o.breach:
		return cmp.Compare(o.breach, v.breach)
	}
	return cmp.Compare(v.score, o.score)
}

// newPreference weighs the optimised tasks, equally where weights is nil; ranges are those over points.
// Weights of tasks that do not exist or are not optimised are errors (BadOption).
func newPreference(tasks []Task, weights map[string]float64, points []Point) (*preference, error) {
	p := &preference{tasks: tasks}
	var names []string
	rates, sum := true, 0.0
	for i, t := range tasks {
		w := 0.0
		if t.Optimise {
			names = append(names, t.Name)
			rates = rates && t.Link == surrogate.Logit
			w = 1
			if weights != nil {
				w = weights[t.Name]
			}
		}
		sum += w
		p.weight = append(p.weight, w)
		p.unit = append(p.unit, measuredWidth(i, points))
	}
	for _, name := range slices.Sorted(maps.Keys(weights)) {
		if !slices.Contains(names, name) {
			return nil, &Error{Problem: problem.Unknown(BadOption, "weights", "optimised task", name, names)}
		}
	}
	if len(names) > 0 && !(sum > 0) {
		return nil, fail(BadOption, "weights: expected at least one task to be worth more than 0")
	}
	for i, t := range tasks {
		s := 1.0
		if !rates {
			s = 1 / p.unit[i]
		}
		if !t.Maximize {
			s = -s
		}
		p.scale = append(p.scale, s)
		if p.weight[i] > 0 {
			p.weight[i] /= sum
		}
	}
	return p, nil
}

// measuredWidth is the width of the range of what was measured of a task, 1 where there is none.
func measuredWidth(task int, points []Point) float64 {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, q := range points {
		if !q.Failed && !math.IsNaN(q.Y[task].Value) {
			lo, hi = min(lo, q.Y[task].Value), max(hi, q.Y[task].Value)
		}
	}
	if !(hi > lo) || math.IsInf(hi-lo, 0) {
		return 1
	}
	return hi - lo
}

// of judges a finished point.
func (p *preference) of(point Point) verdict {
	if point.Failed {
		return verdict{}
	}
	return p.within(nil, func(task int) float64 { return point.Y[task].Value })
}

// within judges by some of the tasks only; by all where only is nil.
func (p *preference) within(only []int, value func(task int) float64) verdict {
	v := verdict{known: true}
	for i, t := range p.tasks {
		if only != nil && !slices.Contains(only, i) {
			continue
		}
		bounded := t.AtLeast != nil || t.AtMost != nil
		if !bounded && p.weight[i] == 0 {
			continue
		}
		y := value(i)
		if math.IsNaN(y) {
			return verdict{}
		}
		if t.AtLeast != nil {
			v.breach += max(0, *t.AtLeast-y) / p.unit[i]
		}
		if t.AtMost != nil {
			v.breach += max(0, y-*t.AtMost) / p.unit[i]
		}
		if p.weight[i] > 0 {
			v.score += p.weight[i] * p.scale[i] * y
		}
	}
	return v
}

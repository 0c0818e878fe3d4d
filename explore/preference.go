package explore

import (
	"math"
	"slices"

	"parfait/pareto"
	"parfait/study"
)

// Holds says whether predictions satisfy every floor. Floors of tasks that do not exist are ignored.
func (s State) Holds(a *study.Analysis, p []study.Prediction) bool { return keeps(s.bounds(a), p) }

// bounds are the floors that the person has set.
func (s State) bounds(a *study.Analysis) []Bound { return floorsOf(a.Tasks, s.Floors) }

// named are the tasks that floors, weights or an aspiration mention, in their order.
func named(a *study.Analysis, values map[string]float64) []int {
	var out []int
	for i, t := range a.Tasks {
		if _, ok := values[t.Name]; ok {
			out = append(out, i)
		}
	}
	return out
}

// with are the objectives and the tasks that floors, weights or an aspiration mention. More columns make no point of a front
// dominated.
func with(a *study.Analysis, values map[string]float64) []int {
	out := slices.Clone(a.Objectives)
	for _, t := range named(a, values) {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// aspired is which of some points of the front comes nearest to the aspiration, in the sense of
// achievement scalarisation; −1 where there is none.
func aspired(a *study.Analysis, among []int, values map[string]float64) int {
	tasks := with(a, values)
	aspiration := make([]float64, len(tasks))
	for k, t := range tasks {
		aspiration[k] = math.NaN()
		if v, ok := values[a.Tasks[t].Name]; ok {
			aspiration[k] = v * sign(a.Tasks[t])
		}
	}
	return choose(a, among, tasks, func(fs [][]float64) int { return pareto.Nearest(fs, aspiration) })
}

// weighted is which of some points of the front has the best weighted sum.
func weighted(a *study.Analysis, among []int, values map[string]float64) int {
	tasks := with(a, values)
	weights := make([]float64, len(tasks))
	for k, t := range tasks {
		weights[k] = values[a.Tasks[t].Name]
	}
	return choose(a, among, tasks, func(fs [][]float64) int { return pareto.Weighted(fs, weights) })
}

// choose lets a decision of package pareto choose among some points of the front.
func choose(a *study.Analysis, among, tasks []int, decide func(fs [][]float64) int) int {
	fs := make([][]float64, len(among))
	for k, i := range among {
		fs[k] = costs(a, tasks, a.Front[i].Predicted)
	}
	if k := decide(fs); k >= 0 {
		return among[k]
	}
	return -1
}

// preferred is the point of the front that floors, weights and aspiration choose: where no point satisfies
// the floors, the one that comes nearest to them.
func (s State) preferred(a *study.Analysis) int {
	among := satisfying(a, s.bounds(a))
	switch {
	case len(among) == 0:
		return aspired(a, everyPoint(a), s.Floors)
	case len(s.Weights) > 0:
		return weighted(a, among, s.Weights)
	case len(s.Aspiration) > 0:
		return aspired(a, among, s.Aspiration)
	}
	p := a.Predict(s.X)
	width := ranges(a)
	best, at := math.Inf(1), -1
	for _, i := range among {
		if d := distance(a, width, a.Front[i].Predicted, p); d < best {
			best, at = d, i
		}
	}
	return at
}

func everyPoint(a *study.Analysis) []int {
	out := make([]int, len(a.Front))
	for i := range out {
		out[i] = i
	}
	return out
}

// Within are the points of the front that all brushes hold, in their order.
func (s State) Within(a *study.Analysis) []int {
	type wanted struct {
		column int
		Brush
	}
	var brushes []wanted
	for c, name := range columnsOf(a) {
		if b, ok := s.Brushes[name]; ok {
			brushes = append(brushes, wanted{c, b})
		}
	}
	var out []int
	for i := range a.Front {
		p := &a.Front[i]
		if !slices.ContainsFunc(brushes, func(b wanted) bool {
			v := Column(p.X, p.Predicted, b.column)
			return !(v >= b.Lo && v <= b.Hi)
		}) {
			out = append(out, i)
		}
	}
	return out
}

func columnsOf(a *study.Analysis) []string {
	names := make([]string, len(a.Space.Coefficients))
	for i, c := range a.Space.Coefficients {
		names[i] = c.Name
	}
	return Columns(a.Tasks, names)
}

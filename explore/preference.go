package explore

import (
	"math"
	"slices"

	"parfait/study"
)

// Holds says whether predictions satisfy every floor. Floors of tasks that do not exist are ignored.
func (s State) Holds(a *study.Analysis, p []study.Prediction) bool { return keeps(s.bounds(a), p) }

// Holder says of predictions whether they satisfy every floor; Holds for many points at once.
func (s State) Holder(a *study.Analysis) func(p []study.Prediction) bool {
	bounds := s.bounds(a)
	return func(p []study.Prediction) bool { return keeps(bounds, p) }
}

// bounds are the floors that the person has set: of tasks, and what the rival has; and what study.yaml says against the
// sense of a task, of which nobody sets another.
func (s State) bounds(a *study.Analysis) []Bound {
	out := floorsOf(a.Tasks, s.Floors)
	for _, b := range Bounds(a.Tasks, nil) {
		if b.Least == (a.Tasks[b.Task].Sense == study.Minimize) {
			out = append(out, b)
		}
	}
	if r, ok := s.rival(a); ok {
		out = append(out, r.bounds(a)...)
	}
	return out
}

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

// Wish is what s asks for, all together.
func (s State) Wish(a *study.Analysis) Preference {
	w := Preference{AtLeast: s.Floors, Lexicographic: s.Order, Slack: s.Slack, Confidence: s.Confidence}
	if r, ok := s.rival(a); ok {
		w.Beats = &r
	}
	if len(s.Weights) > 0 {
		w.Weights = s.Weights
	}
	if len(s.Aspiration) > 0 {
		w.Aspire = s.Aspiration
	}
	return w
}

// Why says in words which of what keeps the floors s asks for.
func (s State) Why(a *study.Analysis) string {
	among := satisfying(a, s.bounds(a))
	if len(among) == 0 {
		return "the nearest to what keeps the floors"
	}
	_, words := s.Wish(a).among(a, among)
	return words
}

// Asks says whether s says more than floors: which of what keeps them is wanted.
func (s State) Asks() bool { return len(s.Weights)+len(s.Aspiration)+len(s.Order) > 0 }

// preferred is the point of the front that floors, aspiration, weights and order choose: where no point satisfies
// the floors, the one that comes nearest to them; where there are floors alone, the one nearest to the point in hand.
func (s State) preferred(a *study.Analysis) int {
	bounds, w := s.bounds(a), s.Wish(a)
	among := satisfying(a, bounds)
	switch {
	case len(among) == 0:
		return nearest(a, everyPoint(a), w.aim(a, bounds))
	case s.Asks():
		i, _ := w.among(a, among)
		return i
	}
	return nearestAmong(a, among, a.Predict(s.X))
}

// nearestAmong is the one of some points of the front that is nearest to predictions p.
func nearestAmong(a *study.Analysis, among []int, p []study.Prediction) int {
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

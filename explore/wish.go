package explore

import (
	"maps"
	"slices"

	"parfait/search"
	"parfait/study"
)

// Wishes are what the preference asks for, as the search understands it; nothing for the knee, the best of a task, an order
// of tasks or given coefficients.
func (w Preference) Wishes(a *study.Analysis) search.Wishes {
	bounds := floorsOf(a.Tasks, w.AtLeast)
	if w.Beats != nil {
		bounds = append(bounds, w.Beats.bounds(a)...)
	}
	return search.Wishes{Floors: floorsIn(a.Tasks, bounds, w.confidence()), Aspire: maps.Clone(w.Aspire), Weights: maps.Clone(w.Weights)}
}

// Wishes are the floors, aspirations and weights that the person has set, and what the rival has.
func (s State) Wishes(a *study.Analysis) search.Wishes {
	return search.Wishes{Floors: floorsIn(a.Tasks, s.bounds(a), s.confidence()), Aspire: maps.Clone(s.Aspiration), Weights: maps.Clone(s.Weights)}
}

// Looking is what to search where the person looks: what is wished for; where that is nothing beyond the floors of
// study.yaml, what the point in hand has of every objective, and more.
func (s State) Looking(a *study.Analysis) search.Wishes {
	w := s.Wishes(a)
	own := floorsIn(a.Tasks, State{Moment: Moment{Floors: specFloors(a.Tasks, nil)}}.bounds(a), s.confidence())
	if len(w.Aspire)+len(w.Weights) > 0 || !slices.Equal(w.Floors, own) {
		return w
	}
	w.Aspire = map[string]float64{}
	for _, t := range a.Objectives {
		w.Aspire[a.Tasks[t].Name] = a.Fits[t].Surrogate.Mean(nil, s.X)
	}
	return w
}

// Settling is what settles a pick: by the wishes it was chosen by, where there are any; the knee by the balance of what it
// gains, among merges that are nowhere below what it is not below; others where nothing is better on every objective.
func Settling(a *study.Analysis, name string, x []float64, wishes search.Wishes) search.Focus {
	f := search.Focus{Wishes: wishes, Pick: &search.Pick{Name: name, X: x}}
	if wishes.Wanted() || a.Knee < 0 || !samePoint(x, a.Front[a.Knee].X) {
		return f
	}
	b := &search.Balance{Worst: map[string]float64{}, Best: map[string]float64{}}
	for _, t := range a.Objectives {
		task, worst, best := a.Tasks[t], a.Front[0].Predicted[t].Value, a.Front[0].Predicted[t].Value
		for _, p := range a.Front {
			if v := p.Predicted[t].Value; task.Better(v, best) {
				best = v
			} else if task.Better(worst, v) {
				worst = v
			}
		}
		if best != worst {
			b.Worst[task.Name], b.Best[task.Name] = worst, best
		}
	}
	f.Pick.Balance = b
	for _, name := range []string{RivalBase, RivalAverage} {
		if r, err := RivalNamed(a, name, nil); err == nil && len(a.Below(a.Predict(x), r.Predicted)) == 0 {
			f.Wishes.Floors = floorsIn(a.Tasks, r.bounds(a), search.FloorSure)
			break
		}
	}
	return f
}

// Question says what a focus that settles a pick asks: by what one merge is better than another.
func Question(f search.Focus) string {
	w, keeping := f.Wishes, ""
	if len(w.Floors) > 0 {
		keeping = " among merges with " + search.Wishes{Floors: w.Floors}.String()
	}
	switch {
	case f.Pick != nil && f.Pick.Balance != nil:
		return "the best balance of what is gained of each task" + keeping
	case len(w.Aspire)+len(w.Weights) > 0:
		return search.Wishes{Aspire: w.Aspire, Weights: w.Weights}.String() + keeping
	case w.Wanted():
		return "the most gained over the base" + keeping
	}
	return "a merge that nothing beats on every task"
}

// floorsIn are bounds as the search has them; of several of a task, as of a rival and of the person, the strictest.
func floorsIn(tasks []study.Task, bounds []Bound, sure float64) []search.Floor {
	var out []search.Floor
	for _, b := range bounds {
		f := search.Floor{Task: tasks[b.Task].Name, Least: b.Least, Value: b.Value}
		if b.Of == "" {
			f.Sure = sure // see Preference.floors
		}
		i := slices.IndexFunc(out, func(o search.Floor) bool { return o.Task == f.Task && o.Least == f.Least })
		switch {
		case i < 0:
			out = append(out, f)
		case b.Least && f.Value > out[i].Value, !b.Least && f.Value < out[i].Value:
			out[i] = f
		}
	}
	return out
}

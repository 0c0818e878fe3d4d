package study

import (
	"math"
	"slices"

	"parfait/pareto"
)

// BaseName is the name of the [Reference] that leaves every model out.
const BaseName = "base"

// base is what the surrogates predict of the base; nil where it is no point of the space or they are not to be
// believed there. It is what the base's own measurement and all others say together: like predictions of the
// front, of the same scale and with the noise taken out, so that the two can be held side by side.
func (a *Analysis) base() []Prediction {
	i := slices.IndexFunc(a.References, func(r Reference) bool { return r.Name == BaseName })
	if i < 0 || len(a.Space.Simplex) > 0 || a.References[i].Trial < 0 && !a.Believed(a.References[i].X) {
		return nil
	}
	return a.References[i].Predicted
}

// BelowBase returns the objectives, as indices in Tasks, on which the predictions p are worse than what is
// predicted of the base: best estimate against best estimate, so that where both lie within the noise it is about
// as often one as the other. It is not known where the base is no point of the space (proportions always add up
// to one) and where predictions there are not to be believed. O(objectives).
func (a *Analysis) BelowBase(p []Prediction) (tasks []int, known bool) {
	base := a.base()
	if base == nil {
		return nil, false
	}
	const rounding = 1e-9
	for _, t := range a.Objectives {
		v, b := p[t].Value, base[t].Value
		if a.Tasks[t].Better(b, v) && math.Abs(b-v) > rounding*max(1, math.Abs(b)) {
			tasks = append(tasks, t)
		}
	}
	return tasks, true
}

// BelowBaseNames are the names of the objectives that BelowBase returns; nil only where that is not known.
func (a *Analysis) BelowBaseNames(p []Prediction) []string {
	below, known := a.BelowBase(p)
	if !known {
		return nil
	}
	names := []string{}
	for _, t := range below {
		names = append(names, a.Tasks[t].Name)
	}
	return names
}

// warned is what speaks against a point with the predictions p.
func (a *Analysis) warned(p []Prediction, onFront bool) Warned {
	return Warned{BelowBase: a.BelowBaseNames(p), Breaks: BrokenFloors(a.Tasks, p), Flagged: a.FlaggedTasks(onFront)}
}

// KneeOf returns the knee of some points of the front, given as their indices: of all of them where that knee is
// nowhere below the base, else of those of them that are not, where there are such. The knee gives the most for
// the least, and where models interfere that is often a point that gives up a task for the others; nobody is
// handed such a point unasked. −1 where none of them can be compared. ofAll says whether it is the knee of all of
// them. It costs what pareto.Knee does.
func (a *Analysis) KneeOf(among []int) (knee int, ofAll bool) {
	knee = a.plainKnee(among)
	if knee < 0 || a.nowhereBelow(knee) {
		return knee, true
	}
	above := slices.DeleteFunc(slices.Clone(among), func(i int) bool { return !a.nowhereBelow(i) })
	if len(above) == 0 {
		return knee, true
	}
	return a.plainKnee(above), false
}

// nowhereBelow says whether no objective at point i of the front is known to be below the base.
func (a *Analysis) nowhereBelow(i int) bool {
	below, _ := a.BelowBase(a.Front[i].Predicted)
	return len(below) == 0
}

// AlwaysBelow says whether every point of the front is below the base on some objective.
func (a *Analysis) AlwaysBelow() bool {
	for i := range a.Front {
		if a.nowhereBelow(i) {
			return false
		}
	}
	return len(a.Front) > 0
}

func (a *Analysis) plainKnee(among []int) int {
	costs := make([][]float64, len(among))
	for k, i := range among {
		costs[k] = a.costs(func(t int) float64 { return a.Front[i].Predicted[t].Value })
	}
	k := pareto.Knee(costs)
	if k < 0 {
		return -1
	}
	return among[k]
}

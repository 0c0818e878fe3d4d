package study

import (
	"slices"

	"parfait/pareto"
)

// BelowBase returns the objectives, as indices in Tasks, on which the predictions p are worse than what is
// predicted of the base: best estimate against best estimate, so that where both lie within the noise it is about
// as often one as the other. It is not known where the base is no point of the space (proportions always add up
// to one) and where predictions there are not to be believed. O(objectives).
func (a *Analysis) BelowBase(p []Prediction) (tasks []int, known bool) {
	base, known := a.reference(BaseName)
	if !known {
		return nil, false
	}
	return a.Below(p, base.Predicted), true
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

// MeasuredBelowBase returns the objectives, as indices in Tasks, of which measurements on the validation split are worse
// than those of the base: figure against figure, so that noise decides where it is larger. It is not known where the base
// was not measured. O(objectives).
func (a *Analysis) MeasuredBelowBase(m map[string]Metric) (tasks []int, known bool) {
	base, known := a.reference(BaseName)
	if !known || base.Trial < 0 {
		return nil, false
	}
	for _, t := range a.Objectives {
		v, ok := m[a.Tasks[t].Name]
		b, both := a.Trials[base.Trial].Metrics[a.Tasks[t].Name]
		if ok && both && a.Tasks[t].Difference(v, b).Gain < 0 {
			tasks = append(tasks, t)
		}
	}
	return tasks, true
}

// warned is what speaks against a point with the predictions p.
func (a *Analysis) warned(p []Prediction, onFront bool) Warned {
	return Warned{BelowBase: a.BelowBaseNames(p), Breaks: BrokenFloors(a.Tasks, p), Flagged: a.FlaggedTasks(onFront)}
}

// KneeSet is which points of a front its knee is taken from.
type KneeSet string

// The sets, in the order in which they are tried; the words of those in the middle are names of references.
const (
	AllPoints    KneeSet = ""          // of all: their knee is nowhere below the base (or the average), or nothing is known of these
	AboveBase    KneeSet = BaseName    // nowhere below the base
	AboveAverage KneeSet = AverageName // nowhere below the uniform average
	Balanced     KneeSet = "balanced"  // the one whose worst task, in units of the ranges, is best
)

// KneeOf returns the knee ([pareto.Knee]) of some points of the front, given as their indices: of those that are
// nowhere below the base, or where there are none of those that are nowhere below the uniform average; where there
// are none of these either it is the most balanced point. Nobody is handed a point unasked that gives up what they had. −1 where none of them can be compared. It costs what pareto.Knee does.
func (a *Analysis) KneeOf(among []int) (knee int, of KneeSet) {
	all, held := a.plainKnee(among), false
	for _, set := range []KneeSet{AboveBase, AboveAverage} {
		other, known := a.reference(string(set))
		if !known {
			continue
		}
		held = true
		above := slices.DeleteFunc(slices.Clone(among), func(i int) bool { return len(a.Below(a.Front[i].Predicted, other.Predicted)) > 0 })
		switch {
		case slices.Contains(above, all):
			return all, AllPoints
		case len(above) > 0:
			return a.plainKnee(above), set
		}
	}
	if !held {
		return all, AllPoints
	}
	return a.MostBalanced(among), Balanced
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

// frontCosts are the points of the front as pareto sees them.
func (a *Analysis) frontCosts() [][]float64 {
	costs := make([][]float64, len(a.Front))
	for i := range costs {
		costs[i] = a.costs(func(t int) float64 { return a.Front[i].Predicted[t].Value })
	}
	return costs
}

// MostBalanced is which of some points of the front has the best worst objective, each in units of the range that they
// have of it; −1 where there is none. It is the nearest to the best of all in the sense of Chebyshev.
func (a *Analysis) MostBalanced(among []int) int {
	costs := rows(a.frontCosts(), among)
	if len(costs) == 0 {
		return -1
	}
	ideal := slices.Clone(costs[0])
	for _, c := range costs {
		for k, v := range c {
			ideal[k] = min(ideal[k], v)
		}
	}
	if k := pareto.Nearest(costs, ideal); k >= 0 {
		return among[k]
	}
	return -1
}

func (a *Analysis) plainKnee(among []int) int { return pareto.KneeAmong(a.frontCosts(), among) }

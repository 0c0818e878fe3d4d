package explore

import (
	"fmt"
	"math"
	"slices"

	"parfait/study"
)

// Columns are what an axis can show: the tasks, then the coefficients.
func Columns(tasks []study.Task, names []string) []string {
	out := make([]string, 0, len(tasks)+len(names))
	for _, t := range tasks {
		out = append(out, t.Name)
	}
	for _, n := range names {
		out = append(out, "c."+n)
	}
	return out
}

// Column is the value of column c at a point with predictions p.
func Column(x []float64, p []study.Prediction, c int) float64 {
	switch {
	case c < 0:
		return math.NaN()
	case c < len(p):
		return p[c].Value
	case c-len(p) < len(x):
		return x[c-len(p)]
	}
	return math.NaN()
}

// costs are the predictions of some tasks, to be minimised.
func costs(a *study.Analysis, tasks []int, p []study.Prediction) []float64 {
	out := make([]float64, len(tasks))
	for k, t := range tasks {
		out[k] = p[t].Value * sign(a.Tasks[t])
	}
	return out
}

// sign turns a metric into a cost.
func sign(t study.Task) float64 {
	if t.Sense == study.Minimize {
		return 1
	}
	return -1
}

// ranges are how far each task reaches over the front; at least a little, to divide by.
func ranges(a *study.Analysis) []float64 {
	out := make([]float64, len(a.Tasks))
	for t := range out {
		lo, hi := math.Inf(1), math.Inf(-1)
		for i := range a.Front {
			v := a.Front[i].Predicted[t].Value
			lo, hi = min(lo, v), max(hi, v)
		}
		out[t] = max(hi-lo, 1e-9)
	}
	return out
}

// nearestOnFront is the point of the front whose objectives are nearest to p, each in units of its range.
func nearestOnFront(a *study.Analysis, p []study.Prediction) int { return nearestOf(a, a.Front, p) }

func nearestOf(a *study.Analysis, front []study.FrontPoint, p []study.Prediction) int {
	width := ranges(a)
	best, at := math.Inf(1), -1
	for i := range front {
		if d := distance(a, width, front[i].Predicted, p); d < best {
			best, at = d, i
		}
	}
	return at
}

// distance is how far two predictions lie apart in the objectives.
func distance(a *study.Analysis, width []float64, p, q []study.Prediction) float64 {
	sum := 0.0
	for _, t := range a.Objectives {
		d := (p[t].Value - q[t].Value) / width[t]
		sum += d * d
	}
	return math.Sqrt(sum)
}

// beside is the nearest point of the front with more (dir 1) or less (dir −1) of column c than here, or −1.
// With two objectives that is the neighbour.
func beside(a *study.Analysis, here study.FrontPoint, c, dir int) int {
	width := ranges(a)
	v := Column(here.X, here.Predicted, c)
	best, to := math.Inf(1), -1
	for i, p := range a.Front {
		if !((Column(p.X, p.Predicted, c)-v)*float64(dir) > 0) {
			continue
		}
		if d := distance(a, width, p.Predicted, here.Predicted); d < best {
			best, to = d, i
		}
	}
	return to
}

// favour is the point of the front that gives more (dir 1) or less (dir −1) of a task than from, at the
// least cost (or with the most gain) to the others for each bit of it. A step is between 3 and 10 % of
// the task's range where there is a point that far, else the smallest there is. −1 where there is none.
func favour(a *study.Analysis, from study.FrontPoint, task, dir int, allowed func(int) bool) int {
	width := ranges(a)
	here := from.Predicted
	const least, most = 0.03, 0.10
	best, to := math.Inf(-1), -1
	smallest, nearest := math.Inf(1), -1
	for i, p := range a.Front {
		step := -sign(a.Tasks[task]) * (p.Predicted[task].Value - here[task].Value) / width[task] * float64(dir)
		if !(step > 1e-9) || !allowed(i) {
			continue
		}
		if step < smallest {
			smallest, nearest = step, i
		}
		if step < least || step > most {
			continue
		}
		if gain := othersGain(a, width, task, p.Predicted, here) / step; gain > best {
			best, to = gain, i
		}
	}
	if to < 0 {
		return nearest
	}
	return to
}

// othersGain is what the other tasks gain, in units of their ranges; infos do not count.
func othersGain(a *study.Analysis, width []float64, task int, p, here []study.Prediction) float64 {
	sum := 0.0
	for t, other := range a.Tasks {
		if t != task && other.Role != study.Info {
			sum -= sign(other) * (p[t].Value - here[t].Value) / width[t]
		}
	}
	return sum
}

// NamedPoint is a point with a name.
type NamedPoint struct {
	Name  string
	X     []float64
	Front int // index in Analysis.Front, −1 where it is not on the front
}

// NamedPoints are the points with names, in the order in which n visits them: the knee, the best
// of each task, the other Compromises, the uniform average, the pins. A point that has a name already is not visited again.
func NamedPoints(a *study.Analysis, s State) []NamedPoint {
	if a == nil || len(a.Front) == 0 {
		return nil
	}
	points := []NamedPoint{{"knee", a.Front[a.Knee].X, a.Knee}}
	for i, t := range a.Tasks {
		if i < len(a.Best) && a.Best[i] >= 0 {
			points = append(points, NamedPoint{"best " + t.Name, a.Front[a.Best[i]].X, a.Best[i]})
		}
	}
	for _, p := range Compromises(a) {
		if !slices.ContainsFunc(points, func(q NamedPoint) bool { return q.Front == p.Front }) {
			points = append(points, p)
		}
	}
	for _, r := range a.References {
		if r.Name == study.AverageName {
			points = append(points, NamedPoint{r.Name, r.X, frontIndex(a, r.X)})
		}
	}
	for _, p := range s.Pins {
		points = append(points, NamedPoint{p.Name, p.X, frontIndex(a, p.X)})
	}
	return points
}

// Name says what the point in hand is called: a named point, a model by itself, a place on the front, or
// nothing but its coefficients.
func Name(a *study.Analysis, s State) string {
	if a == nil || len(s.X) == 0 {
		return ""
	}
	if name := label(a, s); name != "" {
		return name
	}
	if n := numberOf(a, s.X); n >= 0 {
		return fmt.Sprintf("front %d/%d", n+1, len(a.Numbered()))
	}
	if here, ok := s.here(a); ok {
		return fmt.Sprintf("front near %d/%d", nearestOf(a, a.Numbered(), here.Predicted)+1, len(a.Numbered()))
	}
	if i := slices.IndexFunc(a.Trials, func(t study.Trial) bool { return samePoint(t.X, s.X) }); i >= 0 {
		return fmt.Sprintf("trial %d", a.Trials[i].ID)
	}
	return "what if"
}

// label is the name of the point in hand where it is a named point or a model by itself.
func label(a *study.Analysis, s State) string {
	for _, p := range NamedPoints(a, s) {
		if samePoint(p.X, s.X) {
			return p.Name
		}
	}
	for _, r := range a.References {
		if samePoint(r.X, s.X) {
			return r.Name
		}
	}
	return ""
}

// Dominator is the point of the front that is at least as good as p in every objective and better in one,
// by as much as possible (each objective in units of its range) where it gains least; −1 where none is.
// O(front · objectives).
func Dominator(a *study.Analysis, p []study.Prediction) int {
	width := ranges(a)
	best, at := -1.0, -1
	for i := range a.Front {
		least, most := math.Inf(1), 0.0
		for _, t := range a.Objectives {
			g := -sign(a.Tasks[t]) * (a.Front[i].Predicted[t].Value - p[t].Value) / width[t]
			least, most = min(least, g), max(most, g)
		}
		if least >= 0 && most > 0 && least > best {
			best, at = least, i
		}
	}
	return at
}

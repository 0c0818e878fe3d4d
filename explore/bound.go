package explore

import (
	"maps"
	"math"
	"slices"
	"strconv"

	"parfait/pareto"
	"parfait/problem"
	"parfait/search"
	"parfait/study"
)

// Bound is what the value of a task must reach.
type Bound struct {
	Task  int // index in Analysis.Tasks
	Least bool
	Value float64 // at least where Least, else at most
	Of    string  // the rival of whom it is a part: "the base"; "" for a floor of its own
}

// Holds says whether v reaches the bound. What is not known does not.
func (b Bound) Holds(v float64) bool {
	if b.Least {
		return v >= b.Value
	}
	return v <= b.Value
}

// reachable writes v, rounded so that as a bound of the same sense it is one that v reaches: who is told what can be had types it.
func (b Bound) reachable(t study.Task, v float64) string {
	text := Number(t, v)
	for off := math.Abs(v) * 1e-12; off > 0 && off < math.Inf(1); off *= 2 {
		b.Value, _ = strconv.ParseFloat(text, 64)
		if b.Holds(v) {
			break
		}
		if text = Number(t, v+off); b.Least {
			text = Number(t, v-off)
		}
	}
	return text
}

// In writes the bound of one of tasks: "upright ≥ .90".
func (b Bound) In(tasks []study.Task) string {
	if b.Of != "" {
		return "all that " + b.Of + " has"
	}
	sign := "≤"
	if b.Least {
		sign = "≥"
	}
	return tasks[b.Task].Name + " " + sign + " " + trimmed(tasks[b.Task], b.Value)
}

// Bounds are the bounds of every task: those that study.yaml sets, all of them, and of tasks in own the person's
// floor instead (at most, where less is better).
func Bounds(tasks []study.Task, own map[string]float64) []Bound {
	var out []Bound
	for i, t := range tasks {
		if v, ok := own[t.Name]; ok {
			out = append(out, floorOf(tasks, i, v))
			continue
		}
		if t.AtLeast != nil {
			out = append(out, Bound{Task: i, Least: true, Value: *t.AtLeast})
		}
		if t.AtMost != nil {
			out = append(out, Bound{Task: i, Value: *t.AtMost})
		}
	}
	return out
}

// floorOf is the bound that a person means with a floor of task i.
func floorOf(tasks []study.Task, i int, v float64) Bound {
	return Bound{Task: i, Least: tasks[i].Sense != study.Minimize, Value: v}
}

// floorsOf are a person's floors. Those of tasks that do not exist are ignored.
func floorsOf(tasks []study.Task, floors map[string]float64) []Bound {
	var out []Bound
	for i, t := range tasks {
		if v, ok := floors[t.Name]; ok {
			out = append(out, floorOf(tasks, i, v))
		}
	}
	return out
}

// Keeps is the probability that the merge at x keeps a bound, by the interval of its prediction.
func Keeps(a *study.Analysis, x []float64, b Bound) float64 {
	return a.Keeps(x, search.Floor{Task: a.Tasks[b.Task].Name, Least: b.Least, Value: b.Value})
}

// Breaks are the bounds that predictions do not reach: all that study.yaml sets, and a person's own floors where
// they ask for more. A lower floor of one's own is for looking: it takes nothing away here.
func Breaks(tasks []study.Task, own map[string]float64, p []study.Prediction) []Bound {
	all := Bounds(tasks, nil)
	for _, b := range floorsOf(tasks, own) {
		i := slices.IndexFunc(all, func(of Bound) bool { return of.Task == b.Task && of.Least == b.Least })
		if i < 0 {
			all = append(all, b)
		} else if all[i].Holds(b.Value) { // it asks for more
			all[i] = b
		}
	}
	return slices.DeleteFunc(all, func(b Bound) bool { return b.Holds(p[b.Task].Value) })
}

// InWords are broken bounds and what is predicted: "upright ≥ .90, predicted .873". It is never nil.
func InWords(tasks []study.Task, broken []Bound, p []study.Prediction) []string {
	words := []string{}
	for _, b := range broken {
		words = append(words, b.In(tasks)+", predicted "+Number(tasks[b.Task], p[b.Task].Value))
	}
	return words
}

// Unasked are those of the bounds that a choice breaks which nobody has said yes to: all but the floors of
// study.yaml of the tasks in anyway, with which the point was kept before.
func Unasked(tasks []study.Task, breaks []Bound, anyway []string) []Bound {
	spec := Bounds(tasks, nil)
	return slices.DeleteFunc(slices.Clone(breaks), func(b Bound) bool {
		return slices.Contains(anyway, tasks[b.Task].Name) && slices.Contains(spec, b)
	})
}

// keeps says whether predictions reach every bound.
func keeps(bounds []Bound, p []study.Prediction) bool {
	return !slices.ContainsFunc(bounds, func(b Bound) bool { return !b.Holds(p[b.Task].Value) })
}

// satisfying are the points of the front that reach every bound.
func satisfying(a *study.Analysis, bounds []Bound) []int {
	var out []int
	for i := range a.Front {
		if keeps(bounds, a.Front[i].Predicted) {
			out = append(out, i)
		}
	}
	return out
}

// Keeping is how many points of the front reach every bound: those of study.yaml, or a person's own instead.
func Keeping(a *study.Analysis, own map[string]float64) int {
	return len(satisfying(a, Bounds(a.Tasks, own)))
}

// costliest is the task whose bound costs most where no point of the front reaches all of them; −1 for none.
func costliest(a *study.Analysis, bounds []Bound) int {
	limits := make([]float64, len(bounds))
	fs := make([][]float64, len(a.Front))
	for i := range a.Front {
		fs[i] = make([]float64, len(bounds))
	}
	for k, b := range bounds {
		sign := 1.0
		if b.Least {
			sign = -1
		}
		limits[k] = sign * b.Value
		for i, p := range a.Front {
			fs[i][k] = sign * p.Predicted[b.Task].Value
		}
	}
	if k := pareto.CostliestLimit(fs, limits); k >= 0 {
		return bounds[k].Task
	}
	return -1
}

// Unkept says in words which floors of study.yaml no point of the front keeps; "" where some point keeps all.
func Unkept(a *study.Analysis) string {
	bounds := Bounds(a.Tasks, nil)
	if len(bounds) == 0 || len(a.Front) == 0 || len(satisfying(a, bounds)) > 0 {
		return ""
	}
	return infeasible(a, bounds)
}

// infeasible says that no point of the front keeps bounds, and, where the front was traced under them, which costs the most.
func infeasible(a *study.Analysis, bounds []Bound) string {
	if a.Unmet != nil && a.TracedUnder(Preference{}.floors(a, bounds)) && len(a.Floors) == len(bounds) {
		return unmet(a, bounds)
	}
	words := inWords(a, bounds)
	text, c := "no point of the front has "+problem.And(words), costliest(a, bounds)
	if !a.TracedUnder(Preference{}.floors(a, bounds)) {
		return text // between its points one may, and of the points alone another floor may cost the most than of all merges
	}
	switch {
	case c < 0:
		return text
	case len(bounds) == 1:
		return text + ": the best is " + bestOf(a, bounds[0])
	}
	if len(floorsAlone(bounds)) == 0 {
		return text + ": " + a.Tasks[c].Name + " costs the most"
	}
	return "the floor of " + a.Tasks[c].Name + " costs the most: " + text // what is cut where there is no room is known
}

// inWords are bounds in words, those of a rival together.
func inWords(a *study.Analysis, bounds []Bound) []string {
	var words []string
	for _, b := range bounds {
		if w := b.In(a.Tasks); !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return words
}

// floorsAlone are the bounds that are no part of a rival.
func floorsAlone(bounds []Bound) []Bound {
	return slices.DeleteFunc(slices.Clone(bounds), func(b Bound) bool { return b.Of != "" })
}

// bestOf is the value on the front that comes nearest to keeping a bound.
func bestOf(a *study.Analysis, b Bound) string {
	best := a.Front[0].Predicted[b.Task].Value
	for _, p := range a.Front {
		if v := p.Predicted[b.Task].Value; v > best == b.Least {
			best = v
		}
	}
	return b.reachable(a.Tasks[b.Task], best)
}

// specFloors are the floors that study.yaml sets in the sense of each task, beneath the person's own.
func specFloors(tasks []study.Task, own map[string]float64) map[string]float64 {
	floors := map[string]float64{}
	for _, b := range Bounds(tasks, own) {
		if t := tasks[b.Task]; b.Least == (t.Sense != study.Minimize) {
			floors[t.Name] = b.Value
		}
	}
	maps.Copy(floors, own)
	if len(floors) == 0 {
		return nil
	}
	return floors
}

package search

import (
	"maps"
	"math"
	"slices"

	"parfait/problem"
)

// Floor is a bound that the value of a task has to keep.
type Floor struct {
	Task  string  `json:"task"`
	Least bool    `json:"least"`          // at least Value; else at most
	Value float64 `json:"value"`          // on the metric's scale
	Sure  float64 `json:"sure,omitempty"` // the probability with which predictions are to keep it; ½ and below: the prediction itself
}

// miss is how far v is on the wrong side of the floor, above 0, or, below 0, on the right one.
func (f Floor) miss(v float64) float64 {
	if f.Least {
		return f.Value - v
	}
	return v - f.Value
}

// Floors are the bounds that tasks have of their own.
func Floors(tasks []Task) []Floor {
	var out []Floor
	for _, t := range tasks {
		if t.AtLeast != nil {
			out = append(out, Floor{t.Name, true, *t.AtLeast, FloorSure})
		}
		if t.AtMost != nil {
			out = append(out, Floor{t.Name, false, *t.AtMost, FloorSure})
		}
	}
	return out
}

// Wishes are what somebody wants of a merge: floors are to be kept, then values are to be reached, and what is left over
// goes to the other tasks. The zero value wants as much as can be had of every optimised task.
type Wishes struct {
	Floors  []Floor            `json:"floors,omitempty"`
	Aspire  map[string]float64 `json:"aspire,omitempty"`  // the value to reach, a task; more of it is worth nothing
	Weights map[string]float64 `json:"weights,omitempty"` // what a gain of a task counts for, in units of its range; nil: see Aim
}

// Aim makes one figure of the values of all tasks, the larger the nearer to wishes. Immutable.
type Aim struct {
	tasks   []Task
	floors  []Floor
	floored []int     // a floor: its task
	aspired []float64 // a task; NaN: to nothing
	weights []float64 // a task; 0: a gain of it counts for nothing
	even    bool      // nobody has weighed them
	from    []float64 // a task: the value from which gains are counted
	width   []float64 // a task: the unit in which they are
	above   float64   // aboveGains
}

// How wishes are put above each other: a range of a task that an aspiration is short of costs as much as so many ranges
// gained elsewhere, and one that a floor is missed by as many of those. Of several that are missed the worst counts, and a
// little of each.
const (
	aboveGains = 100
	augmented  = 0.01
)

// balance is how much less a task counts the more it has gained: at 0 gains would be added up, without end only the least
// would count.
const balance = 5

// NewAim is the aim of wishes. Gains are counted from the values in from and in units of width, a task each: the base's,
// and the range of what can be had. Errors (BadOption) are unknown tasks, and weights below 0 or all 0.
func NewAim(tasks []Task, w Wishes, from, width []float64) (*Aim, error) {
	var wrong problem.List
	names := make([]string, len(tasks))
	for i, t := range tasks {
		names[i] = t.Name
	}
	at := func(where, name string) int {
		i := slices.Index(names, name)
		if i < 0 {
			wrong = append(wrong, problem.Unknown(BadOption, where, "task", name, names))
		}
		return i
	}
	a := &Aim{tasks: tasks, from: from, width: width, even: len(w.Weights) == 0, above: aboveGains}
	a.aspired, a.weights = slices.Repeat([]float64{math.NaN()}, len(tasks)), make([]float64, len(tasks))
	for _, f := range w.Floors {
		if i := at("floors", f.Task); i >= 0 {
			a.floors, a.floored = append(a.floors, f), append(a.floored, i)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.Aspire)) {
		if i := at("aspire", name); i >= 0 {
			a.aspired[i] = w.Aspire[name]
		}
	}
	sum := 0.0
	for _, name := range slices.Sorted(maps.Keys(w.Weights)) {
		i, v := at("weights", name), w.Weights[name]
		if !(v >= 0) {
			wrong.Add(BadOption, "weights: %s: expected 0 or more, found %g", name, v)
		}
		if sum += v; i >= 0 {
			a.weights[i] = v
		}
	}
	if a.even {
		sum = a.weighEvenly()
	}
	if !(sum > 0) && !a.even {
		wrong.Add(BadOption, "weights: expected at least one task to be worth more than 0")
	}
	for i := range a.weights {
		a.weights[i] /= max(sum, 1e-300)
	}
	return a, wrong.Err()
}

// weighEvenly counts the optimised tasks that no aspiration names, or, where it names all of them, all; it returns how many.
func (a *Aim) weighEvenly() (sum float64) {
	for _, named := range []bool{false, true} {
		for i, t := range a.tasks {
			if t.Optimise && (named || math.IsNaN(a.aspired[i])) {
				a.weights[i], sum = 1, sum+1
			}
		}
		if sum > 0 {
			break
		}
	}
	return sum
}

// Achievement is how near the values y, one a task on the metric's scale, come to the wishes: predictions, a draw, or a
// measurement. −Inf where one that counts is not known.
//
// It is an achievement function as Wierzbicki's (1980): aspirations that are missed weigh far more than any gain, by the
// worst of them in units of the ranges; those that are reached not at all, so that what is left over goes to the other
// tasks. Floors are put above aspirations in the same way. Gains over the base are added up by the weights, or, where
// there are none, averaged so that a task that has gained less counts for more: −log(mean exp(−5·gain))/5. It is
// continuous, the larger the better, and what it says does not depend on the units or the order of the tasks. O(tasks).
func (a *Aim) Achievement(y []float64) float64 {
	if slices.ContainsFunc(a.floored, func(i int) bool { return math.IsNaN(y[i]) }) {
		return math.Inf(-1)
	}
	var breach, short missed
	for k, f := range a.floors {
		i := a.floored[k]
		breach.by(f.miss(y[i]) / a.width[i])
	}
	gains, sum := 0.0, 0.0
	for i := range a.tasks {
		counts := a.weights[i] > 0
		if (counts || !math.IsNaN(a.aspired[i])) && math.IsNaN(y[i]) {
			return math.Inf(-1)
		}
		if v := a.aspired[i]; !math.IsNaN(v) {
			short.by(a.gain(i, v) - a.gain(i, y[i]))
		}
		if !counts {
			continue
		}
		if g := a.gain(i, y[i]); a.even {
			gains += a.weights[i] * math.Exp(-balance*max(g, -20))
		} else {
			sum += a.weights[i] * g
		}
	}
	if a.even && gains > 0 {
		sum = -math.Log(gains) / balance
	}
	return sum - a.above*(short.value()+a.above*breach.value())
}

// Reached says whether y keeps every floor and reaches what is aspired to.
func (a *Aim) Reached(y []float64) bool {
	for k, f := range a.floors {
		if !(f.miss(y[a.floored[k]]) <= 0) {
			return false
		}
	}
	for i, v := range a.aspired {
		if !math.IsNaN(v) && !(a.gain(i, y[i]) >= a.gain(i, v)) {
			return false
		}
	}
	return true
}

// gain is what v has over the base of task i, in units of its range.
func (a *Aim) gain(i int, v float64) float64 {
	g := (v - a.from[i]) / a.width[i]
	if !a.tasks[i].Maximize {
		g = -g
	}
	return g
}

// missed is by how much wishes are missed.
type missed struct{ worst, sum float64 }

func (m *missed) by(v float64) {
	m.worst, m.sum = max(m.worst, v), m.sum+max(v, 0)
}

func (m *missed) value() float64 { return m.worst + augmented*m.sum }

// Aim is the aim of wishes on what is fitted: gains are counted from what is predicted of the base, or of equal proportions
// where the space has no base, in units of what was measured of each task. Errors as of NewAim.
func (l *Landscape) Aim(w Wishes) (*Aim, error) {
	from, width := make([]float64, len(l.tasks)), make([]float64, len(l.tasks))
	origin := newRegion(l.space).origin
	for i := range l.fits {
		from[i] = l.fits[i].surrogate.Mean(nil, origin)
		if width[i] = l.fits[i].width; !(width[i] > 0) {
			width[i] = 1
		}
	}
	return NewAim(l.tasks, w, from, width)
}

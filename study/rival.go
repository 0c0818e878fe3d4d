package study

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"parfait/search"
)

// Names of [Reference]s: the point that leaves every model out, and the one that has all of them in equal parts.
const (
	BaseName    = "base"
	AverageName = "uniform"
)

// reference is a named point that something can be held against: a point of the space, where it was measured or where
// the surrogates are to be believed. What is predicted of it is what its own measurement and all others say together:
// like predictions of the front, of the same scale and with the noise taken out, so that the two can be held side by side.
func (a *Analysis) reference(name string) (Reference, bool) {
	i := slices.IndexFunc(a.References, func(r Reference) bool { return r.Name == name })
	if i < 0 || name == BaseName && len(a.Space.Simplex) > 0 || a.References[i].Trial < 0 && !a.Believed(a.References[i].X) {
		return Reference{}, false
	}
	return a.References[i], true
}

// Rivals are what a merge has to be better than to be worth shipping, as far as something is known of them: the base, the
// uniform average, and the model that is best by itself: that with the best mean of the objectives, each in units of
// its range over the front and the models.
func (a *Analysis) Rivals() []Reference {
	var out []Reference
	for _, name := range []string{BaseName, AverageName} {
		if r, ok := a.reference(name); ok {
			out = append(out, r)
		}
	}
	var alone []Reference
	for _, r := range a.References {
		if r.Name == BaseName || r.Name == AverageName {
			continue
		}
		if r, ok := a.reference(r.Name); ok {
			alone = append(alone, r)
		}
	}
	if len(alone) == 0 {
		return out
	}
	best, top := 0, math.Inf(-1)
	for i, r := range alone {
		if m := a.meanShare(r.Predicted, alone); m > top {
			best, top = i, m
		}
	}
	return append(out, alone[best])
}

// meanShare is the mean of what predictions have of the objectives' ranges over the front and some references.
func (a *Analysis) meanShare(p []Prediction, among []Reference) float64 {
	sum := 0.0
	for _, t := range a.Objectives {
		lo, hi := math.Inf(1), math.Inf(-1)
		see := func(p []Prediction) { lo, hi = min(lo, p[t].Value), max(hi, p[t].Value) }
		for i := range a.Front {
			see(a.Front[i].Predicted)
		}
		for _, r := range among {
			see(r.Predicted)
		}
		if share := (p[t].Value - lo) / (hi - lo); hi > lo && a.Tasks[t].Sense == Minimize {
			sum += 1 - share
		} else if hi > lo {
			sum += share
		}
	}
	return sum / float64(len(a.Objectives))
}

// Below returns the objectives, as indices in Tasks, on which the predictions p are worse than those of another point:
// best estimate against best estimate, so that where both lie within the noise it is about as often one as the other.
// O(objectives).
func (a *Analysis) Below(p, other []Prediction) (tasks []int) {
	for _, t := range a.Objectives {
		v, b := p[t].Value, other[t].Value
		if a.Tasks[t].Better(b, v) && math.Abs(b-v) > rounding*max(1, math.Abs(b)) {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// Chance is the probability that the merge at x is nowhere worse than the one at y, on the objectives, by the joint
// distribution that each task's surrogate gives the two; tasks are taken as independent. NaN where a surrogate knows no
// distribution. It costs a prediction of two points a task.
func (a *Analysis) Chance(x, y []float64) float64 {
	p := 1.0
	for _, t := range a.Objectives {
		p *= chance(a.Tasks[t], a.Fits[t], x, y)
	}
	return p
}

func chance(t Task, f Fit, x, y []float64) float64 {
	d := predictedDifference(t, f, x, y)
	switch {
	case math.IsNaN(d.Gain) || math.IsNaN(d.Stderr):
		return math.NaN()
	case d.Stderr > 0:
		return distuv.UnitNormal.CDF(d.Gain / d.Stderr)
	case d.Gain < -rounding:
		return 0
	}
	return 1
}

// rounding is below what predictions differ by only because they were worked out in another order.
const rounding = 1e-9

// Difference is what is predicted for the merge at x less what is for the one at y, on a task, with the standard
// deviation that the surrogate's joint distribution gives it: points that lie close share what is not known of them. It
// costs a prediction of two points.
func (a *Analysis) Difference(task int, x, y []float64) Difference {
	return predictedDifference(a.Tasks[task], a.Fits[task], x, y)
}

func predictedDifference(t Task, f Fit, x, y []float64) Difference {
	mean, cov := f.joint([][]float64{x, y})
	d := Difference{Gain: mean[0] - mean[1], Stderr: math.Sqrt(max(cov.At(0, 0)+cov.At(1, 1)-2*cov.At(0, 1), 0))}
	if t.Sense == Minimize {
		d.Gain = -d.Gain
	}
	if d.Stderr <= rounding {
		d.Stderr = 0
	}
	return d
}

// Models are those that have a part in the merge at x.
func Models(space search.Space, x []float64) []string {
	var out []string
	for _, n := range space.Numbers() {
		if n.Kind == search.Scaling && n.At(x) != 0 && !slices.Contains(out, n.Model) {
			out = append(out, n.Model)
		}
	}
	return out
}

// Difference is how much better one point was measured than another, on one task and split. Everything that holds two
// measurements against each other asks here.
type Difference struct {
	Gain   float64 `json:"gain"`             // of the first over the second, in the task's sense: above 0 the first is better
	Stderr float64 `json:"stderr,omitempty"` // 0: not known
}

// Difference holds two measurements against each other. The standard error is that of independent ones: both are of
// the same items as a rule, whose luck they share, so that it is rather too large than too small.
func (t Task) Difference(a, b Metric) Difference {
	d := Difference{Gain: a.Value - b.Value}
	if t.Sense == Minimize {
		d.Gain = -d.Gain
	}
	x, knownX := t.Stderr(a)
	y, knownY := t.Stderr(b)
	if knownX && knownY {
		d.Stderr = math.Hypot(x, y)
	}
	return d
}

// Sure says whether the difference is more than noise: more than two standard errors, which are known.
func (d Difference) Sure() bool { return d.Stderr > 0 && math.Abs(d.Gain) > 2*d.Stderr }

// Title is the reference in words: the base, the uniform average, math alone.
func (r Reference) Title() string {
	switch r.Name {
	case BaseName:
		return "the base"
	case AverageName:
		return "the uniform average"
	}
	return r.Name + " alone"
}

// Gains are what measurements on the validation split have over those of what there was without a search.
type Gains struct {
	Over  string                `json:"over"` // Reference.Title
	Tasks map[string]Difference `json:"tasks"`
}

// Gains are what measurements on the validation split have over those of each of Rivals that was measured, an objective
// that was measured on both.
func (a *Analysis) Gains(measured map[string]Metric) []Gains {
	var out []Gains
	for _, r := range a.Rivals() {
		if of := a.GainsOver(r.Trial, measured); len(of) > 0 {
			out = append(out, Gains{r.Title(), of})
		}
	}
	return out
}

// GainsOver are what measurements on the validation split have over those of a trial, an index in Trials, an objective
// that was measured on both; none of the trial −1.
func (a *Analysis) GainsOver(trial int, measured map[string]Metric) map[string]Difference {
	out := map[string]Difference{}
	if trial < 0 {
		return out
	}
	for _, t := range a.Objectives {
		task := a.Tasks[t]
		mine, ok := measured[task.Name]
		if other, both := a.Trials[trial].Metrics[task.Name]; ok && both {
			out[task.Name] = task.Difference(mine, other)
		}
	}
	return out
}

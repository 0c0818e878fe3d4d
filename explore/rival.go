package explore

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"parfait/problem"
	"parfait/study"
)

// Rival is a point that a merge has to be better than: what there was without a search, or a point that somebody keeps.
type Rival struct {
	Name      string // as State.Beats and flags have it: base, average, best, a model's or a pin's
	Title     string // in words: the base, the uniform average, math alone
	X         []float64
	Predicted []study.Prediction
	Trial     int // index in Analysis.Trials where it was measured, −1 where not
}

// Names of rivals.
const (
	RivalBase    = "base"
	RivalAverage = "average"
	RivalBest    = "best" // the best model by itself
)

// Rivals are those of an analysis, and the pins.
func Rivals(a *study.Analysis, pins []Pin) []Rival {
	if a == nil || len(a.Front) == 0 {
		return nil
	}
	var out []Rival
	for _, r := range a.Rivals() {
		v := Rival{Name: RivalBest, Title: r.Title(), X: r.X, Predicted: r.Predicted, Trial: r.Trial}
		switch r.Name {
		case study.BaseName:
			v.Name = RivalBase
		case study.AverageName:
			v.Name = RivalAverage
		}
		out = append(out, v)
	}
	for _, p := range pins {
		out = append(out, Rival{
			Name: p.Name, Title: p.Name, X: p.X, Predicted: a.Predict(p.X),
			Trial: slices.IndexFunc(a.Trials, func(t study.Trial) bool { return samePoint(t.X, p.X) }),
		})
	}
	return out
}

// RivalNamed is the rival of that name. The error is a problem, UnknownRival.
func RivalNamed(a *study.Analysis, name string, pins []Pin) (Rival, error) {
	rivals := Rivals(a, pins)
	names := make([]string, len(rivals))
	for i, r := range rivals {
		if names[i] = r.Name; r.Name == name {
			return r, nil
		}
	}
	return Rival{}, problem.Unknown(UnknownRival, "", "point to beat", name, names)
}

// bounds are what a point must have to be nowhere worse, a bound an objective.
func (r Rival) bounds(a *study.Analysis) []Bound {
	const rounding = 1e-9
	var out []Bound
	for _, t := range a.Objectives {
		v := r.Predicted[t].Value
		b := floorOf(a.Tasks, t, v+sign(a.Tasks[t])*rounding*max(1, math.Abs(v)))
		b.Of = r.Title
		out = append(out, b)
	}
	return out
}

// Beats says whether the merge at x, where p is predicted, is another point than the rival and nowhere worse. Where no
// objective varies beyond its noise nothing beats anything.
func (r Rival) Beats(a *study.Analysis, x []float64, p []study.Prediction) bool {
	return len(constant(a)) < len(a.Objectives) && !samePoint(x, r.X) && len(a.Below(p, r.Predicted)) == 0
}

// constant are the objectives that do not vary beyond their noise.
func constant(a *study.Analysis) []int {
	return slices.DeleteFunc(slices.Clone(a.Objectives), func(t int) bool { return !a.Fits[t].Trust.Constant })
}

// Beating is how many points of the front beat the rival on every objective.
func (r Rival) Beating(a *study.Analysis) int {
	n := 0
	for i := range a.Front {
		if r.Beats(a, a.Front[i].X, a.Front[i].Predicted) {
			n++
		}
	}
	return n
}

// GainWords say on which tasks measurements are better than those of the rival, on which worse, and where noise decides;
// "" where nothing was measured on both.
func (r Rival) GainWords(a *study.Analysis, measured map[string]study.Metric) string {
	gains := a.GainsOver(r.Trial, measured)
	var better, worse, alike []string
	for _, t := range a.Objectives {
		task := a.Tasks[t]
		d, ok := gains[task.Name]
		w := points(task, math.Abs(d.Gain)) + " " + task.Name
		if task.Rate() {
			w = points(task, math.Abs(d.Gain)) + " pt " + task.Name
		}
		switch {
		case !ok:
		case !d.Sure():
			alike = append(alike, task.Name)
		case d.Gain > 0:
			better = append(better, w)
		default:
			worse = append(worse, w)
		}
	}
	var parts []string
	for _, part := range []struct {
		words []string
		what  string
	}{{better, "better by "}, {worse, "worse by "}, {alike, "within the noise on "}} {
		if len(part.words) > 0 {
			parts = append(parts, part.what+problem.And(part.words))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "measured against " + r.Title + ": " + strings.Join(parts, "; ")
}

// BelowBaseWords say on which objectives measurements are worse than those of the base, and by how much: "below the base
// as measured: upright −4.2, noisy −.3 (within the noise)"; "" where they are on none, or where that is not known.
func BelowBaseWords(a *study.Analysis, measured map[string]study.Metric) string {
	below, _ := a.MeasuredBelowBase(measured)
	base, err := RivalNamed(a, RivalBase, nil)
	if err != nil || len(below) == 0 {
		return ""
	}
	gains, words := a.GainsOver(base.Trial, measured), make([]string, len(below))
	for i, t := range below {
		task := a.Tasks[t]
		words[i] = task.Name + " " + Difference(task, a.Trials[base.Trial].Metrics[task.Name].Value, measured[task.Name].Value)
		if !gains[task.Name].Sure() {
			words[i] += " (within the noise)"
		}
	}
	return "below the base as measured: " + strings.Join(words, ", ")
}

// rival is the point that s wants to beat, if there is one.
func (s State) rival(a *study.Analysis) (Rival, bool) {
	if s.Beats == "" {
		return Rival{}, false
	}
	r, err := RivalNamed(a, s.Beats, s.Pins)
	return r, err == nil
}

// over is what the point in hand is held against: the rival, or, where there is none, the base or the uniform average.
func (s State) over(a *study.Analysis) (Rival, bool) {
	if s.Beats != "" {
		return s.rival(a)
	}
	for _, name := range []string{RivalBase, RivalAverage} {
		if r, err := RivalNamed(a, name, nil); err == nil {
			return r, true
		}
	}
	return Rival{}, false
}

// beat asks for points that beat the next rival; after the last for none in particular.
func (s State) beat(a *study.Analysis) (State, Note) {
	rivals := Rivals(a, s.Pins)
	if len(rivals) == 0 {
		return s, Note{NoteNothing, "nothing is known that could be beaten: neither the base nor a model is measured"}
	}
	at := slices.IndexFunc(rivals, func(r Rival) bool { return r.Name == s.Beats }) + 1
	if at == len(rivals) {
		s.Beats = ""
		return s, Note{NoteDone, "better than nothing in particular"}
	}
	s.Beats = rivals[at].Name
	s, note := s.keepBounds(a, false)
	if note.Code == NoteNone {
		note = Note{NoteDone, beating(a, rivals[at])}
	}
	return s, note
}

// BeatingWords say how much of the front beats a rival: "41 of 300 points beat the base on every task".
func BeatingWords(a *study.Analysis, r Rival) string {
	n, verb, on := r.Beating(a), "beat", "on every task"
	switch len(constant(a)) {
	case 0:
	case len(a.Objectives):
		return "no point beats " + r.Title + ": no task varies beyond its noise"
	default:
		on += " that varies"
	}
	if n == 1 {
		verb = "beats"
	}
	return fmt.Sprintf("%d of %d points", n, len(a.Front)) + " " + verb + " " + r.Title + " " + on
}

// Likely writes a probability: .93, "<.01", ">.99".
func Likely(p float64) string {
	switch {
	case math.IsNaN(p):
		return "unknown"
	case p < 0.01:
		return "<.01"
	case p > 0.99:
		return ">.99"
	}
	return Decimal(p, 2)
}

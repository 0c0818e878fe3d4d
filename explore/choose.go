package explore

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"parfait/pareto"
	"parfait/problem"
	"parfait/study"
)

// Preference says which point is wanted. AtLeast may stand alone or beside one of the others; of those exactly
// one, or none beside AtLeast (then the knee of what satisfies the floors).
type Preference struct {
	Knee          bool
	Best          string             // the best of this task
	AtLeast       map[string]float64 // floors; at most, for tasks that are minimised
	Aspire        map[string]float64 // nearest to these values, by achievement scalarisation
	Weights       map[string]float64 // the best weighted sum of tasks, each in units of its range
	Lexicographic []string           // tasks, the most important first
	Slack         map[string]float64 // how much of a task may be given up for those after it
	At            map[string]float64 // exactly these coefficients, by name; those not named are 0
}

// Choice is a point that was chosen, and why, in words that go into receipts.
type Choice struct {
	X         []float64
	Front     int // index in Analysis.Front, −1 off the front
	Predicted []study.Prediction
	Leverage  float64
	Believed  bool
	Breaks    []Bound  // what the predictions do not reach, of study.yaml's floors and those asked for
	Anyway    []string // tasks whose floors the pick that it was read from was kept in spite of
	Why       string
}

// Chosen is the choice of the coefficients x. own are floors that were asked for beside those of study.yaml, nil
// for none.
func Chosen(a *study.Analysis, x []float64, own map[string]float64, why string) Choice {
	c := Choice{X: slices.Clone(x), Front: frontIndex(a, x), Why: why}
	if c.Front >= 0 {
		p := a.Front[c.Front]
		c.Predicted, c.Leverage, c.Believed = p.Predicted, p.Leverage, p.Believed
	} else {
		c.Predicted, c.Leverage, c.Believed = a.Predict(x), a.Leverage(x), a.Believed(x)
	}
	c.Breaks = Breaks(a.Tasks, own, c.Predicted)
	return c
}

// Choose finds the point that is wanted. The floors of study.yaml are kept where some point can keep them and no
// lower one was asked for; the choice says which of them it breaks, and who keeps it must ask. Errors are problems: NoAnalysis, UnknownTask, UnknownCoefficient, BadPreference, Infeasible.
func Choose(a *study.Analysis, w Preference) (Choice, error) {
	if a == nil || (len(a.Front) == 0 && w.At == nil) {
		return Choice{}, fail(NoAnalysis, "nothing can be chosen yet: too few trials are finished; run the study further")
	}
	if err := w.check(a); err != nil {
		return Choice{}, err
	}
	if w.At != nil {
		return w.exactly(a)
	}
	among, why, err := w.floored(a)
	if err != nil {
		return Choice{}, err
	}
	i, words := w.among(a, among)
	if i < 0 {
		return Choice{}, fail(BadPreference, "no point of the front can be compared")
	}
	return Chosen(a, a.Front[i].X, w.AtLeast, words+why), nil
}

// check reports every unknown name and every demand that does not go with another.
func (w Preference) check(a *study.Analysis) error {
	var wrong problem.List
	tasks := make([]string, len(a.Tasks))
	for i, t := range a.Tasks {
		tasks[i] = t.Name
	}
	known := func(name string) {
		if !slices.Contains(tasks, name) {
			wrong = append(wrong, problem.Unknown(UnknownTask, "", "task", name, tasks))
		}
	}
	for _, m := range []map[string]float64{w.AtLeast, w.Aspire, w.Weights, w.Slack} {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			known(name)
			if notFinite(m[name]) {
				wrong.Add(BadPreference, "%s: expected a finite number, found %g", name, m[name])
			}
		}
	}
	for _, name := range w.Lexicographic {
		known(name)
	}
	if w.Best != "" {
		known(w.Best)
	}
	for _, name := range slices.Sorted(maps.Keys(w.Weights)) {
		if w.Weights[name] < 0 {
			wrong.Add(BadPreference, "the weight of %s: expected 0 or more, found %g", name, w.Weights[name])
		}
	}
	wrong = append(wrong, w.checkAt(a)...)
	if n := w.asked(); n > 1 {
		wrong.Add(BadPreference, "expected one way to choose, found %d", n)
	} else if n == 0 && len(w.AtLeast) == 0 {
		wrong.Add(BadPreference, "expected a way to choose: the knee, floors, an aspiration, weights, an order of tasks, the best of a task, or coefficients")
	}
	return wrong.Err()
}

func (w Preference) checkAt(a *study.Analysis) problem.List {
	var wrong problem.List
	var names []string
	for _, c := range a.Space.Coefficients {
		names = append(names, c.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(w.At)) {
		if !slices.Contains(names, name) {
			wrong = append(wrong, problem.Unknown(UnknownCoefficient, "", "coefficient", name, names))
		} else if notFinite(w.At[name]) {
			wrong.Add(BadPreference, "%s: expected a finite number, found %g", name, w.At[name])
		}
	}
	if w.At != nil && len(w.AtLeast) > 0 {
		wrong.Add(BadPreference, "floors cannot be kept by given coefficients: expected one of the two")
	}
	return wrong
}

// asked counts the ways to choose.
func (w Preference) asked() int {
	n := 0
	for _, asked := range []bool{w.Knee, w.Best != "", w.Aspire != nil, w.Weights != nil, w.Lexicographic != nil, w.At != nil} {
		if asked {
			n++
		}
	}
	return n
}

func (w Preference) exactly(a *study.Analysis) (Choice, error) {
	x := make([]float64, len(a.Space.Coefficients))
	for i, c := range a.Space.Coefficients {
		x[i] = w.At[c.Name]
	}
	x, err := a.Space.Normal(x)
	if err != nil {
		return Choice{}, noPoint(err)
	}
	return Chosen(a, x, nil, "these coefficients were given: "+At(a, x)), nil
}

// noPoint says why coefficients stand for no merge.
func noPoint(err error) problem.Problem {
	what, fix := problem.Split(err)
	return problem.Problem{Code: BadPreference, What: what, Fix: fix}
}

// floored are the points of the front that keep the floors, and those floors in words. Where no point keeps
// those of study.yaml too, the choice is made without them: it says so, and breaks them.
func (w Preference) floored(a *study.Analysis) ([]int, string, error) {
	all, own := Bounds(a.Tasks, w.AtLeast), floorsOf(a.Tasks, w.AtLeast)
	if among := satisfying(a, all); len(among) > 0 {
		return among, withBounds(a, all), nil
	}
	among := satisfying(a, own)
	if len(among) == 0 {
		return nil, "", fail(Infeasible, "%s", infeasible(a, own))
	}
	return among, withBounds(a, own) + "; " + infeasible(a, all), nil
}

// withBounds are bounds in words: " with upright ≥ .90".
func withBounds(a *study.Analysis, bounds []Bound) string {
	var words []string
	for _, b := range bounds {
		words = append(words, b.In(a.Tasks))
	}
	if len(words) == 0 {
		return ""
	}
	return " with " + problem.And(words)
}

// among chooses among points of the front, and says how.
func (w Preference) among(a *study.Analysis, among []int) (int, string) {
	switch {
	case w.Best != "":
		return best(a, among, w.Best), "the best predicted " + w.Best
	case w.Aspire != nil:
		var words []string
		for _, t := range named(a, w.Aspire) {
			words = append(words, a.Tasks[t].Name+" "+trimmed(a.Tasks[t], w.Aspire[a.Tasks[t].Name]))
		}
		return aspired(a, among, w.Aspire), "the nearest to " + problem.And(words) + " (achievement scalarisation)"
	case w.Weights != nil:
		var words []string
		for _, t := range named(a, w.Weights) {
			words = append(words, a.Tasks[t].Name+" "+significantShort(w.Weights[a.Tasks[t].Name]))
		}
		return weighted(a, among, w.Weights), "the best sum with the weights " + problem.And(words)
	case w.Lexicographic != nil:
		return w.lexicographic(a, among), "the best in the order " + strings.Join(w.Lexicographic, ", ") + w.slackWords(a)
	}
	return knee(a, among)
}

// knee is the knee of some points of the front, and what it is called.
func knee(a *study.Analysis, among []int) (int, string) {
	at, ofAll := a.KneeOf(among)
	words := "the knee of the front"
	switch {
	case !ofAll:
		words = "the knee of the part of the front that is nowhere below the base"
	case len(among) < len(a.Front):
		words = "the knee of the part of the front"
	}
	if at >= 0 && isBase(a, a.Front[at].X) {
		words += ": the base itself, which no merge is predicted to beat"
	}
	return at, words
}

// isBase says whether x leaves every model out.
func isBase(a *study.Analysis, x []float64) bool {
	return slices.ContainsFunc(a.References, func(r study.Reference) bool { return r.Name == study.BaseName && slices.Equal(r.X, x) })
}

// KneeWords say what the knee of the front is the knee of.
func KneeWords(a *study.Analysis) string {
	_, words := knee(a, everyPoint(a))
	return words
}

func best(a *study.Analysis, among []int, task string) int {
	at := -1
	for t := range a.Tasks {
		for _, i := range among {
			if a.Tasks[t].Name == task && (at < 0 || a.Tasks[t].Better(a.Front[i].Predicted[t].Value, a.Front[at].Predicted[t].Value)) {
				at = i
			}
		}
	}
	return at
}

func (w Preference) lexicographic(a *study.Analysis, among []int) int {
	values := map[string]float64{}
	for _, name := range w.Lexicographic {
		values[name] = math.NaN()
	}
	tasks := with(a, values)
	order, slack := make([]int, len(w.Lexicographic)), make([]float64, len(w.Lexicographic))
	for n, name := range w.Lexicographic {
		order[n] = slices.IndexFunc(tasks, func(t int) bool { return a.Tasks[t].Name == name })
		slack[n] = w.Slack[name]
	}
	return choose(a, among, tasks, func(fs [][]float64) int { return pareto.Lexicographic(fs, order, slack) })
}

func (w Preference) slackWords(a *study.Analysis) string {
	var words []string
	for _, t := range named(a, w.Slack) {
		words = append(words, fmt.Sprintf("%s of %s", trimmed(a.Tasks[t], w.Slack[a.Tasks[t].Name]), a.Tasks[t].Name))
	}
	if len(words) == 0 {
		return ""
	}
	return ", giving up at most " + problem.And(words)
}

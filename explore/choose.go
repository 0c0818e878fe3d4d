package explore

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"parfait/pareto"
	"parfait/problem"
	"parfait/search"
	"parfait/study"
)

// Preference says which point is wanted. Its parts go together: floors and a rival bound what is looked at, of that
// what is aspired to is reached, and one of the others, or none, says what is best of the rest: without any what has
// most over the base where something is aspired to, else the knee. At stands alone.
type Preference struct {
	Knee          bool
	Best          string             // the best of this task
	AtLeast       map[string]float64 // floors; at most, for tasks that are minimised
	Beats         *Rival             // only points that are nowhere worse on an objective
	Aspire        map[string]float64 // these values are reached; more of them is worth nothing
	Weights       map[string]float64 // the best weighted sum of gains, each in units of its task's range
	Lexicographic []string           // tasks, the most important first
	Slack         map[string]float64 // how much of a task may be given up for those after it
	At            map[string]float64 // exactly these coefficients, by name; those not named are 0
	Confidence    float64            // the probability with which floors are kept, where some point can; 0: search.FloorSure

	unmet string // why the floors of study.yaml are not kept, in words, where that is known
}

// Choice is a point that was chosen, and why, in words that go into receipts.
type Choice struct {
	X         []float64
	Front     int  // index in Analysis.Front, −1 where it is none of its points
	Traced    bool // it lies on the front under what was asked for, between points that have numbers
	Predicted []study.Prediction
	Leverage  float64
	Believed  bool
	Floors    []Bound  // that it is to keep: study.yaml's, or those asked for in their place
	Breaks    []Bound  // what the predictions do not reach, of study.yaml's floors and those asked for
	Anyway    []string // tasks whose floors the pick that it was read from was kept in spite of
	Why       string
	Wishes    *search.Wishes // that it was chosen by; nil: otherwise
}

// Chosen is the choice of the coefficients x. own are floors that were asked for beside those of study.yaml, nil
// for none.
func Chosen(a *study.Analysis, x []float64, own map[string]float64, why string) Choice {
	c := Choice{X: slices.Clone(x), Front: numberOf(a, x), Why: why}
	if c.Front >= 0 {
		p := a.Numbered()[c.Front]
		c.Predicted, c.Leverage, c.Believed = p.Predicted, p.Leverage, p.Believed
	} else {
		c.Predicted, c.Leverage, c.Believed = a.Predict(x), a.Leverage(x), a.Believed(x)
	}
	c.Floors, c.Breaks = Bounds(a.Tasks, own), Breaks(a.Tasks, own, c.Predicted)
	return c
}

// OnFront says whether the point is on a front: one of its points, or between them.
func (c Choice) OnFront() bool { return c.Front >= 0 || c.Traced }

// Kept says of each floor of a choice with what probability it is kept: "upright ≥ .90 .86".
func Kept(a *study.Analysis, c Choice) []string {
	var out []string
	for _, b := range c.Floors {
		out = append(out, b.In(a.Tasks)+" "+Likely(Keeps(a, c.X, b)))
	}
	return out
}

// Choose finds the point that is wanted. The floors of study.yaml are kept where some point can keep them and no lower
// one was asked for; the choice says which of them it breaks, and who keeps it must ask. Errors are problems:
// NoAnalysis, UnknownTask, UnknownCoefficient, BadPreference, Infeasible.
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
	if w.Beats != nil {
		chance := 0.0
		i, chance = w.surely(a, among, w.chances(a))
		why += ", nowhere below " + w.Beats.Title + " with probability " + Likely(chance)
	}
	if _, _, note := knee(a, among); note != "" && w.knee() {
		why += "; " + note
	}
	c := Chosen(a, a.Front[i].X, w.AtLeast, words+why)
	if wishes := w.Wishes(a); wishes.Wanted() && !w.Knee && w.Best == "" && w.Lexicographic == nil {
		c.Wishes = &wishes
	}
	c.Traced = c.Front < 0
	return c, nil
}

// confidence is the probability with which floors are kept where some point can.
func (w Preference) confidence() float64 { return cmp.Or(w.Confidence, search.FloorSure) }

func (s State) confidence() float64 { return cmp.Or(s.Confidence, search.FloorSure) }

// check reports every unknown name and every demand that does not go with another.
func (w Preference) check(a *study.Analysis) error {
	var wrong problem.List
	tasks := make([]string, len(a.Tasks))
	for i, t := range a.Tasks {
		tasks[i] = t.Name
	}
	for _, m := range []map[string]float64{w.AtLeast, w.Aspire} {
		for _, t := range named(a, m) {
			if v := m[a.Tasks[t].Name]; a.Tasks[t].Rate() && (v < 0 || v > 1) {
				wrong.Add(BadPreference, "%s is a rate from 0 to 1, found %g: for %g %% give %.6g", a.Tasks[t].Name, v, v, v/100)
			}
		}
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
	if len(w.Weights) > 0 && !slices.ContainsFunc(slices.Collect(maps.Values(w.Weights)), func(v float64) bool { return v > 0 }) {
		wrong.Add(BadPreference, "weights: expected at least one above 0")
	}
	if c := w.confidence(); !(c >= 0.5 && c < 1) {
		wrong.Add(BadPreference, "confidence: expected a probability from .5 to below 1, found %g", c)
	}
	if n := w.asked(); n > 1 {
		wrong.Add(BadPreference, "expected one way to choose among what keeps the floors and reaches what is aspired to, found %d", n)
	} else if n == 0 && len(w.AtLeast) == 0 && w.Beats == nil && w.Aspire == nil {
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
	if w.At != nil && (len(w.AtLeast) > 0 || w.Beats != nil || w.Aspire != nil) {
		wrong.Add(BadPreference, "floors and aspirations say nothing of given coefficients: expected one of the two")
	}
	return wrong
}

// asked counts the ways to say what is best.
func (w Preference) asked() int {
	n := 0
	for _, asked := range []bool{w.Knee, w.Best != "", w.Weights != nil, w.Lexicographic != nil, w.At != nil} {
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
	all, own := w.bounds(a)
	if among := satisfying(a, all); len(among) > 0 {
		return among, withBounds(a, all), nil
	}
	among := satisfying(a, own)
	if len(among) == 0 {
		return nil, "", fail(Infeasible, "%s", infeasible(a, own))
	}
	if w.unmet != "" {
		return among, withBounds(a, own) + "; " + w.unmet, nil
	}
	return among, withBounds(a, own) + "; " + infeasible(a, all), nil
}

// chances gives the probability that a point of the front is nowhere below the rival, each worked out once: it costs a joint
// prediction a task.
func (w Preference) chances(a *study.Analysis) func(i int) float64 {
	known := map[int]float64{}
	return func(i int) float64 {
		if _, ok := known[i]; !ok {
			known[i] = a.Chance(a.Front[i].X, w.Beats.X)
		}
		return known[i]
	}
}

// surely is what is chosen among those that are nowhere below the rival with the probability that floors are kept with, or
// among all where none is, and with which probability that one is. What is best beside a rival lies on the edge, where it is
// about as often below it on some task as not. −1 where nothing can be compared.
func (w Preference) surely(a *study.Analysis, among []int, chanceOf func(i int) float64) (at int, chance float64) {
	first, chance := -1, math.NaN()
	for rest := slices.Clone(among); len(rest) > 0; {
		i, _ := w.among(a, rest)
		if i < 0 {
			break
		}
		p := chanceOf(i)
		if p >= w.confidence() {
			return i, p
		}
		if first < 0 {
			first, chance = i, p
		}
		rest = slices.DeleteFunc(rest, func(k int) bool { return k == i })
	}
	return first, chance
}

// withBounds are bounds in words: " with upright ≥ .90".
func withBounds(a *study.Analysis, bounds []Bound) string {
	words := inWords(a, bounds)
	if len(words) == 0 {
		return ""
	}
	return " with " + problem.And(words)
}

// among chooses among points of the front, and says how.
func (w Preference) among(a *study.Analysis, among []int) (int, string) {
	reaching := ""
	if w.Aspire != nil {
		aim := w.aim(a, nil)
		reached := slices.DeleteFunc(slices.Clone(among), func(i int) bool { return !aim.Reached(values(a.Front[i].Predicted)) })
		if len(reached) == 0 {
			return nearest(a, among, aim), "the nearest to " + w.aspired(a) + ", which no point of the front reaches"
		}
		among, reaching = reached, " where "+w.aspired(a)+" "+map[bool]string{true: "is", false: "are"}[len(w.Aspire) == 1]+" reached"
	}
	switch {
	case w.Best != "":
		return best(a, among, w.Best), "the best predicted " + w.Best + reaching
	case w.Weights != nil:
		return nearest(a, among, w.aim(a, nil)), "the best sum with the weights " + w.weighed(a) + reaching
	case w.Lexicographic != nil:
		return w.lexicographic(a, among), "the best in the order " + strings.Join(w.Lexicographic, ", ") + w.slackWords(a) + reaching
	case w.Aspire != nil && !w.Knee:
		return nearest(a, among, w.aim(a, nil)), "what gains most over the base" + reaching
	}
	i, words, _ := knee(a, among)
	return i, words + reaching
}

// knee says whether the knee is what is chosen.
func (w Preference) knee() bool {
	return w.Best == "" && w.Weights == nil && w.Lexicographic == nil && (w.Aspire == nil || w.Knee)
}

// knee is the knee of some points of the front, what it is called, and what there is to say of it.
func knee(a *study.Analysis, among []int) (at int, words, note string) {
	at, of := a.KneeOf(among)
	words = map[study.KneeSet]string{
		study.AllPoints:    "the knee of the front",
		study.AboveBase:    "the knee of the part of the front that is nowhere below the base",
		study.AboveAverage: "the knee of the part of the front that is nowhere below the uniform average",
		study.Balanced:     "the most balanced point of the front",
	}[of]
	if of == study.AllPoints && len(among) < len(a.Front) {
		words = "the knee of the part of the front"
	}
	if of == study.Balanced {
		var had []string
		for _, name := range []string{RivalBase, RivalAverage} {
			if r, err := RivalNamed(a, name, nil); err == nil {
				had = append(had, r.Title)
			}
		}
		note = "every such point is below " + problem.And(had) + " on some task"
	}
	return at, words, note
}

// Itself names x where it is what there was without a search: the base, a model by itself, the uniform average; "" where it
// is none of these.
func Itself(a *study.Analysis, x []float64) string {
	models, all := study.Models(a.Space, x), a.Space.Models()
	switch {
	case len(all) < 2:
		return "" // nobody expects a merge of several
	case len(models) == 0:
		return "the base"
	case len(models) == 1:
		return models[0] + " alone"
	}
	for _, r := range a.References {
		if r.Name == study.AverageName && a.Space.Gap(r.X, x) < sameAverage {
			return r.Title()
		}
	}
	return ""
}

// sameAverage is within how much of the coefficients' ranges a point is the uniform average: of six at .167 as well.
const sameAverage = 1e-3

// NoSearch says in words that x is what there was without a search: the base itself, one model, the uniform average; "" where
// it is none of these.
func NoSearch(a *study.Analysis, x []float64) string {
	name := Itself(a, x)
	switch {
	case name == "":
		return ""
	case len(study.Models(a.Space, x)) == 0:
		return "this is the base itself: no model has a part in it"
	case len(study.Models(a.Space, x)) == 1:
		return "this is " + name + ", no merge of several"
	}
	return "this is " + name + " itself"
}

// KneeWords say what the knee of the front is the knee of.
func KneeWords(a *study.Analysis) string {
	_, words, note := knee(a, everyPoint(a))
	if note != "" {
		words += "; " + note
	}
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

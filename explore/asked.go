package explore

import (
	"context"
	"math"
	"slices"
	"strings"

	"parfait/problem"
	"parfait/search"
	"parfait/study"
)

// Best is Choose on the front of what is asked for: traced under the floors, and, where it can be reached beside them,
// through what is aspired to. The point that it chooses need not be one of those that have numbers. Where the floors of
// study.yaml cannot all be kept it is made without them, and says which one to lower, by how much. It costs what a
// front does, or twice that; nothing where nothing is asked for but what study.yaml does. Errors as of Choose, and that
// of ctx.
func Best(ctx context.Context, a *study.Analysis, w Preference) (Choice, error) {
	if a == nil || len(a.Front) == 0 || w.At != nil || w.check(a) != nil {
		return Choose(a, w)
	}
	under, w, err := w.under(ctx, a)
	if err != nil {
		return Choice{}, err
	}
	return Choose(under, w)
}

// Under is the analysis with the front of what keeps the floors of a preference, and reaches what it aspires to where
// something does. Errors are problems: those of Choose, Infeasible where the floors asked for cannot be kept; and that
// of ctx.
func (w Preference) Under(ctx context.Context, a *study.Analysis) (*study.Analysis, error) {
	under, _, err := w.under(ctx, a)
	return under, err
}

// Missing says which of the floors cannot be kept together: those of study.yaml, and those asked for in their place; "" where all
// can. It costs what a front does. The error is that of ctx.
func (w Preference) Missing(ctx context.Context, a *study.Analysis) (string, error) {
	all, _ := w.bounds(a)
	under, err := w.trace(ctx, a, all)
	if err != nil || under.Unmet == nil {
		return "", err
	}
	return unmet(under, all), nil
}

func (w Preference) under(ctx context.Context, a *study.Analysis) (*study.Analysis, Preference, error) {
	all, own := w.bounds(a)
	bounds := all
	under, err := w.trace(ctx, a, all)
	if err != nil {
		return nil, w, err
	}
	if under.Unmet != nil {
		w.unmet = unmet(under, all)
		if under, err = w.trace(ctx, a, own); err != nil {
			return nil, w, err
		}
		if bounds = own; under.Unmet != nil {
			return nil, w, fail(Infeasible, "%s", unmet(under, own))
		}
	}
	under, err = w.reaching(ctx, a, under, bounds)
	return under, w, err
}

// trace is a with its front under bounds and further floors, looked for from what is to be beaten too: where nothing is better
// that is left. Its knee and the best of each task are those that a choice takes.
func (w Preference) trace(ctx context.Context, a *study.Analysis, bounds []Bound, also ...search.Floor) (*study.Analysis, error) {
	var from [][]float64
	if w.Beats != nil {
		from = [][]float64{w.Beats.X}
	}
	under, err := a.Under(ctx, append(w.floors(a, bounds), also...), from...)
	if err != nil || w.Beats == nil || under.Unmet != nil {
		return under, err
	}
	named, among := *under, satisfying(under, bounds)
	if len(among) == 0 {
		return under, nil
	}
	named.Best = slices.Clone(under.Best)
	chances := w.chances(under)
	for t, i := range named.Best {
		if i >= 0 {
			named.Best[t], _ = Preference{Best: a.Tasks[t].Name, Beats: w.Beats, Confidence: w.Confidence}.surely(under, among, chances)
		}
	}
	named.Knee, _ = Preference{Knee: true, Beats: w.Beats, Confidence: w.Confidence}.surely(under, among, chances)
	return &named, nil
}

// reaching is the front under bounds that reaches what is aspired to as well, or, where nothing does, under, the one without.
func (w Preference) reaching(ctx context.Context, a, under *study.Analysis, bounds []Bound) (*study.Analysis, error) {
	if len(w.Aspire) == 0 {
		return under, nil
	}
	reaching, err := w.trace(ctx, a, bounds, w.aspirations(a)...)
	if err != nil || reaching.Unmet == nil {
		return reaching, err
	}
	return under, nil
}

// Under is the analysis with the front of what s asks for, as [Preference.Under], to explore on; where its floors
// cannot be kept it says what is missing. a is the study's own.
func (s State) Under(ctx context.Context, a *study.Analysis) (*study.Analysis, error) {
	w, bounds := s.Wish(a), s.bounds(a)
	under, err := w.trace(ctx, a, bounds)
	if err != nil || under.Unmet != nil {
		return under, err
	}
	return w.reaching(ctx, a, under, bounds)
}

// Traced says whether the front of a is already that of what s asks for.
func (s State) Traced(a *study.Analysis) bool {
	w := s.Wish(a)
	return a.TracedUnder(append(w.floors(a, s.bounds(a)), w.aspirations(a)...))
}

// On takes s to another front of the same trials. The knee, the best of a task and what follows what is asked for are those of
// that front; another point in hand stays, unless it breaks what is asked for: then the nearest that keeps it is.
func (s State) On(a *study.Analysis) State {
	s.Trail, s.Near = nil, nil
	switch s.Anchor.Kind {
	case AnchorKnee, AnchorBest, AnchorPreference:
		return s.follow(a).kept(a)
	}
	onFront := s.Front >= 0
	if s.Front = frontIndex(a, s.X); s.Front < 0 && onFront {
		s.Anchor = Anchor{Kind: AnchorFront} // between its points
	}
	return s.kept(a)
}

// bounds are all that a choice is to keep, and those of them that the person has asked for.
func (w Preference) bounds(a *study.Analysis) (all, own []Bound) {
	all, own = Bounds(a.Tasks, w.AtLeast), floorsOf(a.Tasks, w.AtLeast)
	if w.Beats != nil {
		all, own = append(all, w.Beats.bounds(a)...), append(own, w.Beats.bounds(a)...)
	}
	return all, own
}

// floors are bounds as the search knows them. What a rival has is to be had as predicted; what somebody has said must
// not be missed, with more certainty.
func (w Preference) floors(a *study.Analysis, bounds []Bound) []search.Floor {
	var out []search.Floor
	for _, b := range bounds {
		f := search.Floor{Task: a.Tasks[b.Task].Name, Least: b.Least, Value: b.Value}
		if b.Of == "" {
			f.Sure = w.confidence()
		}
		out = append(out, f)
	}
	return out
}

// aspirations are what is aspired to, as floors.
func (w Preference) aspirations(a *study.Analysis) []search.Floor {
	var out []search.Floor
	for _, t := range named(a, w.Aspire) {
		task := a.Tasks[t]
		out = append(out, search.Floor{Task: task.Name, Least: task.Sense != study.Minimize, Value: w.Aspire[task.Name]})
	}
	return out
}

// unmet says which of bounds, under which a was traced in vain, costs the most: with what instead of it the others can be kept.
func unmet(a *study.Analysis, bounds []Bound) string {
	text := "no merge is predicted to have " + problem.And(inWords(a, bounds))
	value := func(x []float64, b Bound) string { return b.reachable(a.Tasks[b.Task], a.Predict(x)[b.Task].Value) }
	switch u := a.Unmet; {
	case len(bounds) == 1:
		return text + ": the best is " + value(u.Nearest, bounds[0])
	case u.Floor >= 0:
		b := bounds[u.Floor]
		return text + "; with " + a.Tasks[b.Task].Name + " " + value(u.Instead, b) + " there is one: the floor of " + a.Tasks[b.Task].Name + " costs the most"
	default:
		var has []string
		for _, b := range bounds {
			if w := a.Tasks[b.Task].Name + " " + value(u.Nearest, b); !slices.Contains(has, w) {
				has = append(has, w)
			}
		}
		return text + ", nor all but one of them; the nearest has " + problem.And(has)
	}
}

// aim is what w wants of the values of all tasks, with bounds to be kept: gains count from the base, or, where it is not known,
// from the worst of the front, in units of the ranges over the study's own front.
func (w Preference) aim(a *study.Analysis, bounds []Bound) *search.Aim {
	tasks := make([]search.Task, len(a.Tasks))
	from, width := make([]float64, len(a.Tasks)), make([]float64, len(a.Tasks))
	base, err := RivalNamed(a, RivalBase, nil)
	for i, t := range a.Tasks {
		tasks[i] = search.Task{Name: t.Name, Maximize: t.Sense != study.Minimize, Optimise: t.Role == study.Objective}
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, p := range a.Numbered() {
			lo, hi = min(lo, p.Predicted[i].Value), max(hi, p.Predicted[i].Value)
		}
		if from[i] = lo; !tasks[i].Maximize {
			from[i] = hi
		}
		if err == nil {
			from[i] = base.Predicted[i].Value
		}
		width[i] = max(hi-lo, 1e-9)
	}
	aim, err := search.NewAim(tasks, search.Wishes{Floors: w.floors(a, bounds), Aspire: known(a, w.Aspire), Weights: known(a, w.Weights)}, from, width)
	if err != nil { // weights that are all 0
		aim, _ = search.NewAim(tasks, search.Wishes{Floors: w.floors(a, bounds)}, from, width)
	}
	return aim
}

// known are the values of tasks that exist.
func known(a *study.Analysis, values map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for _, t := range named(a, values) {
		out[a.Tasks[t].Name] = values[a.Tasks[t].Name]
	}
	return out
}

// nearest is which of some points of the front achieves most.
func nearest(a *study.Analysis, among []int, aim *search.Aim) int {
	best, at := math.Inf(-1), -1
	for _, i := range among {
		if v := aim.Achievement(values(a.Front[i].Predicted)); v > best {
			best, at = v, i
		}
	}
	return at
}

func values(p []study.Prediction) []float64 {
	out := make([]float64, len(p))
	for i := range p {
		out[i] = p[i].Value
	}
	return out
}

// aspired and weighed are what is aspired to and the weights, in words.
func (w Preference) aspired(a *study.Analysis) string {
	var words []string
	for _, t := range named(a, w.Aspire) {
		words = append(words, a.Tasks[t].Name+" "+trimmed(a.Tasks[t], w.Aspire[a.Tasks[t].Name]))
	}
	return problem.And(words)
}

func (w Preference) weighed(a *study.Analysis) string {
	var words []string
	for _, t := range named(a, w.Weights) {
		words = append(words, a.Tasks[t].Name+" "+significantShort(w.Weights[a.Tasks[t].Name]))
	}
	return problem.And(words)
}

// Rule says all that a choice follows, a part each: floors, what is to be beaten, what is aspired to, weights, order;
// none where nothing is set.
func (s State) Rule(a *study.Analysis) []string {
	var out []string
	w := s.Wish(a)
	if words := inWords(a, s.bounds(a)); len(words) > 0 {
		out = append(out, strings.Join(words, ", "))
	}
	if len(w.Aspire) > 0 {
		out = append(out, w.aspired(a)+" reached")
	}
	if len(w.Weights) > 0 {
		out = append(out, "weights "+w.weighed(a))
	}
	if len(w.Lexicographic) > 0 {
		out = append(out, "order "+strings.Join(w.Lexicographic, ", ")+w.slackWords(a))
	}
	return out
}

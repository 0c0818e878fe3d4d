package explore

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"parfait/problem"
	"parfait/study"
)

// Readout is what can be said about the point in hand.
type Readout struct {
	Name       string // knee, best rotated, a pin, front 12/200, front near 12/200, what if
	Label      string // Name where it is that of a named point, else ""
	Tasks      []TaskReadout
	Leverage   float64 // up to 1 among the samples
	Believed   bool    // whether the surrogates may be believed here
	Doubt      string  // why not, in words, or that the point lies outside the samples of a task that is not optimised
	Prob       float64 // probability of being non-dominated on the front, NaN off the front
	Over       Rival   // that is to be beaten; where there is none the base, or else the uniform average; no name: nothing is known of these
	Chance     float64 // probability of being nowhere below Over; NaN where that is the point itself, or not known
	Dominator  int     // index of the front point that is better in every objective, −1 none
	Better     string  // what that point would give, in words; "" without one
	Rate       Rate    // what more of the selected task costs here
	Broken     []int   // tasks whose floors the predictions break
	BelowBase  []int   // objectives predicted worse than the base is, as far as that is known
	NoMerge    string  // that the point is the base itself or one model, in words; "" where it is neither
	Beating    string  // how much of the front beats the rival that is to be beaten, and whether this point does; "" without one
	Rule       string  // all that is asked for, part by part, in words; "" where nothing is
	Infeasible string  // where no front point satisfies the floors: which costs most, in words
	Trial      int     // index in Analysis.Trials of a finished trial exactly here, −1 none
}

// TaskReadout is one task at the point in hand.
type TaskReadout struct {
	Task       study.Task
	Predicted  study.Prediction
	Share      float64 // of the best on the front: 1 is the best; NaN where that means nothing
	Floor      float64 // NaN without one
	Breaks     bool    // the prediction breaks the floor
	Kept       float64 // probability that the floor is truly kept; NaN without one
	BelowBase  bool    // an objective, predicted worse than the base is
	Preference string  // "weight 2" or "aim .93"
	Flagged    bool    // predictions are not to be believed: the surrogate is flagged, or the front is untested
	Why        string  // why the surrogate is flagged, in words
	Cliff      string  // what was measured collapses in part of the region: how, in words
	Apart      string  // which trials are fitted apart from the others, in words
	Measured   *study.Metric
}

// Rate is what one more bit of a task costs the others, along the front: in Words by the gradients of the
// surrogates where they are known and mean something, else by the step that Favour would take.
type Rate struct {
	Task  int
	To    int       // the front point that Favour would go to, −1 none
	Step  float64   // what the task gains there, in its own unit and sense
	Gains []float64 // a task: what it gains by the step for each unit of the task, negative: a cost
	Words string
}

// Read says what there is to say about the point in hand. Its cost is two predictions a task, one more off the
// front, and O(front · tasks).
func Read(a *study.Analysis, s State) Readout {
	r := Readout{Prob: math.NaN(), Chance: math.NaN(), Dominator: -1, Trial: -1, Rate: Rate{To: -1}}
	if a == nil || len(a.Front) == 0 || len(s.X) != len(a.Space.Coefficients) {
		return r
	}
	r.Name = Name(a, s)
	r.Label = label(a, s)
	var p []study.Prediction
	if f, onFront := s.here(a); onFront {
		p, r.Leverage, r.Believed, r.Prob = f.Predicted, f.Leverage, f.Believed, f.Prob
	} else {
		p, r.Leverage, r.Believed = a.Predict(s.X), a.Leverage(s.X), a.Believed(s.X)
		r.Dominator = Dominator(a, p)
		r.Better = better(a, p, r.Dominator)
	}
	r.Doubt = a.Doubtful(s.X, r.Believed, r.Leverage)
	r.Trial = slices.IndexFunc(a.Trials, func(t study.Trial) bool { return samePoint(t.X, s.X) })
	r.BelowBase, _ = a.BelowBase(p)
	r.NoMerge = NoSearch(a, s.X)
	if rival, ok := s.rival(a); ok {
		r.Beating = beating(a, rival)
	}
	if over, ok := s.over(a); ok {
		if r.Over = over; !samePoint(s.X, over.X) {
			r.Chance = a.Chance(s.X, over.X)
		}
	}
	if r.Beating != "" && !math.IsNaN(r.Chance) { // first: what comes later may be cut
		r.Beating = "here with probability " + Likely(r.Chance) + "; " + r.Beating
	}
	for i := range a.Tasks {
		t := s.task(a, i, p[i])
		t.BelowBase = slices.Contains(r.BelowBase, i)
		if t.Breaks {
			r.Broken = append(r.Broken, i)
		}
		if r.Trial >= 0 {
			if m, ok := a.Trials[r.Trial].Metrics[t.Task.Name]; ok {
				t.Measured = &m
			}
		}
		r.Tasks = append(r.Tasks, t)
	}
	r.Rule = strings.Join(s.Rule(a), "; ")
	if bounds := s.bounds(a); len(bounds) > 0 && len(satisfying(a, bounds)) == 0 {
		r.Infeasible = infeasible(a, bounds)
	}
	r.Rate = s.rate(a)
	return r
}

func (s State) task(a *study.Analysis, i int, p study.Prediction) TaskReadout {
	t := a.Tasks[i]
	r := TaskReadout{Task: t, Predicted: p, Floor: math.NaN(), Kept: math.NaN()}
	if f, ok := s.Floors[t.Name]; ok {
		b := floorOf(a.Tasks, i, f)
		r.Floor, r.Breaks, r.Kept = f, !b.Holds(p.Value), Keeps(a, s.X, b)
	}
	if w, ok := s.Weights[t.Name]; ok {
		r.Preference = "weight " + significantShort(w)
	}
	if v, ok := s.Aspiration[t.Name]; ok {
		r.Preference = "aim " + trimmed(t, v)
	}
	best := math.NaN()
	for k := range a.Front {
		if v := a.Front[k].Predicted[i].Value; math.IsNaN(best) || t.Better(v, best) {
			best = v
		}
	}
	r.Share = Share(t, p.Value, best)
	if i < len(a.Fits) {
		trust := a.Fits[i].Trust
		r.Flagged = trust.Flagged || (s.Front >= 0 || s.Between()) && a.Untested != ""
		if trust.Flagged {
			r.Why = trust.Why
		}
		if trust.Cliff {
			r.Cliff = trust.CliffWhy
		}
		r.Apart = a.Apart(i)
	}
	return r
}

// better says what a front point would give over the predictions p.
func better(a *study.Analysis, p []study.Prediction, at int) string {
	if at < 0 {
		return ""
	}
	var gains []string
	for _, t := range a.Objectives {
		g := -sign(a.Tasks[t]) * (a.Front[at].Predicted[t].Value - p[t].Value)
		if w := points(a.Tasks[t], g); w != "0" {
			gains = append(gains, "+"+w+" "+a.Tasks[t].Name)
		}
	}
	return problem.And(gains)
}

// rate asks what Favour would do, and puts it per point of the task.
func (s State) rate(a *study.Analysis) Rate {
	r := Rate{Task: s.Task, To: -1}
	here, ok := s.here(a)
	if !ok || s.Task >= len(a.Tasks) {
		return r
	}
	r.To = favour(a, here, s.Task, 1, func(int) bool { return true })
	if r.To < 0 {
		r.Words = "no point of the front gives more " + a.Tasks[s.Task].Name
		return r
	}
	gain := func(t int) float64 {
		return -sign(a.Tasks[t]) * (a.Front[r.To].Predicted[t].Value - here.Predicted[t].Value)
	}
	r.Step = gain(s.Task)
	unit := unitOf(a, s.Task)
	if r.Step < unit/maxStretch { // nobody can go that far in this direction
		unit = r.Step
	}
	for t := range a.Tasks {
		r.Gains = append(r.Gains, gain(t)/r.Step*unit)
	}
	if r.Words = slope(a, a.Rates(s.X), s.Task); r.Words == "" {
		r.Words = rateWords(a, s.Task, unit, r.Gains)
	}
	return r
}

// Slopes says, for every objective, what a bit more of it costs the others where the front passes x, by the
// surrogates' gradients; "" for one of which there is no more to have. nil where gradients are not known.
func Slopes(a *study.Analysis, x []float64) []string {
	rates := a.Rates(x)
	if rates == nil {
		return nil
	}
	out := make([]string, len(a.Tasks))
	for _, t := range a.Objectives {
		out[t] = slope(a, rates, t)
	}
	return out
}

// slope puts trade-off rates in words for one objective; "" where they say nothing: where it cannot get
// better, or another would have to move by more than it does over the whole front.
func slope(a *study.Analysis, rates [][]float64, task int) string {
	if rates == nil {
		return ""
	}
	unit, spread := unitOf(a, task), ranges(a)
	gains := make([]float64, len(a.Tasks))
	for t, v := range rates[task] {
		if math.IsNaN(v) {
			continue
		}
		gains[t] = -sign(a.Tasks[t]) * v * unit
		if math.Abs(gains[t]) > spread[t] {
			return ""
		}
	}
	if gains[task] <= 0 {
		return ""
	}
	return rateWords(a, task, unit, gains)
}

// maxStretch is how many steps to the next point of the front are taken for one unit. Where a step is
// smaller still, the step is what is said.
const maxStretch = 5

// rateWords says what a unit more of a task costs the others and gives them: gains are of each task, above 0
// where it gets better. The largest come first: there may be no room for all.
func rateWords(a *study.Analysis, task int, unit float64, by []float64) string {
	var others []int
	for t := range a.Tasks {
		if t != task && a.Tasks[t].Role != study.Info {
			others = append(others, t)
		}
	}
	spread := ranges(a)
	size := func(t int) float64 {
		if a.Tasks[t].Rate() {
			return math.Abs(by[t])
		}
		return math.Abs(by[t]) / spread[t]
	}
	slices.SortStableFunc(others, func(t, u int) int { return cmp.Compare(size(u), size(t)) })
	var costs, gains []string
	for _, t := range others {
		switch w := points(a.Tasks[t], math.Abs(by[t])); {
		case w == "0":
		case by[t] < 0:
			costs = append(costs, w+" "+a.Tasks[t].Name)
		default:
			gains = append(gains, w+" "+a.Tasks[t].Name)
		}
	}
	head := bitMore(a.Tasks[task], unit)
	switch {
	case len(costs) == 0 && len(gains) == 0:
		return head + " costs the others next to nothing"
	case len(costs) == 0:
		return head + " gives " + strings.Join(gains, ", ") + " too"
	case len(gains) == 0:
		return head + " costs " + strings.Join(costs, ", ")
	}
	return head + " costs " + strings.Join(costs, ", ") + " and gives " + strings.Join(gains, ", ")
}

// bitMore writes a unit of a task: +1 pt gsm8k, −.1 perplexity.
func bitMore(t study.Task, unit float64) string {
	switch {
	case t.Rate():
		return "+" + strings.TrimPrefix(twoDigits(100*unit), "0") + " pt " + t.Name
	case t.Sense == study.Minimize:
		return "−" + significantShort(unit) + " " + t.Name
	}
	return "+" + significantShort(unit) + " " + t.Name
}

// unitOf is what rates are counted in: a percentage point of a rate, of anything else the power of ten
// that a fifth of its range over the front reaches.
func unitOf(a *study.Analysis, task int) float64 {
	if a.Tasks[task].Rate() {
		return 0.01
	}
	return math.Pow(10, math.Floor(math.Log10(ranges(a)[task]/5)))
}

// points writes a difference: rates in percentage points, others as they are; "0" where it is next to
// nothing.
func points(t study.Task, v float64) string {
	if t.Rate() {
		v *= 100
		if math.Abs(v) < 0.05 {
			return "0"
		}
		if math.Abs(v) >= 9.95 {
			return Decimal(v, 0)
		}
		return strings.TrimSuffix(Decimal(v, 1), ".0")
	}
	return significantShort(v)
}

// Difference writes what b has more than a on task t, with its sign; rates in points.
func Difference(t study.Task, a, b float64) string {
	w := points(t, math.Abs(b-a))
	switch {
	case w == "0":
		return "="
	case b < a:
		return "−" + w
	}
	return "+" + w
}

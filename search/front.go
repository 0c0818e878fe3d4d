package search

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"parfait/parallel"
	"parfait/pareto"
)

// Front returns at most n coefficient vectors of the predicted front: non-dominated, and within the region that may be
// believed, or, where no point of it is, anywhere. Of three and more optimised tasks a tenth of them is spread evenly,
// for the ends; the others stand where most hypervolume is above the reference of the search, above the uniform average
// and above the base, each where the least share of it is had so far: an even spread is nearly all rim, what gives almost
// everything up for one task, and so is the volume above the worst anchors. Ordered by the first objective, the best
// first. Deterministic. Empty where no task is optimised.
//
// Floors, of tasks that are optimised and of those that are not, are constraints: the front is that of what keeps all of
// them with the probability that each of them asks for; where no believed point does, of what is predicted to keep them;
// and where none is, of everything (Unmet says what is missing).
func (l *Landscape) Front(ctx context.Context, n int) ([][]float64, error) {
	inside, err := l.inside(ctx)
	if err != nil {
		return nil, err
	}
	if inside == nil {
		inside = l.without(-1)
	}
	return inside.traced(ctx, n)
}

// traced is Front where all floors can be kept. What was measured and is not dominated is a fact, and on the front where the
// fit would not have it there: the front does not end before it.
func (l *Landscape) traced(ctx context.Context, n int) ([][]float64, error) {
	facts := l.doubtedFacts()
	n = max(n-len(facts), min(n, 1))
	even := n
	if len(l.goals) > 2 {
		even = max(n/10, 1)
	}
	feasible := l.believedWithin
	xs, err := l.front(ctx, even, feasible)
	if errors.Is(err, pareto.Infeasible) {
		if feasible = nil; len(l.floors) > 0 {
			feasible = l.missing
		}
		xs, err = l.front(ctx, even, feasible)
	}
	if err == nil && even < n {
		var wanted [][]float64
		wanted, err = l.worthHaving(ctx, n-even, xs, feasible)
		facts = slices.Concat(wanted, facts)
	}
	if err != nil || len(facts) == 0 {
		return xs, err
	}
	return l.merged(ctx, xs, facts)
}

// doubtedFacts are the facts that keep the floors and that the fit is not believed at.
func (l *Landscape) doubtedFacts() [][]float64 {
	var out [][]float64
	for _, x := range l.facts {
		if l.doubt(x) > 0 && l.missing(x) <= 0 {
			out = append(out, x)
		}
	}
	return out
}

// What points are chosen from and by, a reference: of merges of eight models a third more of both, and thrice as many
// directions from the search's own reference, change the shares of what can be attained by a hundredth. What is missing
// above that reference counts half as much again: where there are many tasks it takes most points.
const (
	wantedDirections = 300
	wantedProbes     = 4000
	wantedAtAll      = 1.5
)

// worthHaving are at most n points of the front that have, beside those given, most of the volume above each of the
// references, where feasible, if there is such a function, is at most 0. Each next point adds to the reference of whose
// volume the largest share is missing. Directions from a reference begin from what those from the ones before it found.
func (l *Landscape) worthHaving(ctx context.Context, n int, given [][]float64, feasible func([]float64) float64) ([][]float64, error) {
	c, err := l.newChebyshev(ctx, l.everywhere())
	if err != nil {
		return nil, err
	}
	refs := [][]float64{l.ref}
	if err := c.aim(3*wantedDirections, l.ref); err != nil {
		return nil, err
	}
	for _, p := range l.worthBeating() {
		ref := l.below(p.X, c.ideal(), shownBelow)
		if err := c.aim(wantedDirections, ref); err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
	xs, fs, err := c.feasibleEnds(feasible)
	if err != nil {
		return nil, err
	}
	var taken []int
	for _, x := range given {
		taken = append(taken, len(xs))
		xs, fs = append(xs, x), append(fs, l.at(x))
	}
	var choices []*choice
	for k, ref := range refs {
		c, err := above(ctx, fs, ref, taken)
		if err != nil {
			return nil, err
		}
		if k == 0 {
			c.weight = wantedAtAll
		}
		choices = append(choices, c)
	}
	var out [][]float64
	for len(out) < n && len(choices) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		poorest := 0
		for k := range choices {
			if choices[k].missing() > choices[poorest].missing() {
				poorest = k
			}
		}
		i := choices[poorest].best()
		if i < 0 {
			choices = slices.Delete(choices, poorest, poorest+1)
			continue
		}
		for _, c := range choices {
			c.take(i)
		}
		out = append(out, xs[i])
	}
	return out, nil
}

// above is a choice of rows by what they dominate of what lies above ref, some of them taken.
func above(ctx context.Context, fs [][]float64, ref []float64, taken []int) (*choice, error) {
	var inside [][]float64 // others dominate none of it, and would make the box too wide to be hit
	for _, f := range fs {
		if weaklyDominates(f, ref) {
			inside = append(inside, f)
		}
	}
	v := &mcHypervolume{}
	if len(inside) > 0 {
		var err error
		if v, err = newMCHypervolume(ctx, inside, ref, wantedProbes); err != nil {
			return nil, err
		}
	}
	return v.choose(ctx, fs, taken)
}

// Refine returns at most n coefficient vectors of the part of the predicted front whose predictions are better than ref
// (a value an optimised task, minimised: negated where the task is maximised) in every objective, beginning from points
// there or nearby; within the region that may be believed, and within the floors. Many of them where ref is a little
// worse than a point of the front: the front around it. Ordered by the first objective, the best first. Deterministic.
// About 12 evaluations with gradients a point asked for.
func (l *Landscape) Refine(ctx context.Context, n int, ref []float64, from [][]float64) ([][]float64, error) {
	if n <= 0 || len(l.goals) == 0 || len(from) == 0 {
		return nil, nil
	}
	if len(ref) != len(l.goals) {
		return nil, fail(BadQuestion, "the reference has %d entries for %d optimised tasks", len(ref), len(l.goals))
	}
	inside, kept, err := l.keepable(ctx, from, l.Believed)
	if err != nil || inside == nil {
		return nil, err
	}
	c, err := inside.newChebyshev(ctx, slices.Concat(from, kept))
	if err == nil {
		err = c.aim(n, ref)
	}
	if err != nil {
		return nil, err
	}
	xs, fs := c.ends()
	var near [][]float64
	for i, x := range xs {
		if weaklyDominates(fs[i], ref) && inside.believedWithin(x) <= 0 {
			near = append(near, x)
		}
	}
	return l.merged(ctx, near, nil)
}

// worthBeating are the merges that whoever looks at a front wants to be better than: the uniform average and the base,
// as far as the space has them.
func (l *Landscape) worthBeating() []Proposed {
	r := newRegion(l.space)
	switch middle := r.middle(); {
	case len(l.space.Simplex) > 0:
		return middle[:1]
	case len(r.models()) > 0:
		middle = middle[:min(len(middle), 2)]
		slices.Reverse(middle)
		return middle
	}
	return nil
}

// How far below what is to be beaten a reference lies at least, as a share of what the search counts: where it asks a
// twentieth, so that there is something to ask for; of what is shown a hundredth, since what is farther below is not worth
// showing (of 4 models after 60 trials .89 of what lies above the average is shown, .84 with a twentieth; medians of ten seeds).
const (
	askedBelow = 1.0 / 20
	shownBelow = 1.0 / 100
)

// below is the reference that lies a quarter of what can be gained over x below it, as predicted; where next to nothing
// can be, a share of what the search counts.
func (l *Landscape) below(x, ideal []float64, least float64) []float64 {
	ref := l.at(x)
	for k := range ref {
		ref[k] += max((ref[k]-ideal[k])/4, least*(l.ref[k]-ideal[k]))
	}
	return ref
}

// merged are the points of both that neither dominate, ordered by the first objective.
func (l *Landscape) merged(ctx context.Context, a, b [][]float64) ([][]float64, error) {
	xs := slices.Concat(a, b)
	fs := make([][]float64, len(xs))
	err := parallel.For(ctx, 0, len(xs), func(i int) {
		fs[i] = make([]float64, len(l.goals))
		l.objectives(fs[i], nil, xs[i])
	})
	if err != nil {
		return nil, err
	}
	keep := pareto.NonDominated(fs)
	slices.SortStableFunc(keep, func(i, j int) int {
		return cmp.Or(slices.Compare(fs[i], fs[j]), slices.Compare(xs[i], xs[j]))
	})
	var out [][]float64
	for _, i := range keep {
		if len(out) == 0 || !slices.Equal(out[len(out)-1], xs[i]) {
			out = append(out, xs[i])
		}
	}
	return out, nil
}

// FrontByVolume returns at most n coefficient vectors of the predicted front that together dominate most of
// the space up to a reference point (a value an optimised task, minimised: negated where the task is
// maximised), each the one that adds most to those before it. With more than four tasks an even spread over
// the front is nearly all rim; these are the trade-offs that matter. Not bounded by what is believed. Deterministic.
func (l *Landscape) FrontByVolume(ctx context.Context, n int, ref []float64) ([][]float64, error) {
	if n <= 0 || len(l.goals) == 0 {
		return nil, nil
	}
	if len(ref) != len(l.goals) {
		return nil, fail(BadQuestion, "the reference has %d entries for %d optimised tasks", len(ref), len(l.goals))
	}
	xs, fs, err := l.chebyshevFront(ctx, max(fineDirections, n), ref)
	if err != nil {
		return nil, err
	}
	chosen, err := mostVolume(ctx, fs, ref, fineProbes, n)
	if err != nil {
		return nil, err
	}
	var out [][]float64
	for _, i := range chosen {
		out = append(out, xs[i])
	}
	return out, nil
}

// Of merges of eight models 100 points chosen from the ends of 400 directions have 3 % less of the hypervolume
// than from 1,600, and from 6,400 1 % more.
const (
	fineDirections = 1600
	fineProbes     = 20000 // by which points are chosen
)

// front finds the front of the surrogates' means where feasible is at most 0.
func (l *Landscape) front(ctx context.Context, n int, feasible func([]float64) float64) ([][]float64, error) {
	if n <= 0 || len(l.goals) == 0 {
		return nil, nil
	}
	xs, _, err := pareto.Front(ctx, l.Problem(), pareto.FrontOptions{N: n, Starts: l.starts, Feasible: feasible})
	return xs, err
}

// The bounds of what is believed: a prediction counts where its standard deviation is below a share of the
// measured range of its task, where the task is more likely whole than broken, and where the point lies within the
// ellipsoid of the samples.
const (
	believedStd      = 0.15
	believedChance   = 0.5
	believedLeverage = 1.0
)

// Believed says whether the predictions at x may be believed: x lies among the points fitted (its leverage is at
// most 1), every optimised task is predicted to within a share of its measured range, and no point that failed is
// about as near as those that worked (failing). What was measured, is not dominated by anything measured and is not set
// apart from the fit is believed as well. Other points are on the predicted front only where no point is believed.
func (l *Landscape) Believed(x []float64) bool { return l.doubt(x) <= 0 || l.fact(x) }

// fact says whether x is one of the facts.
func (l *Landscape) fact(x []float64) bool {
	return slices.ContainsFunc(l.facts, func(p []float64) bool { return l.space.same(p, x) })
}

// doubt is above 0 where x may not be believed, and grows with the distance from where it may.
func (l *Landscape) doubt(x []float64) float64 {
	return max(l.failing(x, nearToBelieve), l.outside(x), l.uncertain(x))
}

// outside is above 0 where x lies outside the ellipsoid of the samples; −1 where no task is optimised.
func (l *Landscape) outside(x []float64) float64 {
	worst := -1.0
	for _, i := range l.goals {
		worst = max(worst, l.fits[i].surrogate.Leverage(x)/believedLeverage-1)
	}
	return worst
}

// collapsing is above 0 where an optimised task is more likely broken than whole; −1 where none varies.
func (l *Landscape) collapsing(x []float64) float64 {
	worst := -1.0
	for _, i := range l.goals {
		if f := &l.fits[i]; f.varies() {
			chance, _ := f.surrogate.Broken(x)
			worst = max(worst, chance/believedChance-1)
		}
	}
	return worst
}

// uncertain is above 0 where an optimised task is not predicted well enough, or is more likely broken; −1 where none varies.
func (l *Landscape) uncertain(x []float64) float64 {
	worst := -1.0
	for _, i := range l.goals {
		if f := &l.fits[i]; f.varies() {
			chance, std := f.surrogate.Broken(x)
			worst = max(worst, std/(believedStd*f.width)-1, chance/believedChance-1)
		}
	}
	return worst
}

// Doubt is why predictions are not to be believed, in words; "" where they may be.
type Doubt string

// What makes a point doubtful. Of several the first is said: what broke merges nearby matters most, and away
// from the samples everything is uncertain.
const (
	Failing   Doubt = "near a trial that failed"
	Astray    Doubt = "near a trial that is fitted apart"
	Outside   Doubt = "outside the sampled region"
	Collapsed Doubt = "where a task collapses"
	Uncertain Doubt = "too uncertain"
)

// Doubt says why the predictions at x are not to be believed; it is "" where, and only where, Believed holds.
func (l *Landscape) Doubt(x []float64) Doubt {
	switch {
	case l.fact(x):
	case l.failing(x, nearToBelieve) > 0:
		if l.astray(x) {
			return Astray
		}
		return Failing
	case l.outside(x) > 0:
		return Outside
	case l.collapsing(x) > 0:
		return Collapsed
	case l.uncertain(x) > 0:
		return Uncertain
	}
	return ""
}

package study

import (
	"context"

	"parfait/search"
)

// Under returns the analysis with the front of what keeps other floors in the place of study.yaml's: traced anew under
// them, not chosen from Front; it is looked for from given points too. Its points have no numbers (Number is that of
// the front that everybody sees); all else is shared. Where the floors cannot be kept the front is that without any,
// and Unmet says what is missing. It is a itself where its front is of the same floors, or there are no surrogates to
// ask. It costs what a front costs: .1 s with three tasks, 1 s with eight. The error is that of ctx, or that a task is
// not known.
func (a *Analysis) Under(ctx context.Context, floors []search.Floor, from ...[]float64) (*Analysis, error) {
	if a.TracedUnder(floors) {
		return a, nil
	}
	for _, p := range a.Numbered() {
		from = append(from, p.X)
	}
	land, err := a.landscape.Under(floors, from...)
	if err != nil {
		return nil, err
	}
	b := *a
	b.landscape, b.Front, b.numbered = land, nil, a.Numbered()
	return &b, b.trace(ctx)
}

// TracedUnder says whether Front is that under the floors, or there is nothing to trace another with.
func (a *Analysis) TracedUnder(floors []search.Floor) bool {
	return a.landscape == nil || sameFloors(a.Floors, floors)
}

// trace finds the front under the floors of the landscape, and what is missing to keep them.
func (a *Analysis) trace(ctx context.Context) error {
	a.Floors = a.landscape.Floors()
	xs, err := a.landscape.Front(ctx, frontSize)
	if err != nil {
		return err
	}
	if len(xs) == 0 {
		return errNoFront
	}
	if a.Unmet, err = a.landscape.Unmet(ctx); err != nil {
		return err
	}
	return a.front(ctx, xs)
}

// Numbered are the points of the front that is a study's own, which have numbers: those of Front, unless it was traced
// under other floors.
func (a *Analysis) Numbered() []FrontPoint {
	if a.numbered != nil {
		return a.numbered
	}
	return a.Front
}

// sameFloors says whether floors are the same, in any order.
func sameFloors(a, b []search.Floor) bool {
	if len(a) != len(b) {
		return false
	}
	in := map[search.Floor]int{}
	for i := range a {
		in[a[i]]++
		in[b[i]]--
	}
	for _, n := range in {
		if n != 0 {
			return false
		}
	}
	return true
}

// Keeps is the probability that the merge at x keeps a floor, by the interval of its prediction; tasks that do not
// exist are kept by nothing.
func (a *Analysis) Keeps(x []float64, f search.Floor) float64 {
	for i, t := range a.Tasks {
		if t.Name == f.Task {
			return search.Kept(a.Fits[i].Surrogate, f, x)
		}
	}
	return 0
}

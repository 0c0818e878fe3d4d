package study

import (
	"fmt"
	"math"
	"slices"
)

// What is far: the median distance of the front to its nearest trials, beside the largest but a tenth of the
// distances of the trials to theirs. With adaptive trials it was below .6 of that; on fronts of MAP's even
// spread over eight coefficients, where half of the intervals were wrong, .9.
const (
	farQuantile = 0.9
	farShare    = 0.75
	farFewest   = 4 // trials below which every front is far
)

// untested says in words that most of the front lies where no prediction was ever tested: about as far from every
// trial as hardly a trial is from the next. Leave-one-out figures say nothing of there, however good they are. todo is
// what to do about it. It is "" where that is not so.
func (a *Analysis) untested(todo string) string {
	if len(a.Trials) < farFewest || len(a.Front) == 0 {
		return ""
	}
	trials := make([]float64, len(a.Trials))
	for i, t := range a.Trials {
		trials[i] = a.nearest(t.X, i)
	}
	front := make([]float64, len(a.Front))
	for i, p := range a.Front {
		front[i] = a.nearest(p.X, -1)
	}
	slices.Sort(trials)
	slices.Sort(front)
	far, apart := front[len(front)/2], trials[int(farQuantile*float64(len(trials)-1))]
	if far < farShare*apart {
		return ""
	}
	return fmt.Sprintf("half of the front lies %.2g of the ranges or more from every trial, and nine of ten trials no more than %.2g from the next: how good predictions are there was tested nowhere. %s", far, apart, todo)
}

// toTest says what measures some of an untested front: what the study does not do already.
func (s *Snapshot) toTest() string {
	asked := 0
	for _, t := range s.Trials {
		if t.Batch >= 0 {
			asked++
		}
	}
	if s.Space.OnePlace() {
		return "There is one merge within the ranges"
	}
	switch adaptive := s.Spec.Search.Strategy == "adaptive" || s.Spec.Search.Strategy == "ehvi"; {
	case !adaptive:
		return "Measure some of it before it is believed: strategy: adaptive does, and so does run --budget with it"
	case asked < s.Spec.Search.Budget:
		return fmt.Sprintf("The search goes there: %d trials of the budget of %d are still to be asked for, so run on before it is believed", s.Spec.Search.Budget-asked, s.Spec.Search.Budget)
	}
	return fmt.Sprintf("The search goes there, but its budget of %d is spent: run --budget %d measures some of it before it is believed", s.Spec.Search.Budget, s.Spec.Search.Budget+max(8, s.Spec.Search.Budget/4))
}

// Flagged says why predictions of a task on the front are not to be believed, in words; "" where they may be: its
// surrogate is flagged, or the front is untested, which is so of every task. Off the front only the surrogate
// counts: see Trust.
func (a *Analysis) Flagged(task int) string {
	if t := a.Fits[task].Trust; t.Flagged {
		return t.Why
	}
	return a.Untested
}

// FlaggedTasks are the tasks whose predictions should not be believed, and why: on the front all of an untested one,
// elsewhere those whose surrogates are flagged.
func (a *Analysis) FlaggedTasks(onFront bool) map[string]string {
	out := map[string]string{}
	for i, f := range a.Fits {
		if why := a.Flagged(i); why != "" && (onFront || f.Trust.Flagged) {
			out[f.Task] = why
		}
	}
	return out
}

// nearest is the distance of x to the nearest trial but one, coefficients in units of their ranges.
func (a *Analysis) nearest(x []float64, but int) float64 {
	near := math.Inf(1)
	for i, t := range a.Trials {
		if i != but {
			near = min(near, a.Space.Gap(x, t.X))
		}
	}
	return near
}

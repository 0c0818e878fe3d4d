package explore

import (
	"math"
	"slices"

	"parfait/study"
)

// here is the point of the front in hand: one with a number, or one between those. False off the front.
func (s State) here(a *study.Analysis) (study.FrontPoint, bool) {
	switch {
	case s.Front >= 0 && s.Front < len(a.Front):
		return a.Front[s.Front], true
	case s.Between():
		if i := slices.IndexFunc(s.Near, func(p study.FrontPoint) bool { return samePoint(p.X, s.X) }); i >= 0 {
			return s.Near[i], true
		}
		return study.FrontPoint{X: s.X, Predicted: a.Predict(s.X), Leverage: a.Leverage(s.X), Believed: a.Believed(s.X), Prob: math.NaN()}, true
	}
	return study.FrontPoint{}, false
}

// Between says whether the point in hand is on the front between the points that have numbers.
func (s State) Between() bool { return s.Front < 0 && s.Anchor.Kind == AnchorFront }

// Coarse says whether the next step along the front, either way on the X axis or on the selected task, is wider than
// the predictions are sure of, so that the front should be refined around the point in hand ([Refine]) and the result
// become Near. O(front · tasks).
func Coarse(a *study.Analysis, s State) bool {
	if a == nil || len(a.Front) == 0 {
		return false
	}
	here, ok := s.here(a)
	if !ok {
		return false
	}
	for _, dir := range []int{1, -1} {
		for _, to := range []int{beside(a, here, s.AxisX, dir), favour(a, here, s.Task, dir, func(int) bool { return true })} {
			if to >= 0 && !within(a, here, a.Front[to]) {
				return true
			}
		}
	}
	return false
}

// step goes to point i of the front, or, where that is farther than the predictions are sure of, to the point of Near on
// the way there that is nearest to it: with more (dir 1) or less (dir −1) of column c.
func (s State) step(a *study.Analysis, here study.FrontPoint, i, c, dir int, allowed func([]study.Prediction) bool) State {
	to := a.Front[i]
	if within(a, here, to) {
		return s.at(a, i, Anchor{Kind: AnchorFront})
	}
	width := ranges(a)
	least, next := distance(a, width, here.Predicted, to.Predicted), -1
	for k, p := range s.Near {
		more := (Column(p.X, p.Predicted, c) - Column(here.X, here.Predicted, c)) * float64(dir)
		if !(more > 0) || !within(a, here, p) || !allowed(p.Predicted) {
			continue
		}
		if d := distance(a, width, p.Predicted, to.Predicted); d < least {
			least, next = d, k
		}
	}
	if next < 0 {
		return s.at(a, i, Anchor{Kind: AnchorFront})
	}
	s.X, s.Anchor = slices.Clone(s.Near[next].X), Anchor{Kind: AnchorFront}
	s.Front = frontIndex(a, s.X)
	return s
}

// sure is the width, in units of a task's range over the front, that a step may have however narrow intervals are.
const sure = 0.01

// within says whether no objective differs between two points by more than the interval of its prediction is wide.
func within(a *study.Analysis, here, p study.FrontPoint) bool {
	width := ranges(a)
	for _, t := range a.Objectives {
		h := here.Predicted[t]
		if math.Abs(p.Predicted[t].Value-h.Value) > max(h.Hi-h.Lo, sure*width[t]) {
			return false
		}
	}
	return true
}

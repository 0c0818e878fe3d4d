package explore

import "parfait/study"

// kept stands on what keeps all that is asked for, where the point in hand does not and something does: on the best of the
// same task, on the knee of what keeps it, else on the nearest. Coefficients that somebody set stay.
func (s State) kept(a *study.Analysis) State {
	if s.Anchor.Kind == AnchorNone || s.Holds(a, a.Predict(s.X)) {
		return s
	}
	among := satisfying(a, s.bounds(a))
	if len(among) == 0 {
		return s
	}
	switch s.Anchor.Kind {
	case AnchorBest:
		return s.at(a, best(a, among, s.Anchor.Task), s.Anchor)
	case AnchorKnee:
		i, _, _ := knee(a, among)
		return s.at(a, i, s.Anchor)
	case AnchorPreference:
		return s.at(a, s.preferred(a), s.Anchor)
	}
	return s.at(a, nearestAmong(a, among, a.Predict(s.X)), s.Anchor)
}

// Below is the rival that is to be beaten, in words, and the objectives on which predictions p are below it: none where they
// are below it on none, or nothing is to be beaten.
func (s State) Below(a *study.Analysis, p []study.Prediction) (rival string, tasks []string) {
	r, ok := s.rival(a)
	if !ok {
		return "", nil
	}
	for _, b := range r.bounds(a) {
		if !b.Holds(p[b.Task].Value) {
			tasks = append(tasks, a.Tasks[b.Task].Name)
		}
	}
	return r.Title, tasks
}

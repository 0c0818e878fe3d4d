package explore

import (
	"fmt"
	"math"
	"slices"

	"parfait/search"
	"parfait/study"
)

// onFront stands on the nearest point of the front.
func (s State) onFront(a *study.Analysis) State {
	return s.at(a, nearestOnFront(a, a.Predict(s.X)), Anchor{Kind: AnchorFront})
}

func (s State) walk(a *study.Analysis, dir int) (State, Note) {
	here, ok := s.here(a)
	if !ok {
		return s.onFront(a), Note{NoteDone, "back on the front"}
	}
	if n := len(s.Trail); n > 0 && s.Heading == -dir {
		s.X, s.Anchor = s.Trail[n-1], Anchor{Kind: AnchorFront}
		s.Front, s.Trail = frontIndex(a, s.X), s.Trail[:n-1]
		if n == 1 {
			s.Heading = 0
		}
		return s, Note{}
	}
	to := beside(a, here, s.AxisX, dir)
	if to < 0 {
		return s, Note{NoteEnd, "the end of the front: no point has " + moreOrLess(dir) + " " + columnName(a, s.AxisX)}
	}
	if s.Heading != dir {
		s.Trail = nil
	}
	s.Trail, s.Heading = append(slices.Clone(s.Trail), s.X), dir
	return s.step(a, here, to, s.AxisX, dir, func([]study.Prediction) bool { return true }), Note{}
}

func (s State) edge(a *study.Analysis, dir int) (State, Note) {
	to, best := s.Front, math.Inf(-1)
	among := satisfying(a, s.bounds(a))
	if len(among) == 0 {
		among = everyPoint(a)
	}
	for _, i := range among {
		p := a.Front[i]
		if v := Column(p.X, p.Predicted, s.AxisX) * float64(dir); v > best {
			to, best = i, v
		}
	}
	return s.at(a, to, Anchor{Kind: AnchorFront}), Note{}
}

func (s State) favour(a *study.Analysis, dir int) (State, Note) {
	here, ok := s.here(a)
	if !ok {
		s = s.onFront(a)
		here = a.Front[s.Front]
	}
	holds := s.Holder(a)
	floored := holds(here.Predicted)
	allowed := func(p []study.Prediction) bool { return !floored || holds(p) }
	to := favour(a, here, s.Task, dir, func(i int) bool { return allowed(a.Front[i].Predicted) })
	if to < 0 {
		why := "no point of the front gives " + moreOrLess(dir) + " " + a.Tasks[s.Task].Name
		if len(s.Floors) > 0 && floored {
			why += " and keeps the floors"
		}
		return s, Note{NoteEnd, why}
	}
	if a.Tasks[s.Task].Sense == study.Minimize {
		dir = -dir
	}
	return s.step(a, here, to, s.Task, dir, allowed), Note{}
}

func (s State) visit(a *study.Analysis, dir int) (State, Note) {
	points := NamedPoints(a, s)
	at := slices.IndexFunc(points, func(p NamedPoint) bool { return samePoint(p.X, s.X) })
	if at < 0 && dir < 0 {
		at = 0
	}
	p := points[wrap(at+dir, len(points))]
	s.X, s.Front, s.Anchor = slices.Clone(p.X), p.Front, Anchor{}
	switch {
	case p.Name == "knee":
		s.Anchor = Anchor{Kind: AnchorKnee}
	case p.Front >= 0:
		for t, i := range a.Best {
			if i == p.Front {
				s.Anchor = Anchor{AnchorBest, a.Tasks[t].Name}
			}
		}
	}
	return s, Note{}
}

// set stands at coefficients, exactly: proportions are those of their sum.
func (s State) set(a *study.Analysis, x []float64) (State, Note) {
	if len(x) != len(a.Space.Coefficients) || slices.ContainsFunc(x, notFinite) {
		return s, Note{NoteNothing, fmt.Sprintf("expected %d finite coefficients", len(a.Space.Coefficients))}
	}
	x, err := a.Space.Normal(x)
	if err != nil {
		return s, Note{NoteNothing, noPoint(err).What}
	}
	s.X, s.Anchor = slices.Clone(x), Anchor{}
	s.Front = frontIndex(a, s.X)
	return s, Note{}
}

// turn changes the selected coefficient within its range; the others of a set of proportions make room.
func (s State) turn(a *study.Analysis, m Move) (State, Note) {
	j := clamp(s.Coefficient, len(s.X))
	c := a.Space.Coefficients[j]
	v := m.Value
	if m.Kind == Nudge {
		v = math.Round((s.X[j]+m.Value)*100) / 100 // .01 more than .6173 reads .63, and .1 more .72
	}
	if notFinite(v) {
		return s, Note{NoteNothing, "expected a number"}
	}
	x := slices.Clone(s.X)
	x[j] = min(max(v, c.Lo), c.Hi)
	makeRoom(a.Space, x, j)
	if samePoint(x, s.X) {
		return s, Note{NoteEnd, fmt.Sprintf("%s has the range %s … %s", c.Name, Decimal(c.Lo, 2), Decimal(c.Hi, 2))}
	}
	next, note := s.set(a, x)
	if v != x[j] {
		note = Note{NoteEnd, fmt.Sprintf("%s has the range %s … %s", c.Name, Decimal(c.Lo, 2), Decimal(c.Hi, 2))}
	}
	return next, note
}

// makeRoom keeps proportions adding up to one after x[j] was set: the others shrink or grow together, as far as their
// ranges go.
func makeRoom(space search.Space, x []float64, j int) {
	for _, set := range space.Simplex {
		if !slices.Contains(set, j) {
			continue
		}
		x[j] = min(max(x[j], 0), 1)
		sum := 0.0
		for _, i := range set {
			if i != j {
				sum += x[i]
			}
		}
		for _, i := range set {
			switch {
			case i == j:
			case sum > 0:
				x[i] *= (1 - x[j]) / sum
			default:
				x[i] = (1 - x[j]) / float64(len(set)-1)
			}
		}
		b := space.Bounds()
		for i := range x {
			if i == j || !slices.Contains(set, i) {
				b.Lo[i], b.Hi[i] = x[i], x[i]
			}
		}
		b.Simplex = [][]int{set}
		if !b.Contains(x, 1e-9) {
			b.Project(x)
		}
	}
}

// turnAxis is the next column that the other axis does not show.
func (s State) turnAxis(a *study.Analysis, at, n, other int) int {
	columns := len(a.Tasks) + len(a.Space.Coefficients)
	if columns < 2 {
		return at
	}
	if at = wrap(at+n, columns); at == other {
		at = wrap(at+n, columns)
	}
	return at
}

func columnName(a *study.Analysis, c int) string {
	if c < len(a.Tasks) {
		return a.Tasks[c].Name
	}
	return "of the coefficient " + a.Space.Coefficients[c-len(a.Tasks)].Name
}

func moreOrLess(dir int) string {
	if dir < 0 {
		return "less"
	}
	return "more"
}

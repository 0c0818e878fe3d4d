package explore

import (
	"maps"
	"slices"

	"parfait/study"
)

// undoDepth bounds how far back undo goes.
const undoDepth = 200

// differs says whether undo would change anything.
func (s State) differs(t State) bool {
	return s.Beats != t.Beats || !slices.Equal(s.X, t.X) || !maps.Equal(s.Floors, t.Floors) || !maps.Equal(s.Weights, t.Weights) ||
		!maps.Equal(s.Aspiration, t.Aspiration) || !maps.Equal(s.Brushes, t.Brushes) ||
		!slices.Equal(s.Order, t.Order) || !maps.Equal(s.Slack, t.Slack) ||
		!slices.EqualFunc(s.Pins, t.Pins, func(p, q Pin) bool { return p.Name == q.Name && slices.Equal(p.X, q.X) })
}

// remember notes where s came from. Walks in a row, and turns of a coefficient in a row, are one step.
func (s State) remember(before State, kind MoveKind) State {
	together := kind == s.Last && (kind == Walk || kind == Favour || kind == Nudge && s.Coefficient == before.Coefficient)
	s.Last, s.Future = kind, nil
	if !together || len(s.Past) == 0 {
		s.Past = append(slices.Clone(last(s.Past, undoDepth-1)), before.Moment)
	}
	return s
}

// travel undoes or redoes one step.
func (s State) travel(a *study.Analysis, kind MoveKind) (State, Note) {
	from, to := &s.Past, &s.Future
	if kind == Redo {
		from, to = to, from
	}
	n := len(*from)
	if n == 0 {
		return s, Note{NoteNothing, "nothing to " + string(kind)}
	}
	now, then := s.Moment, (*from)[n-1]
	*from, *to = slices.Clone((*from)[:n-1]), append(slices.Clone(*to), now)
	s.Last, s.Trail = kind, nil
	s.Moment = then
	if a != nil {
		s.Front = frontIndex(a, s.X) // the front may have moved since
	}
	return s, Note{}
}

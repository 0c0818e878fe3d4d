package explore

import (
	"fmt"
	"maps"
	"math"

	"parfait/study"
)

// MoveKind names a move.
type MoveKind string

// Moves. Those of the first group need an analysis, the others do not.
const (
	Walk             MoveKind = "walk"     // along the front: to the nearest point with more (N 1) or less (N −1) on the X axis
	Favour           MoveKind = "favour"   // to the front point with more (N 1) or less (N −1) of the selected task
	Visit            MoveKind = "visit"    // to the next (N 1) or previous (N −1) named point
	Edge             MoveKind = "edge"     // to the end of the front: most (N 1) or least (N −1) on the X axis
	Go               MoveKind = "go"       // to the coefficients X
	GoFront          MoveKind = "go-front" // to point N of the front
	GoKnee           MoveKind = "go-knee"  // to the knee
	Return           MoveKind = "return"   // back to the nearest point of the front
	Nudge            MoveKind = "nudge"    // the selected coefficient by Value
	Turn             MoveKind = "turn"     // the selected coefficient to Value
	Floor            MoveKind = "floor"    // of task N to Value; NaN takes it away
	Weigh            MoveKind = "weigh"    // task N by Value; NaN or 0 takes it away
	Aspire           MoveKind = "aspire"   // to Value on task N; NaN takes it away
	ClearPreferences MoveKind = "forgo"    // all weights and aspirations
	Keep             MoveKind = "keep"     // the point in hand as a pin named Name
	Unpin            MoveKind = "unpin"    // the pin named Name
	BrushTo          MoveKind = "brush"    // the column Name to Lo…Hi; both NaN take it away

	SelectTask        MoveKind = "select-task"        // the next (N 1) or previous (N −1)
	SelectCoefficient MoveKind = "select-coefficient" // the next (N 1) or previous (N −1)
	TurnX             MoveKind = "axis-x"             // the next (N 1) or previous column
	TurnY             MoveKind = "axis-y"
	TurnColour        MoveKind = "colour"
	Undo              MoveKind = "undo"
	Redo              MoveKind = "redo"
)

// Move is one move. Which of the fields count depends on the kind.
type Move struct {
	Kind   MoveKind
	N      int
	Value  float64
	Lo, Hi float64
	Name   string
	X      []float64
}

// Note is what a person is told about a move that did not do what it could have done, or did more.
type Note struct {
	Code NoteCode
	Text string
}

// NoteCode classes a Note.
type NoteCode string

// Codes of notes.
const (
	NoteNone       NoteCode = ""
	NoteEnd        NoteCode = "end"        // there is nothing further in this direction
	NoteNothing    NoteCode = "nothing"    // nothing to move on, undo or take away
	NoteInfeasible NoteCode = "infeasible" // no point of the front satisfies the floors
	NoteDone       NoteCode = "done"       // said because it does not show
)

// Apply makes a move. It never changes s. Moves that cannot be made give back s and a Note that says why.
func Apply(a *study.Analysis, s State, m Move) (State, Note) {
	if m.Kind == Undo || m.Kind == Redo {
		return s.travel(a, m.Kind)
	}
	if a == nil || len(a.Front) == 0 {
		return s, Note{NoteNothing, "nothing to explore yet: too few trials are finished"}
	}
	if len(s.X) != len(a.Space.Coefficients) {
		s = Rebase(a, s)
	}
	next, note := s.apply(a, m)
	if m.Kind != Walk {
		next.Trail = nil
	}
	if next.differs(s) {
		next = next.remember(s, m.Kind)
	}
	return next, note
}

func (s State) apply(a *study.Analysis, m Move) (State, Note) {
	switch m.Kind {
	case Walk:
		return s.walk(a, m.N)
	case Edge:
		return s.edge(a, m.N)
	case Favour:
		return s.favour(a, m.N)
	case Visit:
		return s.visit(a, m.N)
	case Go:
		return s.set(a, m.X)
	case GoFront:
		return s.at(a, m.N, Anchor{Kind: AnchorFront}), Note{}
	case GoKnee:
		return s.at(a, a.Knee, Anchor{Kind: AnchorKnee}), Note{}
	case Return:
		if s.Front >= 0 {
			return s, Note{NoteNothing, "already on the front"}
		}
		return s.onFront(a), Note{}
	case Nudge, Turn:
		return s.turn(a, m)
	case Floor, Weigh, Aspire, ClearPreferences:
		return s.prefer(a, m)
	case Keep, Unpin:
		return s.pin(m)
	case BrushTo:
		return s.brush(m)
	case SelectTask:
		s.Task = wrap(s.Task+m.N, len(a.Tasks))
	case SelectCoefficient:
		s.Coefficient = wrap(s.Coefficient+m.N, len(a.Space.Coefficients))
	case TurnX:
		s.AxisX = s.turnAxis(a, s.AxisX, m.N, s.AxisY)
	case TurnY:
		s.AxisY = s.turnAxis(a, s.AxisY, m.N, s.AxisX)
	case TurnColour:
		s.Colour = wrap(s.Colour+1+m.N, len(a.Tasks)+len(a.Space.Coefficients)+1) - 1
	default:
		return s, Note{NoteNothing, fmt.Sprintf("unknown move %q", m.Kind)}
	}
	return s, Note{}
}

func (s State) prefer(a *study.Analysis, m Move) (State, Note) {
	if m.Kind == ClearPreferences {
		if len(s.Weights)+len(s.Aspiration) == 0 {
			return s, Note{NoteNothing, "no weights and no aspiration are set"}
		}
		s.Weights, s.Aspiration = nil, nil
		return s, Note{NoteDone, "weights and aspiration taken away"}
	}
	if m.N < 0 || m.N >= len(a.Tasks) || math.IsInf(m.Value, 0) || (m.Kind == Weigh && m.Value < 0) {
		return s, Note{NoteNothing, "expected a task and a number"}
	}
	task := a.Tasks[m.N].Name
	switch m.Kind {
	case Floor:
		s.Floors = assign(s.Floors, task, m.Value)
	case Weigh:
		if m.Value == 0 {
			m.Value = math.NaN()
		}
		s.Weights, s.Aspiration = assign(s.Weights, task, m.Value), nil
	default:
		s.Aspiration, s.Weights = assign(s.Aspiration, task, m.Value), nil
	}
	if len(s.Floors)+len(s.Weights)+len(s.Aspiration) == 0 {
		return s, Note{}
	}
	if i := s.preferred(a); i >= 0 && (m.Kind != Floor || !s.Holds(a, a.Predict(s.X)) || s.Anchor.Kind == AnchorPreference) {
		s = s.at(a, i, Anchor{Kind: AnchorPreference})
	}
	if len(satisfying(a, s.bounds(a))) == 0 {
		return s, Note{NoteInfeasible, infeasible(a, s.bounds(a))}
	}
	return s, Note{}
}

func assign(m map[string]float64, key string, v float64) map[string]float64 {
	m = maps.Clone(m)
	if math.IsNaN(v) {
		delete(m, key)
		return m
	}
	if m == nil {
		m = map[string]float64{}
	}
	m[key] = v
	return m
}

func wrap(i, n int) int {
	if n <= 0 {
		return 0
	}
	return ((i % n) + n) % n
}

func notFinite(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

package explore

import (
	"errors"
	"fmt"
	"maps"
	"math"

	"parfait/problem"
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
	Beat             MoveKind = "beat"     // the next rival is to be beaten on every objective; after the last none
	Weigh            MoveKind = "weigh"    // task N by Value; NaN or 0 takes it away
	Aspire           MoveKind = "aspire"   // to Value on task N; NaN takes it away
	Rank             MoveKind = "rank"     // the tasks in Order are what matters, the first most, with Slack; none takes it away
	ClearPreferences MoveKind = "forgo"    // all weights and aspirations, and the order
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
	Order  []string
	Slack  map[string]float64
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
		if _, ok := s.here(a); ok {
			return s, Note{NoteNothing, "already on the front"}
		}
		return s.onFront(a), Note{}
	case Nudge, Turn:
		return s.turn(a, m)
	case Beat:
		return s.beat(a)
	case Floor, Weigh, Aspire, Rank, ClearPreferences:
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
	switch m.Kind {
	case ClearPreferences:
		if !s.Asks() {
			return s, Note{NoteNothing, "no weights, no aspiration and no order are set"}
		}
		s.Weights, s.Aspiration, s.Order, s.Slack = nil, nil, nil, nil
		return s, Note{NoteDone, "weights, aspiration and order taken away"}
	case Rank:
		if err := (Preference{Lexicographic: m.Order, Slack: m.Slack, AtLeast: s.Floors}).check(a); len(m.Order) > 0 && err != nil {
			return s, Note{NoteNothing, first(err)}
		}
		s.Order, s.Slack, s.Weights = m.Order, m.Slack, nil
		return s.keepBounds(a, true)
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
		s.Weights, s.Order, s.Slack = assign(s.Weights, task, m.Value), nil, nil
	default:
		s.Aspiration = assign(s.Aspiration, task, m.Value)
	}
	return s.keepBounds(a, m.Kind != Floor)
}

// keepBounds goes to the point that is asked for, where the one in hand breaks a bound or follows what is asked for, or it is to.
func (s State) keepBounds(a *study.Analysis, follow bool) (State, Note) {
	if len(s.bounds(a)) == 0 && !s.Asks() {
		return s, Note{}
	}
	if k := s.kept(a); !follow && s.Anchor.Kind == AnchorBest && k.Holds(a, a.Predict(k.X)) {
		return k.mayNot(a) // the best of what keeps them
	}
	if i := s.preferred(a); i >= 0 && (follow || !s.Holds(a, a.Predict(s.X)) || s.Anchor.Kind == AnchorPreference) {
		s = s.at(a, i, Anchor{Kind: AnchorPreference})
	}
	return s.mayNot(a)
}

// mayNot says which bound costs the most where no point of the front keeps all of them.
func (s State) mayNot(a *study.Analysis) (State, Note) {
	switch bounds := s.bounds(a); {
	case len(satisfying(a, bounds)) > 0:
		return s, Note{}
	case !a.TracedUnder(s.Wish(a).floors(a, bounds)):
		return s, Note{NoteDone, "no point of the front has " + problem.And(inWords(a, bounds)) + ": looking between them"}
	default:
		return s, Note{NoteInfeasible, infeasible(a, bounds)}
	}
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

// first is the first of several problems: there is room for one.
func first(err error) string {
	var p problem.Problem
	if errors.As(err, &p) {
		return p.Error()
	}
	return err.Error()
}

func wrap(i, n int) int {
	if n <= 0 {
		return 0
	}
	return ((i % n) + n) % n
}

func notFinite(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

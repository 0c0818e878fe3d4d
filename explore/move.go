package explore

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"parfait/study"
)

// MoveKind names a move.
type MoveKind string

// Moves. Those of the first group need an analysis, the others do not.
const (
	Walk    MoveKind = "walk"     // along the front: to the nearest point with more (N 1) or less (N −1) on the X axis
	Favour  MoveKind = "favour"   // to the front point with more (N 1) or less (N −1) of the selected task
	Visit   MoveKind = "visit"    // to the next (N 1) or previous (N −1) named point
	Edge    MoveKind = "edge"     // to the end of the front: most (N 1) or least (N −1) on the X axis
	Go      MoveKind = "go"       // to the coefficients X
	GoFront MoveKind = "go-front" // to point N of the front
	GoKnee  MoveKind = "go-knee"  // to the knee
	Return  MoveKind = "return"   // back to the nearest point of the front
	Nudge   MoveKind = "nudge"    // the selected coefficient by Value
	Turn    MoveKind = "turn"     // the selected coefficient to Value
	Floor   MoveKind = "floor"    // of task N to Value; NaN takes it away
	Weigh   MoveKind = "weigh"    // task N by Value; NaN or 0 takes it away
	Aspire  MoveKind = "aspire"   // to Value on task N; NaN takes it away
	Forgo   MoveKind = "forgo"    // all weights and aspirations
	Keep    MoveKind = "keep"     // the point in hand as a pin named Name
	Unpin   MoveKind = "unpin"    // the pin named Name
	BrushTo MoveKind = "brush"    // the column Name to Lo…Hi; both NaN take it away

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
	case Floor, Weigh, Aspire, Forgo:
		return s.wish(a, m)
	case Keep, Unpin:
		return s.pin(a, m)
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

// onFront stands on the nearest point of the front.
func (s State) onFront(a *study.Analysis) State {
	return s.at(a, nearestOnFront(a, a.Predict(s.X)), Anchor{Kind: AnchorFront})
}

func (s State) walk(a *study.Analysis, dir int) (State, Note) {
	if s.Front < 0 {
		return s.onFront(a), Note{NoteDone, "back on the front"}
	}
	if n := len(s.Trail); n > 0 && s.Heading == -dir {
		to := s.Trail[n-1]
		s.Trail = s.Trail[:n-1]
		if n == 1 {
			s.Heading = 0
		}
		return s.at(a, to, Anchor{Kind: AnchorFront}), Note{}
	}
	to := beside(a, s.Front, s.AxisX, dir)
	if to < 0 {
		return s, Note{NoteEnd, "the end of the front: no point has " + moreOrLess(dir) + " " + columnName(a, s.AxisX)}
	}
	if s.Heading != dir {
		s.Trail = nil
	}
	s.Trail, s.Heading = append(slices.Clone(s.Trail), s.Front), dir
	return s.at(a, to, Anchor{Kind: AnchorFront}), Note{}
}

func (s State) edge(a *study.Analysis, dir int) (State, Note) {
	to, best := s.Front, math.Inf(-1)
	for i, p := range a.Front {
		if v := Column(p.X, p.Predicted, s.AxisX) * float64(dir); v > best {
			to, best = i, v
		}
	}
	return s.at(a, to, Anchor{Kind: AnchorFront}), Note{}
}

func (s State) favour(a *study.Analysis, dir int) (State, Note) {
	if s.Front < 0 {
		s = s.onFront(a)
	}
	floored := s.Holds(a, a.Front[s.Front].Predicted)
	to := favour(a, s.Front, s.Task, dir, func(i int) bool {
		return !floored || s.Holds(a, a.Front[i].Predicted)
	})
	if to < 0 {
		why := "no point of the front gives " + moreOrLess(dir) + " " + a.Tasks[s.Task].Name
		if len(s.Floors) > 0 && floored {
			why += " and keeps the floors"
		}
		return s, Note{NoteEnd, why}
	}
	return s.at(a, to, Anchor{Kind: AnchorFront}), Note{}
}

func (s State) visit(a *study.Analysis, dir int) (State, Note) {
	places := Places(a, s)
	at := slices.IndexFunc(places, func(p Place) bool { return samePoint(p.X, s.X) })
	if at < 0 && dir < 0 {
		at = 0
	}
	p := places[wrap(at+dir, len(places))]
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

// set stands at coefficients, exactly.
func (s State) set(a *study.Analysis, x []float64) (State, Note) {
	if len(x) != len(a.Space.Coefficients) || slices.ContainsFunc(x, notFinite) {
		return s, Note{NoteNothing, fmt.Sprintf("expected %d finite coefficients", len(a.Space.Coefficients))}
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
		// On the grid of the step, so that .01 steps from .6173 read .63, .64, …
		step := math.Abs(m.Value)
		v = math.Round((s.X[j]+m.Value)/step) * step
		v = math.Round(v*1e9) / 1e9
	}
	if notFinite(v) {
		return s, Note{NoteNothing, "expected a number"}
	}
	x := slices.Clone(s.X)
	x[j] = min(max(v, c.Lo), c.Hi)
	makeRoom(a.Space.Simplex, x, j)
	if samePoint(x, s.X) {
		return s, Note{NoteEnd, fmt.Sprintf("%s has the range %s … %s", c.Name, Decimal(c.Lo, 2), Decimal(c.Hi, 2))}
	}
	next, note := s.set(a, x)
	if v != x[j] {
		note = Note{NoteEnd, fmt.Sprintf("%s has the range %s … %s", c.Name, Decimal(c.Lo, 2), Decimal(c.Hi, 2))}
	}
	return next, note
}

// makeRoom keeps proportions adding up to one after x[j] was set: the others shrink or grow together.
func makeRoom(simplex [][]int, x []float64, j int) {
	for _, set := range simplex {
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
	}
}

func (s State) wish(a *study.Analysis, m Move) (State, Note) {
	if m.Kind == Forgo {
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
	if i := s.wished(a); i >= 0 && (m.Kind != Floor || !s.Holds(a, a.Predict(s.X)) || s.Anchor.Kind == AnchorWish) {
		s = s.at(a, i, Anchor{Kind: AnchorWish})
	}
	if len(satisfying(a, s.Floors)) == 0 {
		return s, Note{NoteInfeasible, infeasible(a, s.Floors)}
	}
	return s, Note{}
}

// infeasible says which floor costs the most.
func infeasible(a *study.Analysis, floors map[string]float64) string {
	text := "no point of the front satisfies "
	var words []string
	for _, t := range named(a, floors) {
		words = append(words, floorWords(a.Tasks[t], floors[a.Tasks[t].Name]))
	}
	if len(words) > 1 {
		text += "all of "
	}
	text += list(words)
	if c := costliest(a, floors); c != "" && len(words) > 1 {
		text += "; the floor of " + c + " costs the most"
	} else if c != "" {
		text += "; the best is " + bestOf(a, c)
	}
	return text
}

// bestOf is the best value of a task on the front.
func bestOf(a *study.Analysis, task string) string {
	for i, t := range a.Tasks {
		if t.Name == task {
			best := a.Front[0].Predicted[i].Value
			for _, p := range a.Front {
				if t.Better(p.Predicted[i].Value, best) {
					best = p.Predicted[i].Value
				}
			}
			return Number(t, best)
		}
	}
	return "—"
}

func (s State) pin(a *study.Analysis, m Move) (State, Note) {
	i := slices.IndexFunc(s.Pins, func(p Pin) bool { return p.Name == m.Name })
	if m.Kind == Unpin {
		if i < 0 {
			return s, Note{NoteNothing, "no pin has that name"}
		}
		s.Pins = slices.Delete(slices.Clone(s.Pins), i, i+1)
		return s, Note{NoteDone, m.Name + " is no longer pinned"}
	}
	if m.Name == "" {
		m.Name = s.freeName(a)
	}
	p := Pin{m.Name, slices.Clone(s.X)}
	s.Pins = slices.Clone(s.Pins)
	if i >= 0 {
		s.Pins[i] = p
	} else {
		s.Pins = append(s.Pins, p)
	}
	return s, Note{NoteDone, "pinned as " + m.Name}
}

// freeName is a name for a pin that no pin has.
func (s State) freeName(*study.Analysis) string {
	for i := len(s.Pins) + 1; ; i++ {
		name := fmt.Sprintf("pin %d", i)
		if !slices.ContainsFunc(s.Pins, func(p Pin) bool { return p.Name == name }) {
			return name
		}
	}
}

func (s State) brush(m Move) (State, Note) {
	s.Brushes = maps.Clone(s.Brushes)
	if math.IsNaN(m.Lo) || math.IsNaN(m.Hi) {
		delete(s.Brushes, m.Name)
		return s, Note{}
	}
	if s.Brushes == nil {
		s.Brushes = map[string]Brush{}
	}
	s.Brushes[m.Name] = Brush{min(m.Lo, m.Hi), max(m.Lo, m.Hi)}
	return s, Note{}
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

func wrap(i, n int) int {
	if n <= 0 {
		return 0
	}
	return ((i % n) + n) % n
}

func notFinite(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

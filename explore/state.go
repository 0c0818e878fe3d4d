package explore

import (
	"encoding/json"
	"math"
	"slices"

	"parfait/study"
)

// State is what one person is doing. It is plain data; [Apply] returns a new one and never changes the
// slices and maps of the old one. The zero State stands nowhere: [Rebase] gives it a point.
type State struct {
	Moment

	Task        int `json:"task"`        // selected
	Coefficient int `json:"coefficient"` // selected
	AxisX       int `json:"axis_x"`      // columns: tasks, then coefficients; see Columns
	AxisY       int `json:"axis_y"`
	Colour      int `json:"colour"` // column, −1 none

	Past   []Moment `json:"past,omitempty"`   // what undo goes back to, the newest last
	Future []Moment `json:"future,omitempty"` // what redo goes forward to, the newest last
	Last   MoveKind `json:"last,omitempty"`   // moves of one kind in a row are undone together

	Trail   [][]float64 `json:"-"` // points walked over in one direction, so that the way back is the same
	Heading int         `json:"-"`

	Confidence float64 `json:"-"` // Preference.Confidence

	Near []study.FrontPoint `json:"-"` // of the front around the point in hand, between those that have numbers: Refine's
}

// Moment is the part of a State that undo and redo exchange.
type Moment struct {
	X          []float64          `json:"x,omitempty"` // the point in hand, in the order of Analysis.Space
	Front      int                `json:"front"`       // its index in Analysis.Front, −1 where it is not on the front
	Anchor     Anchor             `json:"anchor,omitzero"`
	Floors     map[string]float64 `json:"floors,omitempty"`     // a task: at least, or at most where it is minimised
	Beats      string             `json:"beats,omitempty"`      // the Rival that must be beaten on every objective
	Weights    map[string]float64 `json:"weights,omitempty"`    // a task; any scale
	Aspiration map[string]float64 `json:"aspiration,omitempty"` // a task: the value aspired to
	Order      []string           `json:"order,omitempty"`      // tasks, the most important first
	Slack      map[string]float64 `json:"slack,omitempty"`      // how much of a task may be given up for those after it
	Pins       []Pin              `json:"pins,omitempty"`
	Brushes    map[string]Brush   `json:"brushes,omitempty"` // a column's name
}

// Pin is a point that somebody keeps.
type Pin struct {
	Name string    `json:"name"`
	X    []float64 `json:"x"`
}

// Brush is a stretch of a column that is wanted, ends included.
type Brush struct {
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
}

// Anchor says what the point in hand follows when new trials move the front.
type Anchor struct {
	Kind AnchorKind `json:"kind,omitempty"`
	Task string     `json:"task,omitempty"` // of AnchorBest
}

// AnchorKind is a kind of anchor.
type AnchorKind string

// Kinds of anchors.
const (
	AnchorNone       AnchorKind = ""      // the coefficients: somebody set them
	AnchorKnee       AnchorKind = "knee"  // the knee of the front
	AnchorBest       AnchorKind = "best"  // the best of a task
	AnchorFront      AnchorKind = "front" // the nearest point of the front
	AnchorPreference AnchorKind = "wish"  // what floors, weights and aspiration choose
)

// Start is where a person begins: at the knee, with the floors of study.yaml. An analysis of nil, while
// there are too few trials, gives a State without a point.
func Start(a *study.Analysis) State {
	return Rebase(a, State{Moment: Moment{Front: -1}, Colour: -1, AxisX: -1, AxisY: -1})
}

// Rebase carries a State over to a newer analysis: the point in hand follows its anchor, coefficients that
// somebody set stay as they are. What does not fit the analysis (another space, other tasks) is dropped.
func Rebase(a *study.Analysis, s State) State {
	if a == nil || len(a.Front) == 0 {
		return s
	}
	fresh := len(s.X) != len(a.Space.Coefficients)
	if fresh {
		s = s.fit(a)
	}
	s = s.normal(a)
	s.Trail, s.Near = nil, nil
	s.Task, s.Coefficient = clamp(s.Task, len(a.Tasks)), clamp(s.Coefficient, len(a.Space.Coefficients))
	s.axes(a)
	if fresh {
		s.Floors = specFloors(a.Tasks, s.Floors)
		s.Anchor = Anchor{Kind: AnchorKnee}
		return s.follow(a)
	}
	return s.follow(a).kept(a)
}

// fit drops points of another space.
func (s State) fit(a *study.Analysis) State {
	d := len(a.Space.Coefficients)
	s.Pins = slices.DeleteFunc(slices.Clone(s.Pins), func(p Pin) bool { return len(p.X) != d })
	s.Past, s.Future = nil, nil
	return s
}

// normal brings points that an earlier session left to the form that stands for their merge.
func (s State) normal(a *study.Analysis) State {
	normal := func(x []float64) []float64 {
		if len(x) != len(a.Space.Coefficients) {
			return x
		}
		if y, err := a.Space.Normal(x); err == nil {
			return y
		}
		return x
	}
	s.X, s.Pins = normal(s.X), slices.Clone(s.Pins)
	for i := range s.Pins {
		s.Pins[i].X = normal(s.Pins[i].X)
	}
	return s
}

// axes chooses what X, Y and the third dimension stand for where nobody has: the first objectives.
func (s *State) axes(a *study.Analysis) {
	n := len(a.Tasks) + len(a.Space.Coefficients)
	first := func(i, other int) int {
		if i < len(a.Objectives) {
			return a.Objectives[i]
		}
		return other
	}
	unset := s.AxisX == s.AxisY
	if unset || s.AxisX < 0 || s.AxisX >= n {
		s.AxisX = first(0, 0)
	}
	if unset || s.AxisY < 0 || s.AxisY >= n {
		s.AxisY = first(1, len(a.Tasks))
		if len(a.Objectives) < 2 && len(a.Tasks) > 1 {
			s.AxisY = (s.AxisX + 1) % len(a.Tasks)
		}
	}
	if unset && s.Colour < 0 {
		s.Colour = first(2, -1)
	}
	if s.Colour >= n {
		s.Colour = -1
	}
}

// follow puts the point in hand where its anchor is.
func (s State) follow(a *study.Analysis) State {
	switch s.Anchor.Kind {
	case AnchorKnee:
		return s.at(a, a.Knee, s.Anchor)
	case AnchorBest:
		for i, t := range a.Tasks {
			if t.Name == s.Anchor.Task && i < len(a.Best) && a.Best[i] >= 0 {
				return s.at(a, a.Best[i], s.Anchor)
			}
		}
	case AnchorPreference:
		if i := s.preferred(a); i >= 0 {
			return s.at(a, i, s.Anchor)
		}
	case AnchorFront:
		return s.at(a, nearestOnFront(a, a.Predict(s.X)), s.Anchor)
	}
	s.Front = frontIndex(a, s.X)
	return s
}

// at stands on point i of the front.
func (s State) at(a *study.Analysis, i int, anchor Anchor) State {
	if i < 0 || i >= len(a.Front) {
		return s
	}
	s.X, s.Front, s.Anchor = slices.Clone(a.Front[i].X), i, anchor
	return s
}

// frontIndex is the point of the front with the coefficients x, or −1.
func frontIndex(a *study.Analysis, x []float64) int {
	return slices.IndexFunc(a.Front, func(p study.FrontPoint) bool { return samePoint(p.X, x) })
}

// numberOf is the index of the point with the coefficients x among those that have numbers, or −1.
func numberOf(a *study.Analysis, x []float64) int {
	return slices.IndexFunc(a.Numbered(), func(p study.FrontPoint) bool { return samePoint(p.X, x) })
}

// samePoint says whether two points are one, up to the rounding of text.
func samePoint(x, y []float64) bool {
	return slices.EqualFunc(x, y, func(p, q float64) bool { return math.Abs(p-q) < 1e-9 })
}

func clamp(i, n int) int { return max(min(i, n-1), 0) }

// stateVersion changes when an older State would be misread.
const stateVersion = 1

type envelope struct {
	Version int   `json:"version"`
	State   State `json:"state"`
}

// Encode writes a State for a later session.
func (s State) Encode() ([]byte, error) {
	const keep = 50
	s.Past, s.Future = last(s.Past, keep), last(s.Future, keep)
	return json.Marshal(envelope{stateVersion, s})
}

// Decode reads what [State.Encode] wrote; Rebase then fits it to an analysis.
func Decode(b []byte) (State, error) {
	e := envelope{}
	if err := json.Unmarshal(b, &e); err != nil {
		return Start(nil), fail(BadView, "the stored view cannot be read: %v", err)
	}
	if e.Version != stateVersion {
		return Start(nil), fail(BadView, "the stored view has version %d, expected %d", e.Version, stateVersion)
	}
	return e.State, nil
}

func last[T any](s []T, n int) []T { return s[max(len(s)-n, 0):] }

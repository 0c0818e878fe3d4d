package explore

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

func (s State) pin(m Move) (State, Note) {
	i := slices.IndexFunc(s.Pins, func(p Pin) bool { return p.Name == m.Name })
	if m.Kind == Unpin {
		if i < 0 {
			return s, Note{NoteNothing, "no pin has that name"}
		}
		s.Pins = slices.Delete(slices.Clone(s.Pins), i, i+1)
		return s, Note{NoteDone, m.Name + " is no longer pinned"}
	}
	if m.Name == "" {
		m.Name = s.freeName()
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
func (s State) freeName() string {
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

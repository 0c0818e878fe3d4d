package explore

import (
	"maps"
	"slices"

	"parfait/study"
)

// Edited carries a State over to a snapshot whose study.yaml is another: tasks and coefficients are found
// again by their names, and floors that study.yaml had set follow it. [Rebase] does the rest, once there is an
// analysis.
func Edited(before, after *study.Snapshot, s State) State {
	tasks, was, now := len(before.Tasks), columns(before), columns(after)
	find := func(i int) int {
		if i < 0 || i >= len(was) {
			return -1
		}
		return slices.Index(now, was[i])
	}
	if !slices.Equal(was[tasks:], now[len(after.Tasks):]) { // what is kept lies in another space
		s.X, s.Front, s.Pins, s.Past, s.Future = nil, -1, nil, nil, nil
	}
	s.Task, s.Coefficient = max(0, find(s.Task)), max(0, find(tasks+s.Coefficient)-len(after.Tasks))
	s.AxisX, s.AxisY, s.Colour = find(s.AxisX), find(s.AxisY), find(s.Colour)
	s.Floors = follow(s.Floors, specFloors(before.Tasks, nil), specFloors(after.Tasks, nil))
	return s
}

func columns(s *study.Snapshot) []string {
	var names []string
	for _, c := range s.Space.Coefficients {
		names = append(names, c.Name)
	}
	return Columns(s.Tasks, names)
}

// follow are the floors of somebody who had some, when those of study.yaml change: their own stay.
func follow(had, was, now map[string]float64) map[string]float64 {
	out := maps.Clone(now)
	for _, floors := range []map[string]float64{had, was} {
		for name := range floors {
			v, has := had[name]
			if w, set := was[name]; has == set && v == w {
				continue
			}
			if delete(out, name); has {
				if out == nil {
					out = map[string]float64{}
				}
				out[name] = v
			}
		}
	}
	return out
}

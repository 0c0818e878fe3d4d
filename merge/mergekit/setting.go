package mergekit

import "parfait/yamldoc"

// A parameter in a mergekit file is a scalar, a gradient over the layers, or a list of those with
// filters, of which the first that is contained in the tensor's name counts.

// setting is one parameter as it is written.
type setting struct {
	node     yamldoc.Node
	scalar   any
	gradient []float64
	cases    []settingCase
}

type settingCase struct {
	filter string // "" for every tensor
	value  setting
}

// readSetting reads a parameter; what is wrong becomes a problem of the document.
func readSetting(n yamldoc.Node) setting {
	s := setting{node: n}
	switch {
	case n.IsMapping():
		s.cases = []settingCase{readCase(n)}
	case !n.IsList():
		s.scalar = n.Value()
	default:
		items := n.List()
		if len(items) == 0 {
			n.Failf("expected a value, found an empty list")
		}
		for _, item := range items {
			if item.IsMapping() != items[0].IsMapping() {
				item.Failf("expected numbers only or {filter, value} only in one list")
				return s
			}
			if item.IsMapping() {
				s.cases = append(s.cases, readCase(item))
			} else {
				s.gradient = append(s.gradient, item.Float())
			}
		}
	}
	return s
}

func readCase(n yamldoc.Node) settingCase {
	c := settingCase{}
	seen := false
	n.Fields(map[string]func(yamldoc.Node){
		"filter": func(n yamldoc.Node) {
			if n.Present() && n.Text() != "*" {
				c.filter = n.Text()
			}
		},
		"value": func(n yamldoc.Node) {
			seen = true
			if c.value = readSetting(n); c.value.cases != nil {
				n.Failf("expected a number or a list of numbers, found filters within a filter")
			}
		},
	})
	if !seen {
		n.Failf("value: is missing")
	}
	return c
}

// at is the value for a tensor that matches some filters, at t from 0 (first layer) to 1 (last).
func (s setting) at(matches func(filter string) bool, t float64) (any, bool) {
	switch {
	case s.cases != nil:
		for _, c := range s.cases {
			if c.filter == "" || matches(c.filter) {
				return c.value.at(matches, t)
			}
		}
		return nil, false
	case s.gradient != nil:
		place := float64(t * float64(len(s.gradient)-1))
		i := int(place)
		k := min(i+1, len(s.gradient)-1)
		part := place - float64(i)
		return float64((1-part)*s.gradient[i]) + float64(part*s.gradient[k]), true
	}
	return s.scalar, s.scalar != nil
}

// filters adds the filters that the setting looks for, each once.
func (s setting) filters(known []string) []string {
	for _, c := range s.cases {
		found := c.filter == ""
		for _, k := range known {
			found = found || k == c.filter
		}
		if !found {
			known = append(known, c.filter)
		}
	}
	return known
}

// layered says whether the value depends on the layer.
func (s setting) layered() bool {
	for _, c := range s.cases {
		if c.value.layered() {
			return true
		}
	}
	return len(s.gradient) > 1
}

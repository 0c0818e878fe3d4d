package search

import (
	"fmt"
	"slices"
	"strings"
)

// Number is one number that a merge is made of: a coefficient, one that is equal to a coefficient, or one that is fixed.
type Number struct {
	Name         string
	Kind         Kind
	Model, Group string  // as a Coefficient's
	Of           int     // the coefficient that it is; −1: it is fixed
	Value        float64 // where it is fixed
}

// Numbers are all that a merge is made of, in its order.
func (s Space) Numbers() []Number {
	if s.All != nil {
		return s.All
	}
	out := make([]Number, len(s.Coefficients))
	for i, c := range s.Coefficients {
		out[i] = Number{Name: c.Name, Kind: c.Kind, Model: c.Model, Group: c.Group, Of: i}
	}
	return out
}

// At is the number's value at x.
func (n Number) At(x []float64) float64 {
	if n.Of < 0 {
		return n.Value
	}
	return x[n.Of]
}

// Bound are the numbers that are no coefficients of their own: fixed, or equal to one.
func (s Space) Bound() []Number {
	return slices.DeleteFunc(slices.Clone(s.All), func(n Number) bool { return n.Of >= 0 && s.Coefficients[n.Of].Name == n.Name })
}

// How says what a number is that is no coefficient of its own: "= math", or "fixed".
func (s Space) How(n Number) string {
	if n.Of < 0 {
		return "fixed"
	}
	return "= " + s.Coefficients[n.Of].Name
}

// BoundWords says which numbers are no coefficients of their own, in a line; "" where all are.
func (s Space) BoundWords() string {
	var out []string
	for _, n := range s.Bound() {
		if n.Of < 0 {
			out = append(out, fmt.Sprintf("%s = %v, fixed", n.Name, n.Value))
		} else {
			out = append(out, n.Name+" "+s.How(n))
		}
	}
	return strings.Join(out, "; ")
}

// Models are the models that a merge is made of, in its order: those that are fixed too.
func (s Space) Models() []string {
	var out []string
	for _, n := range s.Numbers() {
		if n.Kind != Parameter && !slices.Contains(out, n.model()) {
			out = append(out, n.model())
		}
	}
	return out
}

// Alone are the coefficients of one model, where there is a merge that has this one alone: it shares none with another, and
// none of the others is fixed at anything but 0.
func (s Space) Alone(model string) ([]int, bool) {
	var own, others []int
	for _, n := range s.Numbers() {
		switch {
		case n.Kind == Parameter:
		case n.Of < 0 && (n.model() == model) != (n.Value == 1), n.Of < 0 && n.model() != model && n.Value != 0:
			return nil, false
		case n.Of < 0:
		case n.model() == model:
			own = append(own, n.Of)
		default:
			others = append(others, n.Of)
		}
	}
	return own, len(own) > 0 && !slices.ContainsFunc(own, func(i int) bool { return slices.Contains(others, i) })
}

// Held says whether a model is fixed at anything but value, so that no merge has all models there.
func (s Space) Held(value float64) bool {
	return slices.ContainsFunc(s.All, func(n Number) bool { return n.Of < 0 && n.Kind != Parameter && n.Value != value })
}

func (n Number) model() string {
	if n.Model == "" {
		return n.Name
	}
	return n.Model
}

// beside is what is said of a merge of the models that are searched, where another is fixed.
func (s Space) beside(what string) string {
	const fixed = ", beside what is fixed"
	if s.Held(0) && !strings.HasSuffix(what, fixed) {
		return what + fixed
	}
	return what
}

// owners are the models that each coefficient scales, one name for those that are tied anywhere: "math+code". "" for
// parameters.
func (s Space) owners() []string {
	whose := map[string][]string{} // of each model: those that share a coefficient with it, itself among them, in order
	by := make([][]string, len(s.Coefficients))
	for _, n := range s.Numbers() {
		if n.Kind == Parameter || n.Of < 0 {
			continue
		}
		m := n.model()
		if whose[m] == nil {
			whose[m] = []string{m}
		}
		if !slices.Contains(by[n.Of], m) {
			by[n.Of] = append(by[n.Of], m)
		}
	}
	order := s.Models()
	for _, models := range by {
		if len(models) < 2 {
			continue
		}
		var all []string
		for _, m := range order {
			if slices.ContainsFunc(models, func(o string) bool { return slices.Contains(whose[o], m) }) {
				all = append(all, m)
			}
		}
		for _, m := range all {
			whose[m] = all
		}
	}
	out := make([]string, len(s.Coefficients))
	for i, models := range by {
		if len(models) > 0 {
			out[i] = strings.Join(whose[models[0]], "+")
		}
	}
	return out
}

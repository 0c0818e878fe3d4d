package search

import (
	"slices"
	"strings"
)

// anchors are the points that every study wants to know, without duplicates: the middle and each model alone.
func (r *region) anchors() []Proposed { return r.distinct(r.middle(), r.alone()) }

// middle are the base, the uniform average and all models at one half, or less where there are many; on simplices equal
// proportions. The most important first.
func (r *region) middle() []Proposed {
	var out []Proposed
	add := func(x []float64, why string) { out = append(out, Proposed{X: x, Why: why}) }
	units := r.models()
	if len(r.space.Simplex) == 0 && len(units) > 0 {
		what := "the base"
		if r.space.Held(0) {
			what = "none of the models"
		}
		add(r.origin, what)
	}
	if len(r.space.Simplex) > 0 {
		add(r.origin, r.within(r.equal(), "equal proportions", "proportions as equal as their ranges have them"))
	}
	if len(units) > 1 || len(units) == 1 && len(r.space.Models()) > 1 {
		add(r.average(), "the uniform average")
		add(r.at(r.shrink/2, units...), r.reaching("all models", r.shrink/2, units...))
	}
	if len(units) == 0 && len(r.space.Simplex) == 0 {
		add(r.origin, "the middle of every range")
	}
	return r.distinct(out)
}

// alone are the models alone, and the vertices of simplices.
func (r *region) alone() []Proposed {
	var out []Proposed
	for _, u := range r.models() {
		out = append(out, Proposed{X: r.at(1, u), Why: u.name + " alone"})
	}
	for _, set := range r.space.Simplex {
		for _, i := range set {
			out = append(out, r.place(set, " alone", i))
		}
	}
	return r.distinct(out)
}

// halves are models at one half and pairs of them, and the middles of the edges of simplices of three to six.
func (r *region) halves() []Proposed {
	var out []Proposed
	units := r.models()
	for _, u := range units {
		out = append(out, Proposed{X: r.at(0.5, u), Why: r.reaching(u.name, 0.5, u)})
	}
	for i, u := range units {
		for _, v := range units[:i] {
			out = append(out, Proposed{X: r.at(0.5, v, u), Why: r.reaching(v.name+" and "+u.name, 0.5, v, u)})
		}
	}
	for _, set := range r.space.Simplex {
		if len(set) < 3 || len(set) > 6 {
			continue
		}
		for k, i := range set {
			for _, j := range set[:k] {
				out = append(out, r.place(set, " halved", j, i))
			}
		}
	}
	return out
}

// distinct are the points of some lists, tidy, each the first of those that are one.
func (r *region) distinct(lists ...[]Proposed) []Proposed {
	var out []Proposed
	for _, p := range slices.Concat(lists...) {
		p.X, p.Why = r.space.tidy(p.X), r.space.beside(p.Why)
		if !slices.ContainsFunc(out, func(o Proposed) bool { return r.space.apart(o.X, p.X) < sameGap }) {
			out = append(out, p)
		}
	}
	return out
}

// models are the units of the scalings outside simplices, in order.
func (r *region) models() []unit { return r.space.unitsOf(r.free) }

// at is the origin with the given units at value v, within their ranges.
func (r *region) at(v float64, units ...unit) []float64 {
	x := slices.Clone(r.origin)
	for _, u := range units {
		for _, i := range u.at {
			c := r.space.Coefficients[i]
			x[i] = min(max(v, c.Lo), c.Hi)
		}
	}
	return x
}

// reaching says what units at value v are, or come nearest to within their ranges: "all models at one half".
func (r *region) reaching(who string, v float64, units ...unit) string {
	at := short(v)
	if v == 0.5 {
		at = "one half"
	}
	for _, u := range units {
		for _, i := range u.at {
			if c := r.space.Coefficients[i]; v < c.Lo || v > c.Hi {
				return who + " as near to " + at + " as their ranges have it"
			}
		}
	}
	return who + " at " + at
}

// place is the origin with some members of a simplex in equal proportions, the others of it at 0, or what comes nearest to
// that within their ranges; what says what it is of them.
func (r *region) place(set []int, what string, members ...int) Proposed {
	x := slices.Clone(r.origin)
	for _, i := range set {
		x[i] = 0
	}
	names := make([]string, len(members))
	for k, i := range members {
		x[i], names[k] = 1/float64(len(members)), r.name(i)
	}
	of := strings.Join(names, " and ")
	p := Proposed{X: slices.Clone(x), Why: r.within(x, of+what, "as much of "+of+" as the ranges have")}
	r.space.Bounds().Project(p.X)
	return p
}

// equal is the origin with equal proportions, whatever their ranges are.
func (r *region) equal() []float64 {
	x := slices.Clone(r.origin)
	for _, set := range r.space.Simplex {
		for _, i := range set {
			x[i] = 1 / float64(len(set))
		}
	}
	return x
}

// within is what to say of x where it is within the ranges, and where it is not.
func (r *region) within(x []float64, yes, no string) string {
	if r.space.Bounds().Contains(x, tolerance) {
		return yes
	}
	return no
}

func (r *region) name(i int) string {
	c := r.space.Coefficients[i]
	if c.Model != "" && c.Group == "" {
		return c.Model
	}
	return c.Name
}

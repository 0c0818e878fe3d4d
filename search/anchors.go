package search

import (
	"slices"
)

// anchors are the points that every study wants to know: the base, each model alone, the uniform
// average, and with full also models at one half and pairs. Without duplicates, most important first.
func (r *region) anchors(full bool) []Proposed {
	var out []Proposed
	add := func(x []float64, why string) {
		x = r.space.tidy(x)
		for _, p := range out {
			if r.space.Gap(p.X, x) < sameGap {
				return
			}
		}
		out = append(out, Proposed{X: x, Why: why})
	}
	units := r.models()
	if len(r.space.Simplex) == 0 && len(units) > 0 {
		add(r.origin, "the base")
	}
	for _, u := range units {
		add(r.at(1, u), u.name+" alone")
	}
	r.corners(add)
	if len(units) > 1 {
		average := 1 / float64(len(units))
		add(r.at(average, units...), "uniform average")
		add(r.at(r.shrink/2, units...), "all models at one half")
	}
	if len(units) == 0 && len(r.space.Simplex) == 0 {
		add(r.origin, "the middle of every range")
	}
	if !full {
		return out
	}
	for _, u := range units {
		add(r.at(0.5, u), u.name+" at one half")
	}
	for i, u := range units {
		for _, v := range units[:i] {
			add(r.at(0.5, v, u), v.name+" and "+u.name+" halved")
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

// corners adds the vertices, the centre and the middles of the edges of each simplex, the other
// simplices at their centres.
func (r *region) corners(add func([]float64, string)) {
	place := func(set []int, members ...int) []float64 {
		x := slices.Clone(r.origin)
		for _, i := range set {
			x[i] = 0
		}
		for _, i := range members {
			x[i] = 1 / float64(len(members))
		}
		return x
	}
	for _, set := range r.space.Simplex {
		for _, i := range set {
			add(place(set, i), r.name(i)+" alone")
		}
	}
	if len(r.space.Simplex) > 0 {
		add(r.origin, "equal proportions")
	}
	for _, set := range r.space.Simplex {
		if len(set) < 3 || len(set) > 6 {
			continue
		}
		for k, i := range set {
			for _, j := range set[:k] {
				add(place(set, j, i), r.name(j)+" and "+r.name(i)+" halved")
			}
		}
	}
}

func (r *region) name(i int) string {
	c := r.space.Coefficients[i]
	if c.Model != "" && c.Group == "" {
		return c.Model
	}
	return c.Name
}

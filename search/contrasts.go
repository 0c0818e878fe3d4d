package search

import (
	"fmt"
	"slices"
	"strings"
)

// contrasts are points that move what stands still in the middle and in models alone: parameters of the method, and layer
// groups against one another. None where only whole models are turned.
func (r *region) contrasts() []Proposed { return r.distinct(r.parameters(), r.acrossGroups()) }

// acrossGroups are merges that have each group of layers of another model: as in a Latin square each model is once in
// every group, shifted by one to the next group, then by two, and so on. Of one model they have one group alone.
func (r *region) acrossGroups() []Proposed {
	units := r.space.units()
	var groups []string
	for _, u := range units {
		for _, i := range u.at {
			if g := r.space.Coefficients[i].Group; g != "" && !slices.Contains(groups, g) {
				groups = append(groups, g)
			}
		}
	}
	if len(groups) < 2 {
		return nil
	}
	places := len(units)
	if places == 1 {
		places = len(groups)
	}
	var out []Proposed
	for shift := range max(len(units)-1, 1) {
		for k := range places {
			x := slices.Clone(r.origin)
			var parts []string
			for m, u := range units {
				for _, i := range u.at {
					c := r.space.Coefficients[i]
					g := slices.Index(groups, c.Group)
					has := g == k
					if len(units) > 1 {
						has = (k+g*(shift+1))%len(units) == m
					}
					x[i] = 0
					if has {
						x[i] = 1
						parts = append(parts, c.Group+" of "+u.name)
					}
				}
			}
			r.space.Bounds().Project(x)
			out = append(out, Proposed{X: x, Why: strings.Join(parts, ", ") + ", and nothing else"})
		}
	}
	return out
}

// parameters are the uniform average, with a parameter at one of its ends.
func (r *region) parameters() []Proposed {
	var out []Proposed
	average := r.average()
	for i, c := range r.space.Coefficients {
		if c.Kind != Parameter || !(c.Lo < c.Hi) {
			continue
		}
		for _, v := range []float64{c.Lo, c.Hi} {
			x := slices.Clone(average)
			x[i] = v
			out = append(out, Proposed{X: x, Why: fmt.Sprintf("the uniform average with %s %.3g", c.Name, v)})
		}
	}
	return out
}

// negative says whether a model may be below zero: then points of the region are worth more than further ones above it.
func (r *region) negative() bool {
	return slices.ContainsFunc(r.free, func(i int) bool { c := r.space.Coefficients[i]; return c.Kind != Parameter && c.Lo < 0 })
}

// average is the uniform average of all models, as far as none is fixed elsewhere, parameters in the middle of their ranges; proportions are at the origin.
func (r *region) average() []float64 {
	return r.at(1/float64(max(len(r.space.Models()), 1)), r.models()...)
}

package search

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// proposed is a point with its reason.
type proposed struct {
	x   []float64
	why string
}

// anchors are the points that every study wants to know: the base, each model alone, the uniform
// average, and with full also models at one half and pairs. Without duplicates, most important first.
func (r *region) anchors(full bool) []proposed {
	var out []proposed
	add := func(x []float64, why string) {
		x = r.space.tidy(x)
		for _, p := range out {
			if r.space.Gap(p.x, x) < sameGap {
				return
			}
		}
		out = append(out, proposed{x, why})
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

// unit is all that scales one model: one coefficient, or one a group.
type unit struct {
	name string
	at   []int
}

// models are the units of the scalings outside simplices, in order.
func (r *region) models() []unit {
	var out []unit
	index := map[string]int{}
	for _, i := range r.free {
		c := r.space.Coefficients[i]
		if c.Kind == Parameter {
			continue
		}
		name := c.Model
		if name == "" {
			name = c.Name
		}
		k, ok := index[name]
		if !ok {
			k = len(out)
			index[name] = k
			out = append(out, unit{name: name})
		}
		out[k].at = append(out[k].at, i)
	}
	return out
}

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

// check returns everything that makes q unanswerable.
func (q *Question) check() error {
	var wrong []string
	d := len(q.Space.Coefficients)
	if d == 0 {
		wrong = append(wrong, "the space has no coefficients: give at least one model or parameter a range")
	}
	for _, c := range q.Space.Coefficients {
		if math.IsNaN(c.Lo) || math.IsNaN(c.Hi) || math.IsInf(c.Lo, 0) || math.IsInf(c.Hi, 0) || c.Lo > c.Hi {
			wrong = append(wrong, fmt.Sprintf("coefficient %q: range [%g, %g] is not in order", c.Name, c.Lo, c.Hi))
		}
	}
	seen := map[int]bool{}
	for k, set := range q.Space.Simplex {
		if len(set) == 0 {
			wrong = append(wrong, fmt.Sprintf("simplex %d is empty", k))
		}
		for _, i := range set {
			if i < 0 || i >= d || seen[i] {
				wrong = append(wrong, fmt.Sprintf("simplex %d: coefficient %d does not exist or is in two simplices", k, i))
			}
			seen[i] = true
		}
	}
	for k, p := range q.Done {
		if len(p.X) != d {
			wrong = append(wrong, fmt.Sprintf("point %d has %d coefficients, the space has %d", k, len(p.X), d))
		}
		if !p.Failed && len(p.Y) != len(q.Tasks) {
			wrong = append(wrong, fmt.Sprintf("point %d has %d measurements for %d tasks", k, len(p.Y), len(q.Tasks)))
		}
	}
	for k, x := range q.Pending {
		if len(x) != d {
			wrong = append(wrong, fmt.Sprintf("pending point %d has %d coefficients, the space has %d", k, len(x), d))
		}
	}
	if more := len(wrong) - 10; more > 0 {
		wrong = append(wrong[:10], fmt.Sprintf("and %d more of the kind", more))
	}
	if len(wrong) > 0 {
		return fail(BadQuestion, "%s", strings.Join(wrong, "; "))
	}
	return nil
}

// taken are all points that were ever asked for, finished, failed or pending.
func (q *Question) taken() [][]float64 {
	out := make([][]float64, 0, len(q.Done)+len(q.Pending))
	for _, p := range q.Done {
		out = append(out, p.X)
	}
	return append(out, q.Pending...)
}

// wanted is how many points may be asked for now; spent says why it is none.
func (q *Question) wanted() (n int, spent string) {
	n = max(q.N, 0)
	if q.Budget > 0 {
		if q.Asked >= q.Budget {
			return 0, fmt.Sprintf("the budget of %d trials is spent", q.Budget)
		}
		n = min(n, q.Budget-q.Asked)
	}
	return n, ""
}

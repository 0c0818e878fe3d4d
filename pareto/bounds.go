package pareto

import (
	"math"
	"math/rand/v2"
	"slices"

	"parfait/problem"
)

// Contains says whether x lies within the bounds, but for tolerance in every coordinate (proportions: in
// their sum too).
func (b Bounds) Contains(x []float64, tolerance float64) bool {
	if len(x) != len(b.Lo) {
		return false
	}
	for i, v := range x {
		if !(v >= b.Lo[i]-tolerance && v <= b.Hi[i]+tolerance) {
			return false
		}
	}
	for _, set := range b.Simplex {
		sum := 0.0
		for _, i := range set {
			if x[i] < -tolerance {
				return false
			}
			sum += x[i]
		}
		if math.Abs(sum-1) > tolerance*float64(len(set)+1) {
			return false
		}
	}
	return true
}

// Project moves x to the nearest point within the bounds, in place: O(d log d), O(d²) for proportions with bounds.
func (b Bounds) Project(x []float64) { b.unit().project(x) }

// Spread carries proportions from all that there are, Σxᵢ = 1 and xᵢ ≥ 0, into their bounds, in place, so that what is
// spread there is spread here: along the rays from the middle, by what the bounds leave of each. It changes nothing
// where they leave all. O(d).
func (b Bounds) Spread(x []float64) { b.unit().spread(x) }

// check adds everything that is wrong with the bounds to e.
func (b Bounds) check(e *problem.List) {
	if len(b.Lo) == 0 || len(b.Lo) != len(b.Hi) {
		e.Add(BadProblem, "bounds: Lo has %d entries, Hi %d: expected as many, and one at least", len(b.Lo), len(b.Hi))
		return
	}
	for i, lo := range b.Lo {
		if hi := b.Hi[i]; !(lo <= hi) || math.IsInf(lo, 0) || math.IsInf(hi, 0) {
			e.Add(BadProblem, "bounds: variable %d is within [%g, %g]: expected finite numbers in order", i, lo, hi)
		}
	}
	seen := map[int]bool{}
	for n, set := range b.Simplex {
		if len(set) == 0 {
			e.Add(BadProblem, "bounds: simplex %d is empty", n)
		}
		for _, i := range set {
			switch {
			case i < 0 || i >= len(b.Lo):
				e.Add(BadProblem, "bounds: simplex %d names variable %d of %d", n, i, len(b.Lo))
			case seen[i]:
				e.Add(BadProblem, "bounds: variable %d is in simplices twice", i)
			}
			seen[i] = true
		}
		if outside := func(i int) bool { return i < 0 || i >= len(b.Lo) }; len(set) == 0 || slices.ContainsFunc(set, outside) {
			continue
		}
		if least, most := b.Sums(set); least > 1+rounding || most < 1-rounding {
			e.Add(BadProblem, "bounds: the proportions %v sum to %g at least and %g at most: expected bounds within which they can sum to 1", set, least, most)
		}
	}
}

// rounding is how far sums of proportions may be from 1.
const rounding = 1e-9

// Sums are the least and the largest sum of the proportions of a set, whatever they have to sum to.
func (b Bounds) Sums(set []int) (least, most float64) {
	for _, i := range set {
		least, most = least+max(b.Lo[i], 0), most+min(b.Hi[i], 1)
	}
	return least, most
}

// checkStarts adds the points that no search can start from to e.
func (b Bounds) checkStarts(e *problem.List, starts [][]float64) {
	for i, x := range starts {
		if len(x) != len(b.Lo) || !finite(x) {
			e.Add(BadOption, "start %d is %v: expected %d finite numbers", i, x, len(b.Lo))
		}
	}
}

// domain is Bounds in unit coordinates: u = (x − lo)/width runs from 0 to 1, proportions are themselves. A variable
// with lo = hi has no width.
type domain struct {
	lo, width []float64
	simplex   []simplex
	boxed     []bool // not a proportion
}

func (b Bounds) unit() *domain {
	d := &domain{lo: slices.Clone(b.Lo), width: make([]float64, len(b.Lo)), boxed: make([]bool, len(b.Lo))}
	for i := range b.Lo {
		d.width[i], d.boxed[i] = b.Hi[i]-b.Lo[i], true
	}
	for _, set := range b.Simplex {
		for _, i := range set {
			d.lo[i], d.width[i], d.boxed[i] = 0, 1, false
		}
		d.simplex = append(d.simplex, b.simplex(set))
	}
	return d
}

// fromUnit stores the point at u in dst.
func (d *domain) fromUnit(dst, u []float64) {
	for i, v := range u {
		switch {
		case v >= 1:
			dst[i] = d.lo[i] + d.width[i]
		case v <= 0:
			dst[i] = d.lo[i]
		default:
			dst[i] = d.lo[i] + v*d.width[i]
		}
	}
}

// toUnit stores x in unit coordinates, projected onto the domain, in dst.
func (d *domain) toUnit(dst, x []float64) {
	for i, v := range x {
		dst[i] = 0
		if d.width[i] > 0 {
			dst[i] = (v - d.lo[i]) / d.width[i]
		}
	}
	d.clamp(dst)
}

// clamp projects u onto the unit box and the simplices.
func (d *domain) clamp(u []float64) {
	for i, v := range u {
		if d.boxed[i] {
			u[i] = min(max(v, 0), 1)
		}
	}
	for _, s := range d.simplex {
		s.project(u)
	}
}

func (d *domain) project(x []float64) {
	for i, v := range x {
		if d.boxed[i] {
			x[i] = min(max(v, d.lo[i]), d.lo[i]+d.width[i])
		}
	}
	for _, s := range d.simplex {
		s.project(x)
	}
}

func (d *domain) spread(x []float64) {
	for _, s := range d.simplex {
		s.spread(x)
	}
}

// latinHypercube returns n points in unit coordinates: a Latin hypercube (McKay, Beckman and Conover 1979), with
// the proportions of a simplex made of exponentials of it, so that each point is uniform there.
func (d *domain) latinHypercube(n int, rng *rand.Rand) [][]float64 {
	out := make([][]float64, n)
	for k := range out {
		out[k] = make([]float64, len(d.lo))
	}
	for i := range d.lo {
		for k, cell := range rng.Perm(n) {
			out[k][i] = (float64(cell) + rng.Float64()) / float64(n)
		}
	}
	for _, u := range out {
		for _, s := range d.simplex {
			sum := 0.0
			for _, i := range s.set {
				u[i] = -math.Log(max(u[i], 1e-300))
				sum += u[i]
			}
			for _, i := range s.set {
				u[i] /= sum
			}
			s.spread(u)
		}
	}
	return out
}

// centre is the middle of the box and of the simplices.
func (d *domain) centre() []float64 {
	u := make([]float64, len(d.lo))
	for i := range u {
		u[i] = 0.5
	}
	for _, s := range d.simplex {
		for k, i := range s.set {
			u[i] = s.middle[k]
		}
	}
	return u
}

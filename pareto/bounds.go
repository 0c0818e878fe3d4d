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

// Project moves x to the nearest point within the bounds, in place: O(d log d). The box of coordinates
// that are proportions is taken to be [0, 1].
func (b Bounds) Project(x []float64) { b.unit().project(x) }

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
			case b.Lo[i] > 0 || b.Hi[i] < 1:
				e.Add(BadProblem, "bounds: variable %d is a proportion within [%g, %g]: expected all of [0, 1]", i, b.Lo[i], b.Hi[i])
			}
			seen[i] = true
		}
	}
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
	simplex   [][]int
	boxed     []bool // not a proportion
}

func (b Bounds) unit() *domain {
	d := &domain{lo: slices.Clone(b.Lo), width: make([]float64, len(b.Lo)), simplex: b.Simplex, boxed: make([]bool, len(b.Lo))}
	for i := range b.Lo {
		d.width[i], d.boxed[i] = b.Hi[i]-b.Lo[i], true
	}
	for _, set := range b.Simplex {
		for _, i := range set {
			d.lo[i], d.width[i], d.boxed[i] = 0, 1, false
		}
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
	for _, set := range d.simplex {
		ontoSimplex(u, set)
	}
}

func (d *domain) project(x []float64) {
	for i, v := range x {
		if d.boxed[i] {
			x[i] = min(max(v, d.lo[i]), d.lo[i]+d.width[i])
		}
	}
	for _, set := range d.simplex {
		ontoSimplex(x, set)
	}
}

// ontoSimplex projects the coordinates of a set onto the simplex (Held, Wolfe and Crowder 1974).
func ontoSimplex(v []float64, set []int) {
	var room [16]float64
	sorted := room[:0]
	for _, i := range set {
		sorted = append(sorted, v[i])
	}
	slices.Sort(sorted)
	sum, shift := 0.0, 0.0
	for k := len(sorted) - 1; k >= 0; k-- {
		sum += sorted[k]
		t := (sum - 1) / float64(len(sorted)-k)
		if sorted[k] <= t {
			break
		}
		shift = t
	}
	for _, i := range set {
		v[i] = max(v[i]-shift, 0)
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
		for _, set := range d.simplex {
			sum := 0.0
			for _, i := range set {
				u[i] = -math.Log(max(u[i], 1e-300))
				sum += u[i]
			}
			for _, i := range set {
				u[i] /= sum
			}
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
	for _, set := range d.simplex {
		for _, i := range set {
			u[i] = 1 / float64(len(set))
		}
	}
	return u
}

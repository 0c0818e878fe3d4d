package search

import (
	"math"
	"slices"
)

// region is the part of a space that a start is spread over: the space shrunk about its origin, so that
// many coefficients together do not leave the neighbourhood of the base. Simplices are never shrunk.
type region struct {
	space   Space
	origin  []float64 // the base: 0 where the range has it; mid-range for parameters; equal proportions, as far as their ranges have them
	lo, hi  []float64 // shrunk
	free    []int     // coefficients outside every simplex
	shrink  float64   // s = min(1, 2/√N), N the number of scalings outside simplices
	scaling int       // N
}

func newRegion(s Space) *region {
	n := len(s.Coefficients)
	r := &region{space: s, origin: make([]float64, n), lo: make([]float64, n), hi: make([]float64, n), shrink: 1}
	proportion := make([]bool, n)
	for _, set := range s.Simplex {
		for _, i := range set {
			proportion[i] = true
			r.origin[i] = 1 / float64(len(set))
		}
	}
	s.Bounds().Project(r.origin)
	for i, c := range s.Coefficients {
		if !proportion[i] && c.Kind != Parameter {
			r.scaling++
		}
	}
	if r.scaling > 4 {
		r.shrink = 2 / math.Sqrt(float64(r.scaling))
	}
	for i, c := range s.Coefficients {
		r.lo[i], r.hi[i] = c.Lo, c.Hi
		switch {
		case proportion[i]:
		case c.Kind == Parameter:
			r.origin[i] = (c.Lo + c.Hi) / 2
			r.free = append(r.free, i)
		default:
			r.origin[i] = min(max(0, c.Lo), c.Hi)
			r.lo[i] = r.origin[i] + r.shrink*(c.Lo-r.origin[i])
			r.hi[i] = r.origin[i] + r.shrink*(c.Hi-r.origin[i])
			r.free = append(r.free, i)
		}
	}
	return r
}

// whole is the region without shrinking.
func (r *region) whole() *region {
	w := *r
	w.lo, w.hi = slices.Clone(r.lo), slices.Clone(r.hi)
	for _, i := range r.free {
		w.lo[i], w.hi[i] = r.space.Coefficients[i].Lo, r.space.Coefficients[i].Hi
	}
	w.shrink = 1
	return &w
}

// unit maps x to [−1, 1] over the region.
func (r *region) unit(dst, x []float64) {
	for i := range x {
		dst[i] = 0
		if w := r.hi[i] - r.lo[i]; w > 0 {
			dst[i] = 2*(x[i]-r.lo[i])/w - 1
		}
	}
}

// spread returns n points spread evenly over the region: a scrambled Halton sequence, on
// simplices by the exponential map.
func (r *region) spread(n int, seed uint64) [][]float64 {
	d := len(r.origin)
	if n == 0 || d == 0 {
		return nil
	}
	out, bounds := halton(n, d, seed), r.space.Bounds()
	for k, u := range out {
		x := make([]float64, d)
		for i := range x {
			x[i] = r.lo[i] + u[i]*(r.hi[i]-r.lo[i])
		}
		for _, set := range r.space.Simplex {
			sum := 0.0
			for _, i := range set {
				x[i] = -math.Log(max(u[i], 1e-12))
				sum += x[i]
			}
			for _, i := range set {
				x[i] /= sum
			}
		}
		if len(r.space.Simplex) > 0 {
			bounds.Spread(x)
		}
		out[k] = x
	}
	return out
}

// blend is the point with each unit scaled by its weight, within the ranges; proportions are made to sum
// to one, equal where none of theirs has a weight, and moved into their ranges.
func (r *region) blend(units []unit, weights []float64) []float64 {
	x := slices.Clone(r.origin)
	for k, u := range units {
		for _, i := range u.at {
			c := r.space.Coefficients[i]
			x[i] = min(max(weights[k], c.Lo), c.Hi)
		}
	}
	for _, set := range r.space.Simplex {
		sum := 0.0
		for _, i := range set {
			x[i] = max(x[i], 0)
			sum += x[i]
		}
		for _, i := range set {
			if sum > 0 {
				x[i] /= sum
			} else {
				x[i] = 1 / float64(len(set))
			}
		}
	}
	r.space.Bounds().Project(x)
	return r.space.tidy(x)
}

package pareto

import (
	"math"
	"slices"
)

// mate returns two children by simulated binary crossover (Deb and Agrawal 1995) and polynomial mutation
// (Deb and Goyal 1996), both kept within the bounds.
func (v *Evolution) mate(a, b []float64) [2][]float64 {
	out := [2][]float64{slices.Clone(a), slices.Clone(b)}
	for i := range a {
		if v.rng.Float64() < 0.5 && math.Abs(a[i]-b[i]) > 1e-14*v.dom.width[i] {
			out[0][i], out[1][i] = v.cross(i, min(a[i], b[i]), max(a[i], b[i]))
			if v.rng.Float64() < 0.5 {
				out[0][i], out[1][i] = out[1][i], out[0][i]
			}
		}
	}
	for _, x := range out {
		for i := range x {
			if v.rng.Float64() < 1/float64(len(x)) {
				x[i] = v.mutate(i, x[i])
			}
		}
		v.dom.project(x)
	}
	return out
}

// cross spreads two values about their mean as one bit string's crossover would, the bounds in mind.
func (v *Evolution) cross(i int, low, high float64) (float64, float64) {
	r, power := v.rng.Float64(), 1/(v.crossover+1)
	child := func(room float64) float64 {
		// The spread factor β with density ∝ β^η up to 1 and β^−(η+2) above, cut where it leaves the bounds.
		alpha := 2 - math.Pow(1+2*room/(high-low), -(v.crossover+1))
		if r <= 1/alpha {
			return math.Pow(r*alpha, power)
		}
		return math.Pow(1/(2-r*alpha), power)
	}
	middle, half := (low+high)/2, (high-low)/2
	hi := v.dom.lo[i] + v.dom.width[i]
	return max(middle-half*child(low-v.dom.lo[i]), v.dom.lo[i]), min(middle+half*child(hi-high), hi)
}

// mutate moves a value by a polynomially distributed part of its range.
func (v *Evolution) mutate(i int, x float64) float64 {
	lo, width := v.dom.lo[i], v.dom.width[i]
	if !(width > 0) {
		return x
	}
	r, power := v.rng.Float64(), 1/(v.mutation+1)
	step := 0.0
	if r < 0.5 {
		room := math.Pow(1-(x-lo)/width, v.mutation+1)
		step = math.Pow(2*r+(1-2*r)*room, power) - 1
	} else {
		room := math.Pow(1-(lo+width-x)/width, v.mutation+1)
		step = 1 - math.Pow(2*(1-r)+(2*r-1)*room, power)
	}
	return min(max(x+step*width, lo), lo+width)
}

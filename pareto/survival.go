package pareto

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Who survives in NSGA-III
//
// Idea (Deb and Jain 2014). Of parents and offspring together the best fronts survive whole (survivors). Of the
// front that no longer fits, those survive that keep the population spread: objectives are normalized, every
// point belongs to the nearest of a fixed set of reference directions, and places go, one at a time, to the
// directions that have the fewest members (niches.fill). A direction without any gets the point that is
// nearest to it, for convergence; one that has some already gets any, for diversity.
//
// Normalization maps the ideal point to 0 and the nadir to 1. The nadir is where the hyperplane through the M
// extreme points, each the best so far along one axis (axisValue), cuts the axes; where that is degenerate, the
// worst of the first front. Ideal, worst and extreme points are of everything that was told so far, so that
// the scale does not jump with the population.
//
// Cost. O(population · (directions · M + log^(M−1) population)) a generation.

// normalization is what objectives are normalized by.
type normalization struct {
	ideal, worst []float64   // M: the least and the largest so far
	extremes     [][]float64 // M points, one an axis
}

func newNormalization(m int) normalization {
	return normalization{ideal: slices.Repeat([]float64{math.Inf(1)}, m), worst: slices.Repeat([]float64{math.Inf(-1)}, m)}
}

// survivors returns the indices of the points of the next population.
func (v *Evolution) survivors() []int {
	for _, f := range v.fs {
		for k, x := range f {
			v.ideal[k], v.worst[k] = min(v.ideal[k], x), max(v.worst[k], x)
		}
	}
	fronts := v.fronts()
	nadir := v.nadir(fronts)
	var keep, last []int
	for _, front := range fronts {
		if len(keep)+len(front) > v.size {
			last = front
			break
		}
		keep = append(keep, front...)
	}
	if len(last) == 0 {
		return keep
	}
	niches := newNiches(len(v.directions))
	for _, i := range keep {
		d, _ := v.nearest(v.fs[i], nadir)
		niches.count[d]++
	}
	for _, i := range last {
		d, gap := v.nearest(v.fs[i], nadir)
		niches.candidates[d] = append(niches.candidates[d], candidate{i, gap})
	}
	return append(keep, niches.fill(v.size-len(keep), v.rng)...)
}

// fronts returns the indices by rank, as many ranks as it takes to fill the population.
func (v *Evolution) fronts() [][]int {
	var out [][]int
	for i, r := range Ranks(v.fs) {
		for len(out) <= r {
			out = append(out, nil)
		}
		out[r] = append(out[r], i)
	}
	n := 0
	for k, front := range out {
		if n += len(front); n >= v.size {
			return out[:k+1]
		}
	}
	return out
}

// nadir brings the extreme points up to date and returns the nadir.
func (v *Evolution) nadir(fronts [][]int) []float64 {
	candidates := slices.Clone(v.extremes)
	first := slices.Repeat([]float64{math.Inf(-1)}, v.m)
	all := slices.Clone(first)
	for r, front := range fronts {
		for _, i := range front {
			for k, x := range v.fs[i] {
				all[k] = max(all[k], x)
				if r == 0 {
					first[k] = max(first[k], x)
				}
			}
			if r == 0 {
				candidates = append(candidates, v.fs[i])
			}
		}
	}
	extremes := make([][]float64, v.m)
	for axis := range extremes {
		best := math.Inf(1)
		for _, f := range candidates {
			if a := v.axisValue(f, axis); a < best {
				best, extremes[axis] = a, f
			}
		}
	}
	v.extremes = extremes
	nadir, ok := v.intercepts()
	if !ok {
		nadir = first
	}
	for k := range nadir {
		if nadir[k] = min(nadir[k], v.worst[k]); nadir[k]-v.ideal[k] <= 1e-6 {
			nadir[k] = all[k]
		}
	}
	return nadir
}

// axisValue is the achievement function that is least for the extreme point of an axis: the largest difference
// from the ideal, with all other objectives counted a million times. Differences below a thousandth count as
// none.
func (v *Evolution) axisValue(f []float64, axis int) float64 {
	worst := 0.0
	for k, x := range f {
		d := x - v.ideal[k]
		if d < 1e-3 {
			d = 0
		}
		if k != axis {
			d *= 1e6
		}
		worst = max(worst, d)
	}
	return worst
}

// intercepts returns where the hyperplane through the extreme points cuts the axes; false where it is degenerate.
func (v *Evolution) intercepts() ([]float64, bool) {
	a, ones := mat.NewDense(v.m, v.m, nil), mat.NewVecDense(v.m, nil)
	for i, f := range v.extremes {
		ones.SetVec(i, 1)
		for k, x := range f {
			a.Set(i, k, x-v.ideal[k])
		}
	}
	var s mat.VecDense
	if err := s.SolveVec(a, ones); err != nil {
		return nil, false
	}
	out := make([]float64, v.m)
	for k := range out {
		width := 1 / s.AtVec(k)
		if !(width > 1e-6) || math.IsInf(width, 1) {
			return nil, false
		}
		out[k] = v.ideal[k] + width
	}
	return out, true
}

// nearest returns the reference direction with the least perpendicular distance to f, and that distance
// squared.
func (v *Evolution) nearest(f, nadir []float64) (direction int, gap float64) {
	u := make([]float64, v.m)
	for k, x := range f {
		u[k] = (x - v.ideal[k]) / max(nadir[k]-v.ideal[k], 1e-12)
	}
	size, projection := dot(u, u), math.Inf(-1)
	for i, r := range v.directions {
		// Directions have length one: the nearest has the largest projection.
		if p := dot(u, r); p > projection {
			projection, direction = p, i
		}
	}
	return direction, max(size-projection*projection, 0)
}

// niches are the reference directions with their members.
type niches struct {
	count      []int         // survivors so far
	candidates [][]candidate // of the front that does not fit
}

// candidate is a point by index and its squared distance to its direction.
type candidate struct {
	point int
	gap   float64
}

func newNiches(n int) *niches { return &niches{make([]int, n), make([][]candidate, n)} }

// fill returns n of the candidates by index.
func (s *niches) fill(n int, rng *rand.Rand) []int {
	var out []int
	for len(out) < n {
		fewest, open := math.MaxInt, []int(nil)
		for d, w := range s.candidates {
			switch {
			case len(w) == 0 || s.count[d] > fewest:
			case s.count[d] < fewest:
				fewest, open = s.count[d], []int{d}
			default:
				open = append(open, d)
			}
		}
		if len(open) == 0 {
			return out
		}
		rng.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
		for _, d := range open[:min(len(open), n-len(out))] {
			w := s.candidates[d]
			at := rng.IntN(len(w))
			if s.count[d] == 0 {
				for i := range w {
					if w[i].gap < w[at].gap || (w[i].gap == w[at].gap && i < at) {
						at = i
					}
				}
			}
			out = append(out, w[at].point)
			s.count[d]++
			s.candidates[d] = slices.Delete(w, at, at+1)
		}
	}
	return out
}

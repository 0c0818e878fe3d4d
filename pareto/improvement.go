package pareto

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// Improvement measures what a point would add to the hypervolume of a front, for choosing what to evaluate next.
// It prepares the front once, for any number of points; safe for concurrent use.
type Improvement struct {
	m     int
	ref   []float64
	cells []cell    // up to three objectives: what the front does not dominate, as disjoint boxes
	rows  []float64 // above: the front, shifted, ascending in the last objective
}

// cell is a box, shifted; open below where lo is −Inf.
type cell struct{ lo, hi [3]float64 }

// NewImprovement prepares a front; rows that are dominated or not better than the reference do not matter. Up to
// three objectives it has 2n+1 cells at most, O(n log n) (Yang, Emmerich, Deutz and Bäck 2019).
func NewImprovement(front [][]float64, ref []float64) *Improvement {
	p := &Improvement{m: len(ref), ref: slices.Clone(ref)}
	c := shift(front, ref)
	switch {
	case p.m == 0:
	case p.m <= 3:
		p.cells = c.freeCells()
	default:
		p.rows = c.byLast()
	}
	return p
}

// Of returns the hypervolume that y adds to the front's: 0 where it is dominated or not better than the
// reference, NaN where its length is not the reference's.
func (p *Improvement) Of(y []float64) float64 {
	if len(y) != p.m || p.m == 0 {
		return math.NaN()
	}
	if !inside(y, p.ref) {
		return 0
	}
	at := make([]float64, max(p.m, 3))
	for k := range at {
		at[k] = -1
		if k < p.m {
			at[k] = y[k] - p.ref[k]
		}
	}
	if p.m > 3 {
		return newWFG(context.Background(), p.m).exclusive(&wfgLevel{front: p.rows, bound: make([]float64, p.m)}, at)
	}
	total := 0.0
	for _, b := range p.cells {
		v := 1.0
		for k, x := range at {
			if v *= b.hi[k] - max(b.lo[k], x); b.hi[k] <= x {
				v = 0
				break
			}
		}
		total += v
	}
	return total
}

// Expected returns the expected hypervolume improvement of a point whose objectives are independent normals with
// the given means and standard deviations (0: certain). Exact for one to three objectives, O(n) (Emmerich, Yang,
// Deutz, Wang and Fonseca 2016); NaN above: use Sampled.
func (p *Improvement) Expected(mean, std []float64) float64 {
	return p.ExpectedGradient(nil, nil, mean, std)
}

// ExpectedGradient is Expected, and stores its derivatives by the means and the standard deviations in
// dMean and dStd, each where not nil.
func (p *Improvement) ExpectedGradient(dMean, dStd, mean, std []float64) float64 {
	if p.m == 0 || p.m > 3 || len(mean) != p.m || len(std) != p.m {
		return math.NaN()
	}
	var normals [3]normal
	for k := range normals {
		normals[k] = normal{-1, 0}
		if k < p.m {
			normals[k] = normal{mean[k] - p.ref[k], std[k]}
		}
	}
	total := 0.0
	var byMean, byStd [3]float64
	for _, b := range p.cells {
		var v, vm, vs [3]float64
		for k, y := range normals {
			hi, him, his := y.below(b.hi[k])
			lo, lom, los := y.below(b.lo[k])
			v[k], vm[k], vs[k] = hi-lo, him-lom, his-los
		}
		total += v[0] * v[1] * v[2]
		for k := range v {
			others := v[(k+1)%3] * v[(k+2)%3]
			byMean[k] += vm[k] * others
			byStd[k] += vs[k] * others
		}
	}
	copy(dMean, byMean[:p.m])
	copy(dStd, byStd[:p.m])
	return total
}

// normal is a mean and a standard deviation.
type normal struct{ mean, std float64 }

// below returns E max(a − Y, 0) and its derivatives by mean and standard deviation.
func (y normal) below(a float64) (value, byMean, byStd float64) {
	if math.IsInf(a, -1) {
		return 0, 0, 0
	}
	d := a - y.mean
	if !(y.std > 0) {
		if d > 0 {
			return d, -1, 0
		}
		return 0, 0, 0
	}
	z := d / y.std
	density := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
	share := math.Erfc(-z/math.Sqrt2) / 2
	return d*share + y.std*density, -share, density
}

// Sampled is the expected improvement by Monte Carlo, for any number of objectives and any distribution: the mean
// over so many draws of a point's objectives, which draw stores in dst with the generator it is given. With the
// same seed two points are compared on the same random numbers. A draw with a NaN improves nothing.
func (p *Improvement) Sampled(draws int, seed uint64, draw func(rng *rand.Rand, dst []float64)) float64 {
	rng := rand.New(rand.NewPCG(seed, 0x65687669))
	y, total := make([]float64, p.m), 0.0
	for range draws {
		draw(rng, y)
		if !slices.ContainsFunc(y, math.IsNaN) {
			total += p.Of(y)
		}
	}
	return total / float64(max(draws, 1))
}

// freeCells returns what the points do not dominate below the origin, as disjoint boxes: a sweep of the third
// objective, z, under which this region of the first two is cut into stripes of x, each open downwards in y.
func (c shifted) freeCells() []cell {
	p := c.padded()
	type stripe struct{ from, below, since float64 } // x ≥ from, to the next stripe; y < below; z ≥ since
	stripes := []stripe{{math.Inf(-1), 0, math.Inf(-1)}}
	var out []cell
	emit := func(s stripe, to, z float64) {
		if s.from < to && s.since < z {
			out = append(out, cell{[3]float64{s.from, math.Inf(-1), s.since}, [3]float64{to, s.below, z}})
		}
	}
	for _, i := range ascending(p.n(), func(i int32) float64 { return p.at(i, 2) }) {
		x, y, z := p.at(i, 0), p.at(i, 1), p.at(i, 2)
		// The stripe that x is in, and the first one after it that is below y already.
		first, _ := slices.BinarySearchFunc(stripes, x, func(s stripe, x float64) int {
			if s.from <= x {
				return -1
			}
			return 1
		})
		first--
		if stripes[first].below <= y {
			continue
		}
		last := first + 1
		for last < len(stripes) && stripes[last].below > y {
			last++
		}
		for k := first; k < last; k++ {
			to := 0.0
			if k+1 < len(stripes) {
				to = stripes[k+1].from
			}
			emit(stripes[k], to, z)
		}
		cut := stripes[first]
		cut.since = z
		stripes = slices.Replace(stripes, first, last, cut, stripe{x, y, z})
	}
	for k, s := range stripes {
		to := 0.0
		if k+1 < len(stripes) {
			to = stripes[k+1].from
		}
		emit(s, to, 0)
	}
	return out
}

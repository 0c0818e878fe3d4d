package search

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

const (
	poolSize     = 2000 // candidates that a design chooses from, and over which it integrates
	designRidge  = 1e-3
	designLimit  = 300 // features above which interactions are left out of a design
	replicateGap = 0.05
)

// optimal grows a design that makes the average prediction variance of a quadratic over a region small
// (I-optimality; Box and Draper 1959), one point after the other.
//
// Idea: with the features φ(x) of a quadratic (1, tᵢ, tᵢ², tᵢtⱼ), the information M = 10⁻³I + Σφφᵀ of the points so
// far and B, the mean of φφᵀ over the region, the average variance is tr(M⁻¹B). A point more takes off
//
//	φᵀM⁻¹BM⁻¹φ / (1 + φᵀM⁻¹φ),
//
// by the formula of Sherman and Morrison: the next point is where that is largest, over a pool of an even spread
// and a lattice, refined a coefficient at a time.
//
// Invariant: inverse is M⁻¹ and middle M⁻¹BM⁻¹ of the points in taken; known and mean are φᵀM⁻¹φ and φᵀM⁻¹BM⁻¹φ of
// every candidate of the pool. All are kept by rank-one updates; nothing is ever inverted.
//
// Cost: O(p² + p·pool) a point for p features, p = (d+1)(d+2)/2 for d coefficients. Above 300 features interactions
// are left out, and p = 2d+1.
type optimal struct {
	*region
	d            int
	interactions bool
	pool         [][]float64
	table        *mat.Dense    // features of the pool
	known, mean  []float64     // of the pool: φᵀM⁻¹φ and φᵀM⁻¹BM⁻¹φ
	inverse      *mat.SymDense // M⁻¹
	middle       *mat.SymDense // M⁻¹BM⁻¹
	taken        [][]float64
	phi, v, w    []float64 // scratch
}

func newOptimal(r *region, seed uint64) *optimal {
	d := len(r.origin)
	o := &optimal{region: r, d: d, interactions: true}
	if o.size() > designLimit {
		o.interactions = false
	}
	p := o.size()
	o.phi, o.v, o.w = make([]float64, p), make([]float64, p), make([]float64, p)
	o.pool = r.spread(poolSize, seed)
	o.pool = append(o.pool, o.lattice(seed)...)
	o.table = mat.NewDense(len(o.pool), p, nil)
	for k, x := range o.pool {
		o.features(o.table.RawRowView(k), x)
	}
	even := o.table.Slice(0, poolSize, 0, p)
	b := mat.NewSymDense(p, nil)
	b.SymOuterK(1/float64(poolSize), even.T())
	o.inverse = mat.NewSymDense(p, nil)
	for i := range p {
		o.inverse.SetSym(i, i, 1/designRidge)
	}
	b.ScaleSym(1/(designRidge*designRidge), b)
	o.middle = b
	o.known, o.mean = make([]float64, len(o.pool)), make([]float64, len(o.pool))
	var product mat.Dense
	product.Mul(o.table, b)
	for k := range o.pool {
		row := o.table.RawRowView(k)
		o.known[k] = inner(row, row) / designRidge
		o.mean[k] = inner(row, product.RawRowView(k))
	}
	return o
}

// clone is a design that can be grown by itself.
func (o *optimal) clone() *optimal {
	c := *o
	p := len(o.phi)
	c.known, c.mean, c.taken = slices.Clone(o.known), slices.Clone(o.mean), slices.Clip(o.taken)
	c.inverse, c.middle = mat.NewSymDense(p, nil), mat.NewSymDense(p, nil)
	c.inverse.CopySym(o.inverse)
	c.middle.CopySym(o.middle)
	c.phi, c.v, c.w = make([]float64, p), make([]float64, p), make([]float64, p)
	return &c
}

// lattice are points with coefficients at the ends and the middle of the region, as optimal designs of
// quadratics like them.
func (o *optimal) lattice(seed uint64) [][]float64 {
	out := o.spread(poolSize/2, seed+1)
	for _, x := range out {
		for _, i := range o.free {
			if w := o.hi[i] - o.lo[i]; w > 0 {
				x[i] = o.lo[i] + w*math.Round(2*(x[i]-o.lo[i])/w)/2
			}
		}
	}
	return out
}

func (o *optimal) size() int {
	p := 1 + 2*o.d
	if o.interactions {
		p += o.d * (o.d - 1) / 2
	}
	return p
}

// features are 1, t_i, t_i² and t_i·t_j of the coefficients mapped to [−1, 1] over the region.
func (o *optimal) features(dst, x []float64) {
	dst[0] = 1
	t := dst[1 : 1+o.d]
	o.unit(t, x)
	for i, v := range t {
		dst[1+o.d+i] = v * v
	}
	if !o.interactions {
		return
	}
	k := 1 + 2*o.d
	for i := range t {
		for j := i + 1; j < o.d; j++ {
			dst[k] = t[i] * t[j]
			k++
		}
	}
}

// add enters a point into the design.
func (o *optimal) add(x []float64) {
	o.taken = append(o.taken, x)
	o.features(o.phi, x)
	multiply(o.v, o.inverse, o.phi)
	multiply(o.w, o.middle, o.phi)
	scale := 1 + inner(o.phi, o.v)
	bend := inner(o.phi, o.w) / (scale * scale)
	for k := range o.pool {
		row := o.table.RawRowView(k)
		v, w := inner(row, o.v), inner(row, o.w)
		o.known[k] -= v * v / scale
		o.mean[k] += v * (v*bend - 2*w/scale)
	}
	p := len(o.phi)
	for i := range p {
		for j := i; j < p; j++ {
			o.middle.SetSym(i, j, o.middle.At(i, j)-(o.v[i]*o.w[j]+o.w[i]*o.v[j])/scale+o.v[i]*o.v[j]*bend)
			o.inverse.SetSym(i, j, o.inverse.At(i, j)-o.v[i]*o.v[j]/scale)
		}
	}
}

// gain is the criterion at x.
func (o *optimal) gain(x []float64) float64 {
	o.features(o.phi, x)
	multiply(o.v, o.inverse, o.phi)
	multiply(o.w, o.middle, o.phi)
	return inner(o.phi, o.w) / (1 + inner(o.phi, o.v))
}

// next returns the best point to add, refined a coefficient at a time; nil where all candidates are
// as good as there already.
func (o *optimal) next() []float64 {
	best, top := []float64(nil), 0.0
	for k, x := range o.pool {
		if g := o.mean[k] / (1 + o.known[k]); g > top && !o.near(x) {
			best, top = x, g
		}
	}
	if best == nil {
		return nil
	}
	best = slices.Clone(best)
	for range 2 {
		for _, i := range o.free {
			keep := best[i]
			for level := range 5 {
				best[i] = o.lo[i] + (o.hi[i]-o.lo[i])*float64(level)/4
				if g := o.gain(best); g > top*(1+1e-9) && !o.near(best) {
					keep, top = best[i], g
				}
			}
			best[i] = keep
		}
	}
	return o.space.tidy(best)
}

// near says whether x would only repeat what is there.
func (o *optimal) near(x []float64) bool {
	for _, p := range o.taken {
		if o.space.apart(x, p) < replicateGap {
			return true
		}
	}
	return false
}

// farthest returns the candidate with the largest gap to all that is there.
func (o *optimal) farthest() []float64 {
	best, top := []float64(nil), 0.0
	for _, x := range o.pool[:poolSize] {
		gap := math.Inf(1)
		for _, p := range o.taken {
			if gap = min(gap, o.space.apart(x, p)); gap <= top {
				break
			}
		}
		if gap > top {
			best, top = x, gap
		}
	}
	if best == nil {
		return nil
	}
	return o.space.tidy(best)
}

func multiply(dst []float64, m *mat.SymDense, v []float64) {
	mat.NewVecDense(len(dst), dst).MulVec(m, mat.NewVecDense(len(v), v))
}

func inner(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

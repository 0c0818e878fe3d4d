package surrogate

import (
	"gonum.org/v1/gonum/mat"
)

// hull measures extrapolation: the leverage of a point in a linear design, relative to the largest
// among the samples, so that 1 is the ellipsoid that just holds all of them (the regressor-variable
// hull of Montgomery, Peck and Vining, Introduction to Linear Regression Analysis, §3.8).
type hull struct {
	chol  mat.Cholesky
	scale float64
	ok    bool
}

// hullRidge keeps directions that were never sampled finite, and far outside.
const hullRidge = 1e-3

func newHull(us [][]float64) *hull {
	h := &hull{scale: 1}
	if len(us) == 0 {
		return h
	}
	p := len(us[0]) + 1
	m := mat.NewSymDense(p, nil)
	for i := range p {
		m.SetSym(i, i, hullRidge)
	}
	v := mat.NewVecDense(p, nil)
	for _, u := range us {
		affine(v, u)
		m.SymRankOne(m, 1, v)
	}
	h.ok = h.chol.Factorize(m)
	if !h.ok {
		return h
	}
	largest := 0.0
	for _, u := range us {
		largest = max(largest, h.raw(u))
	}
	if largest > 0 {
		h.scale = largest
	}
	return h
}

func affine(dst *mat.VecDense, u []float64) {
	dst.SetVec(0, 1)
	for i, a := range u {
		dst.SetVec(i+1, a)
	}
}

func (h *hull) raw(u []float64) float64 {
	v := mat.NewVecDense(len(u)+1, nil)
	affine(v, u)
	w := mat.NewVecDense(len(u)+1, nil)
	if err := h.chol.SolveVecTo(w, v); err != nil {
		return 0
	}
	return mat.Dot(v, w)
}

// leverage is at most 1 among the samples and grows with the square of the distance beyond them.
func (h *hull) leverage(u []float64) float64 {
	if !h.ok {
		return 0
	}
	return h.raw(u) / h.scale
}

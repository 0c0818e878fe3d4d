package pareto_test

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"parfait/pareto"
)

// kriged is a problem like those that surrogates make: m objectives, each the mean of a Gaussian process
// with a Matérn-5/2 kernel through n values of a rate that peaks near a corner of its own.
func kriged(m, d, n int, seed uint64) pareto.Problem {
	rng := rand.New(rand.NewPCG(seed, 77))
	var p pareto.Problem
	p.M = m
	for range d {
		p.Lo, p.Hi = append(p.Lo, 0), append(p.Hi, 1)
	}
	xs := make([][]float64, n)
	for i := range xs {
		xs[i] = make([]float64, d)
		for j := range xs[i] {
			xs[i][j] = rng.Float64() * min(1, 2/math.Sqrt(float64(d)))
		}
	}
	scale, weight := make([][]float64, m), make([]*mat.VecDense, m)
	for k := range m {
		scale[k] = make([]float64, d)
		peak, steep := make([]float64, d), make([]float64, d)
		for j := range d {
			scale[k][j] = math.Exp(-0.414 - 0.5*math.Log(float64(d)) - 0.3*rng.NormFloat64()) // 1/ℓ
			peak[j], steep[j] = 0.15*rng.Float64(), 0.5+2*rng.Float64()
		}
		peak[k%d] = 0.7 + 0.2*rng.Float64()
		gram, y := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
		for i, x := range xs {
			for j := i; j < n; j++ {
				v, _ := matern(x, xs[j], scale[k])
				if i == j {
					v += 1e-4
				}
				gram.SetSym(i, j, v)
			}
			r := -1.0
			for j, v := range x {
				r += steep[j] * (v - peak[j]) * (v - peak[j])
			}
			y.SetVec(i, -1/(1+math.Exp(2*r)))
		}
		var c mat.Cholesky
		c.Factorize(gram)
		weight[k] = mat.NewVecDense(n, nil)
		_ = c.SolveVecTo(weight[k], y)
	}
	p.EvalJacobian = func(dst []float64, jac *mat.Dense, x []float64) {
		for k := range dst {
			dst[k] = 0
			var row []float64
			if jac != nil {
				row = jac.RawRowView(k)
				clear(row)
			}
			for i, c := range xs {
				v, slope := matern(x, c, scale[k])
				w := weight[k].AtVec(i)
				dst[k] += w * v
				for j := range row {
					row[j] -= w * slope * (x[j] - c[j]) * scale[k][j] * scale[k][j]
				}
			}
		}
	}
	p.Eval = func(dst, x []float64) { p.EvalJacobian(dst, nil, x) }
	p.Jacobian = func(dst *mat.Dense, x []float64) { p.EvalJacobian(make([]float64, m), dst, x) }
	return p
}

func matern(a, b, scale []float64) (value, slope float64) {
	r2 := 0.0
	for j, v := range a {
		d := (v - b[j]) * scale[j]
		r2 += d * d
	}
	s := math.Sqrt(5 * r2)
	e := math.Exp(-s)
	return (1 + s + s*s/3) * e, 5. / 3 * (1 + s) * e
}

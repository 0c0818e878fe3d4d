package problems

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// The problems of Deb, Thiele, Laumanns and Zitzler (2005): m objectives of d ≥ m variables; the last
// d − m + 1 make g, which is 0 on the front, the others say where on it.

// DTLZ1 has the front Σf = ½ behind 11^k − 1 local ones, k = d − m + 1, usually 5.
func DTLZ1(m, d int) Problem {
	p := dtlz("DTLZ1", m, d, rastriginG, func(x float64) (a, b, da, db float64) { return x, 1 - x, 1, -1 }, 0.5)
	p.Front = func(n int) [][]float64 {
		r := directions(m, n)
		for _, f := range r {
			for k := range f {
				f[k] /= 2
			}
		}
		return r
	}
	return p
}

// DTLZ2 has the unit sphere's positive part as its front; k = d − m + 1 is usually 10.
func DTLZ2(m, d int) Problem { return dtlz("DTLZ2", m, d, sphereG, angle(1), 1) }

// DTLZ3 is DTLZ2 behind 3^k − 1 local fronts.
func DTLZ3(m, d int) Problem { return dtlz("DTLZ3", m, d, rastriginG, angle(1), 1) }

// DTLZ4 is DTLZ2 with its points crowded to the edges: the angles go with the 100th power.
func DTLZ4(m, d int) Problem { return dtlz("DTLZ4", m, d, sphereG, angle(100), 1) }

// DTLZ7 has a front of 2^(m−1) separate pieces; k = d − m + 1 is usually 20.
func DTLZ7(m, d int) Problem {
	k := float64(d - m + 1)
	last := func(x []float64, g float64) float64 {
		h := float64(m)
		for _, v := range x[:m-1] {
			h -= v / (1 + g) * (1 + math.Sin(3*math.Pi*v))
		}
		return (1 + g) * h
	}
	gOf := func(x []float64) float64 {
		g := 1.0
		for _, v := range x[m-1:] {
			g += 9 / k * v
		}
		return g
	}
	p := Problem{Name: "DTLZ7"}
	p.M, p.Bounds = m, cube(d)
	p.Eval = func(dst, x []float64) {
		copy(dst, x[:m-1])
		dst[m-1] = last(x, gOf(x))
	}
	p.Jacobian = func(dst *mat.Dense, x []float64) {
		dst.Zero()
		for i, v := range x {
			if i < m-1 {
				dst.Set(i, i, 1)
				dst.Set(m-1, i, -(1+math.Sin(3*math.Pi*v))-v*3*math.Pi*math.Cos(3*math.Pi*v))
			} else {
				dst.Set(m-1, i, 9/k*float64(m)) // the sums do not depend on g
			}
		}
	}
	p.Front = func(n int) [][]float64 {
		// The pieces lie at the products of those of one coordinate: those where v(1 + sin 3πv) reaches a
		// new maximum.
		for many := 2; ; many++ {
			var axis []float64
			best := math.Inf(-1)
			for i := range 60 * many {
				v := float64(i) / float64(60*many-1)
				if s := v * (1 + math.Sin(3*math.Pi*v)); s > best {
					best, axis = s, append(axis, v)
				}
			}
			thin := make([]float64, 0, many)
			for i := range many {
				thin = append(thin, axis[i*(len(axis)-1)/(many-1)])
			}
			if fs := combine(thin, m-1); len(fs) >= n {
				for i, x := range fs {
					fs[i] = append(x, last(append(x, 0), 1))
				}
				return nonDominated(fs)
			}
		}
	}
	return p
}

// combine returns all vectors of n values.
func combine(values []float64, n int) [][]float64 {
	out := [][]float64{{}}
	for range n {
		var next [][]float64
		for _, x := range out {
			for _, v := range values {
				next = append(next, append(append(make([]float64, 0, n+1), x...), v))
			}
		}
		out = next
	}
	return out
}

// sphereG is Σ(x − ½)².
func sphereG(x, by []float64) float64 {
	g := 0.0
	for i, v := range x {
		g += (v - 0.5) * (v - 0.5)
		by[i] = 2 * (v - 0.5)
	}
	return g
}

// rastriginG is 100(k + Σ((x − ½)² − cos 20π(x − ½))).
func rastriginG(x, by []float64) float64 {
	g := 0.0
	for i, v := range x {
		u := v - 0.5
		g += 100 * (1 + u*u - math.Cos(20*math.Pi*u))
		by[i] = 100 * (2*u + 20*math.Pi*math.Sin(20*math.Pi*u))
	}
	return g
}

// angle is the cosine and sine of x^alpha·π/2 and their derivatives.
func angle(alpha float64) func(x float64) (a, b, da, db float64) {
	return func(x float64) (a, b, da, db float64) {
		sin, cos := math.Sincos(math.Pow(x, alpha) * math.Pi / 2)
		slope := alpha * math.Pow(x, alpha-1) * math.Pi / 2
		return cos, sin, -sin * slope, cos * slope
	}
}

// dtlz has f_i = size·(1 + g)·a(x_1)⋯a(x_{m−1−i})·b(x_{m−i}), without b for i = 0.
func dtlz(name string, m, d int, g func(x, by []float64) float64, ab func(x float64) (a, b, da, db float64), size float64) Problem {
	p := Problem{Name: name}
	p.M, p.Bounds = m, cube(d)
	// factors stores the m−1 factors of objective i and their derivatives.
	factors := func(i int, x, f, df []float64) {
		for j := range m - 1 {
			a, b, da, db := ab(x[j])
			switch {
			case j < m-1-i:
				f[j], df[j] = a, da
			case j == m-1-i:
				f[j], df[j] = b, db
			default:
				f[j], df[j] = 1, 0
			}
		}
	}
	p.Eval = func(dst, x []float64) {
		v := g(x[m-1:], make([]float64, d-m+1))
		f, df := make([]float64, m-1), make([]float64, m-1)
		for i := range dst {
			factors(i, x, f, df)
			dst[i] = size * (1 + v) * product(f, -1)
		}
	}
	p.Jacobian = func(dst *mat.Dense, x []float64) {
		by := make([]float64, d-m+1)
		v := g(x[m-1:], by)
		f, df := make([]float64, m-1), make([]float64, m-1)
		for i := range m {
			factors(i, x, f, df)
			for j := range m - 1 {
				dst.Set(i, j, size*(1+v)*product(f, j)*df[j])
			}
			for j, w := range by {
				dst.Set(i, m-1+j, size*w*product(f, -1))
			}
		}
	}
	p.Front = func(n int) [][]float64 {
		r := directions(m, n)
		for _, f := range r {
			sum := 0.0
			for _, v := range f {
				sum += v * v
			}
			for k := range f {
				f[k] /= math.Sqrt(sum)
			}
		}
		return r
	}
	return p
}

// product multiplies all factors but one.
func product(f []float64, but int) float64 {
	v := 1.0
	for j, x := range f {
		if j != but {
			v *= x
		}
	}
	return v
}

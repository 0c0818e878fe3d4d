package problems

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// The problems of Zitzler, Deb and Thiele (2000): two objectives, f₁ a function of x₁ alone and
// f₂ = g·h(f₁, g), with g = 1 on the front.

// ZDT1 has a convex front; d ≥ 2 variables, usually 30.
func ZDT1(d int) Problem {
	return zdt("ZDT1", d, linearG, func(f, g float64) (h, byF, byG float64) {
		r := math.Sqrt(f / g)
		return 1 - r, -0.5 / math.Sqrt(max(f*g, 1e-300)), r / (2 * g)
	})
}

// ZDT2 has a concave front; d ≥ 2 variables, usually 30.
func ZDT2(d int) Problem {
	return zdt("ZDT2", d, linearG, func(f, g float64) (h, byF, byG float64) {
		r := f / g
		return 1 - r*r, -2 * r / g, 2 * r * r / g
	})
}

// ZDT3 has a front of five pieces; d ≥ 2 variables, usually 30.
func ZDT3(d int) Problem {
	return zdt("ZDT3", d, linearG, func(f, g float64) (h, byF, byG float64) {
		r, sin, cos := math.Sqrt(f/g), math.Sin(10*math.Pi*f), math.Cos(10*math.Pi*f)
		byF = -0.5/math.Sqrt(max(f*g, 1e-300)) - sin/g - f/g*10*math.Pi*cos
		return 1 - r - f/g*sin, byF, r/(2*g) + f*sin/(g*g)
	})
}

// ZDT4 has ZDT1's front behind 21^(d−1) local ones; d ≥ 2 variables, usually 10.
func ZDT4(d int) Problem {
	p := zdt("ZDT4", d, func(x, by []float64) float64 {
		g := 1.0
		for i, v := range x {
			g += 10 + v*v - 10*math.Cos(4*math.Pi*v)
			by[i] = 2*v + 40*math.Pi*math.Sin(4*math.Pi*v)
		}
		return g
	}, func(f, g float64) (h, byF, byG float64) {
		r := math.Sqrt(f / g)
		return 1 - r, -0.5 / math.Sqrt(max(f*g, 1e-300)), r / (2 * g)
	})
	for i := 1; i < d; i++ {
		p.Lo[i], p.Hi[i] = -5, 5
	}
	return p
}

// linearG is 1 + 9·mean x.
func linearG(x, by []float64) float64 {
	sum := 0.0
	for i, v := range x {
		sum += v
		by[i] = 9 / float64(len(x))
	}
	return 1 + 9*sum/float64(len(x))
}

// zdt puts f₁ = x₁ and f₂ = g(x₂…)·h(f₁, g) together.
func zdt(name string, d int, g func(x, by []float64) float64, h func(f, g float64) (h, byF, byG float64)) Problem {
	p := Problem{Name: name}
	p.M, p.Bounds = 2, cube(d)
	p.Eval = func(dst, x []float64) {
		v := g(x[1:], make([]float64, d-1))
		s, _, _ := h(x[0], v)
		dst[0], dst[1] = x[0], v*s
	}
	p.Jacobian = func(dst *mat.Dense, x []float64) {
		by := make([]float64, d-1)
		v := g(x[1:], by)
		s, byF, byG := h(x[0], v)
		dst.Zero()
		dst.Set(0, 0, 1)
		dst.Set(1, 0, v*byF)
		for i, w := range by {
			dst.Set(1, i+1, w*(s+v*byG))
		}
	}
	p.Front = func(n int) [][]float64 {
		// Enough that n are left where the front has gaps.
		for many := n; ; many *= 2 {
			var fs [][]float64
			for i := range many {
				f := float64(i) / float64(max(many-1, 1))
				s, _, _ := h(f, 1)
				fs = append(fs, []float64{f, s})
			}
			if fs = nonDominated(fs); len(fs) >= n {
				return fs
			}
		}
	}
	return p
}

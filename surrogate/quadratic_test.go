package surrogate

import (
	"math"
	"math/rand/v2"
	"testing"
)

// bowl is a smooth rate of d coefficients.
func bowl(x []float64) float64 {
	eta := 1.0
	for i, v := range x {
		eta += 1.5*v - (1.2+0.2*float64(i))*v*v
		if i > 0 {
			eta -= 0.8 * v * x[i-1]
		}
	}
	return 1 / (1 + math.Exp(-eta))
}

func sampled(n, d int, seed uint64, items int, f func([]float64) float64) Data {
	rng := rand.New(rand.NewPCG(seed, 1))
	data := Data{Link: Logit, Lo: make([]float64, d), Hi: make([]float64, d)}
	for i := range d {
		data.Hi[i] = 1.2
	}
	for range n {
		x := make([]float64, d)
		for i := range x {
			x[i] = 1.2 * rng.Float64()
		}
		y := f(x)
		if items > 0 {
			k := 0
			for range items {
				if rng.Float64() < y {
					k++
				}
			}
			y = float64(k) / float64(items)
		}
		data.X, data.Y, data.N = append(data.X, x), append(data.Y, y), append(data.N, items)
	}
	return data
}

func fitters() map[string]Choice {
	return map[string]Choice{
		"quadratic": {Kind: KindQuadratic},
		"plain":     {Kind: KindQuadratic, Plain: true, FromZero: true},
		"gp":        {Kind: KindGP},
	}
}

func TestGradientsMatchDifferences(t *testing.T) {
	for name, choice := range fitters() {
		for _, link := range []Link{Identity, Logit, Log} {
			t.Run(name+"/"+string(link), func(t *testing.T) {
				d := sampled(40, 3, 7, 0, bowl)
				d.Link = link
				s, _ := fit(t, choice, d)
				rng := rand.New(rand.NewPCG(3, 3))
				for range 20 {
					x := []float64{rng.Float64(), rng.Float64(), rng.Float64()}
					mean, std := make([]float64, 3), make([]float64, 3)
					s.Gradient(mean, std, x)
					for i := range x {
						const h = 1e-5
						v := x[i]
						x[i] = v + h
						m1, s1 := s.Predict(x)
						x[i] = v - h
						m0, s0 := s.Predict(x)
						x[i] = v
						if want := (m1 - m0) / (2 * h); math.Abs(mean[i]-want) > 1e-5*(1+math.Abs(want)) {
							t.Errorf("∂mean/∂x%d = %g, differences say %g", i, mean[i], want)
						}
						if want := (s1 - s0) / (2 * h); math.Abs(std[i]-want) > 1e-4*(1+math.Abs(want)) {
							t.Errorf("∂std/∂x%d = %g, differences say %g", i, std[i], want)
						}
					}
				}
			})
		}
	}
}

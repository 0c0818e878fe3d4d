package surrogate

import (
	"fmt"
	"testing"
)

// Bars: 8 tasks at n = 100 within 0.5 s, at n = 500 within 5 s, on two cores.
func BenchmarkFit(b *testing.B) {
	for _, n := range []int{30, 100, 200, 500} {
		b.Run(fmt.Sprintf("8tasks/%dpoints", n), func(b *testing.B) {
			data := make([]Data, 8)
			for i := range data {
				data[i] = sampled(n, 8, 1, 450, func(x []float64) float64 { return bowl(x[i/2:]) })
			}
			for b.Loop() {
				if r := Fit(b.Context(), data, Choice{}); r[0].Err != nil {
					b.Fatal(r[0].Err)
				}
			}
		})
	}
}

// Bar: 8 tasks within 1 ms.
func BenchmarkPredict(b *testing.B) {
	for _, n := range []int{100, 500} {
		b.Run(fmt.Sprintf("%dpoints", n), func(b *testing.B) {
			r := alone(b.Context(), sampled(n, 8, 1, 450, bowl), Choice{Kind: KindGP})
			if r.Err != nil {
				b.Fatal(r.Err)
			}
			x := []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8}
			for b.Loop() {
				x[0] = 0.9 - x[0] // no answer is remembered
				r.Surrogate.Predict(x)
				r.Surrogate.Interval(x, 0.9)
				r.Surrogate.Leverage(x)
			}
		})
	}
}

func BenchmarkMeanWithGradient(b *testing.B) {
	r := alone(b.Context(), sampled(100, 8, 1, 450, bowl), Choice{Kind: KindGP})
	if r.Err != nil {
		b.Fatal(r.Err)
	}
	x := []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8}
	grad := make([]float64, 8)
	for b.Loop() {
		r.Surrogate.Mean(grad, x)
	}
}

package surrogate

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestExpOfNegative(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200000 {
		x := -700 * math.Pow(rng.Float64(), 4)
		if got, want := expOfNegative(x), math.Exp(x); math.Abs(got-want) > 2e-14*want {
			t.Fatalf("e^%g = %g, math.Exp says %g", x, got, want)
		}
	}
	for x, want := range map[float64]float64{0: 1, -701: 0, math.Inf(-1): 0} {
		if got := expOfNegative(x); got != want {
			t.Errorf("e^%g = %g, expected %g", x, got, want)
		}
	}
}

func BenchmarkExp(b *testing.B) {
	for name, f := range map[string]func(float64) float64{"ours": expOfNegative, "math": math.Exp} {
		b.Run(name, func(b *testing.B) {
			xs := make([]float64, 1024)
			for i := range xs {
				xs[i] = -float64(i) / 100
			}
			sum := 0.0
			for b.Loop() {
				for _, x := range xs {
					sum += f(x)
				}
			}
			if sum == 0 {
				b.Fatal("nothing was added")
			}
		})
	}
}

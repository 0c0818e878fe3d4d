package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestReductionsAgree: fast and generic give the same bits at every length, and nearly the exact sum.
func TestReductionsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for n := range 200 {
		a, b := make([]float32, n), make([]float32, n)
		for i := range a {
			a[i], b[i] = float32(r.NormFloat64()), float32(r.NormFloat64()*math.Exp(10*r.NormFloat64()))
		}
		var lanes, sums [sumLanes]float64
		dotGeneric(&lanes, a, b)
		totalGeneric(&sums, b)
		if got, want := Dot(a, b), fold(&lanes); got != want {
			t.Fatalf("Dot of %d: %v, generic %v", n, got, want)
		}
		if got, want := Sum(b), fold(&sums); got != want {
			t.Fatalf("Sum of %d: %v, generic %v", n, got, want)
		}
		wide, wideB := make([]float64, n), make([]float64, n)
		dot, size := 0.0, 0.0
		for i := range a {
			wide[i], wideB[i] = float64(a[i]), float64(b[i])
			dot += wide[i] * wideB[i]
			size += math.Abs(wide[i] * wideB[i])
		}
		if math.Abs(Dot(a, b)-dot) > 1e-13*size {
			t.Fatalf("Dot of %d: %v, expected about %v", n, Dot(a, b), dot)
		}
		if Dot64(wide, wideB) != Dot(a, b) || Sum64(wideB) != Sum(b) {
			t.Fatalf("sums of float64 differ from those of the same float32")
		}
	}
}

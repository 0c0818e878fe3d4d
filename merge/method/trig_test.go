package method

import (
	"math"
	"testing"
)

func TestTrigonometry(t *testing.T) {
	for i := range 1001 {
		x := math.Pi * float64(i) / 1000
		if d := math.Abs(sine(x) - math.Sin(x)); d > 4e-16 {
			t.Errorf("sine of %v is off by %v", x, d)
		}
		if c := nearlyParallel * float64(i-500) / 500; math.Abs(arccosine(c)-math.Acos(c)) > 1e-14 {
			t.Errorf("arccosine of %v is %v, want %v", c, arccosine(c), math.Acos(c))
		}
	}
	for _, c := range []float64{-1, -0.99999, -0.9996, 0.9996, 0.99999, 1 - 1e-12, 1} {
		if d := math.Abs(arccosine(c) - math.Acos(c)); d > 1e-14 {
			t.Errorf("arccosine of %v is off by %v", c, d)
		}
	}
}

func TestExponentialAndLogarithm(t *testing.T) {
	for i := range 4001 {
		x := -float64(i) / 100
		if want := math.Exp(x); math.Abs(exponential(x)-want) > 4e-16*want {
			t.Errorf("exponential of %v is %v, want %v", x, exponential(x), want)
		}
		y := math.Exp(float64(i-2000) / 700)
		if want := math.Log(y); math.Abs(logarithm(y)-want) > 4e-16*max(math.Abs(want), 0.1) {
			t.Errorf("logarithm of %v is %v, want %v", y, logarithm(y), want)
		}
	}
	if exponential(0) != 1 || logarithm(1) != 0 || exponential(-1000) != 0 {
		t.Errorf("at the ends: %v, %v, %v, want 1, 0, 0", exponential(0), logarithm(1), exponential(-1000))
	}
}

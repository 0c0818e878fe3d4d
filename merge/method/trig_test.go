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
}

package pareto

import (
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// ballJacobian are the derivatives of f_i = 1 − x_i for i < n and f_n = Σ x²: every x is on the front,
// whose normal there is (2x_0, …, 2x_{n−1}, 1).
func ballJacobian(x []float64) *mat.Dense {
	n := len(x)
	j := mat.NewDense(n+1, n, nil)
	for i, v := range x {
		j.Set(i, i, -1)
		j.Set(n, i, 2*v)
	}
	return j
}

func unitBox(d int) Bounds {
	var b Bounds
	for range d {
		b.Lo, b.Hi = append(b.Lo, 0), append(b.Hi, 1)
	}
	return b
}

func TestRatesOnKnownNormals(t *testing.T) {
	x := []float64{0.2, 0.5}
	normal := []float64{0.4, 1, 1} // λ_i falls as λ_j rises: Σ λ df = 0
	r, err := Rates(unitBox(2), x, ballJacobian(x), nil)
	if err != nil {
		t.Fatal(err)
	}
	size := dot(normal, normal)
	for i := range 3 {
		for k := range 3 {
			want := normal[i] * normal[k] / (size - normal[i]*normal[i])
			if i == k {
				want = -1
			}
			if got := r.At(i, k); !near(got, want, 1e-6) {
				t.Errorf("rate (%d, %d) is %v, want %v", i, k, got, want)
			}
		}
	}
}

func TestRatesOfTwoAreSlopes(t *testing.T) {
	// f = (x², (1−x)²): df₂/df₁ = −(1−x)/x, and a third row 3x that only follows.
	const x = 0.3
	j := mat.NewDense(3, 1, []float64{2 * x, -2 * (1 - x), 3})
	r, err := Rates(unitBox(1), []float64{x}, j, []float64{1, 10})
	if err != nil {
		t.Fatal(err)
	}
	slope := (1 - x) / x
	for _, c := range []struct {
		i, k int
		want float64
	}{{0, 0, -1}, {0, 1, slope}, {0, 2, -3 / (2 * x)}, {1, 0, 1 / slope}, {1, 1, -1}, {1, 2, 3 / (2 * (1 - x))}} {
		if got := r.At(c.i, c.k); !near(got, c.want, 1e-6) {
			t.Errorf("rate (%d, %d) is %v, want %v", c.i, c.k, got, c.want)
		}
	}
}

func TestRatesWithBounds(t *testing.T) {
	// The first variable is at its bound, so that only the second can move.
	x := []float64{0, 0.5}
	r, err := Rates(unitBox(2), x, ballJacobian(x), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(r.At(0, 1)) || !near(r.At(1, 2), 1, 1e-9) {
		t.Errorf("rates at a bound: %v", mat.Formatted(r))
	}
	// Proportions: f_i = −x_i, so what one gains the others lose in equal parts.
	b := unitBox(3)
	b.Simplex = [][]int{{0, 1, 2}}
	j := mat.NewDense(3, 3, []float64{-1, 0, 0, 0, -1, 0, 0, 0, -1})
	if r, err = Rates(b, []float64{0.2, 0.3, 0.5}, j, nil); err != nil {
		t.Fatal(err)
	}
	if !near(r.At(0, 1), 0.5, 1e-9) || !near(r.At(0, 2), 0.5, 1e-9) {
		t.Errorf("rates of proportions: %v", mat.Formatted(r))
	}
}

func TestMultipliers(t *testing.T) {
	x := []float64{0.2, 0.5}
	w := multipliers(unitBox(2).tangent(x, ballJacobian(x)))
	for i, v := range []float64{0.4 / 2.4, 1 / 2.4, 1 / 2.4} {
		if !near(w[i], v, 1e-6) {
			t.Errorf("weights %v", w)
		}
	}
	if length := ShortestCombination(unitBox(2), x, ballJacobian(x)); length > 1e-6 {
		t.Errorf("length %v at a critical point", length)
	}
	if length := ShortestCombination(unitBox(1), []float64{0.5}, mat.NewDense(2, 1, []float64{1, 2})); length != 1 {
		t.Errorf("length %v where both objectives fall, want 1", length)
	}
}

func TestRatesBadInput(t *testing.T) {
	j := mat.NewDense(2, 2, nil)
	if _, err := Rates(unitBox(1), []float64{0}, j, nil); !errors.Is(err, BadProblem) {
		t.Errorf("too few variables: %v", err)
	}
	if _, err := Rates(unitBox(2), []float64{0, 0}, j, []float64{1, 1, 1}); !errors.Is(err, BadProblem) {
		t.Errorf("too many units: %v", err)
	}
	if _, err := Rates(unitBox(3), []float64{0, 0, 0}, j, nil); !errors.Is(err, BadProblem) {
		t.Errorf("too many variables: %v", err)
	}
	r, err := Rates(unitBox(2), []float64{0.5, 0.5}, j, nil)
	if err != nil || !math.IsNaN(r.At(0, 0)) {
		t.Errorf("of constants: %v, %v", r, err)
	}
}

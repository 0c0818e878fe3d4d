package pareto

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// bowls are m quadratic objectives with minima at corners of the box.
func bowls(m, d int) Problem {
	at := func(k, i int) float64 { return float64((k >> i) & 1) }
	p := Problem{M: m}
	for range d {
		p.Lo, p.Hi = append(p.Lo, 0), append(p.Hi, 1)
	}
	p.Eval = func(dst, x []float64) {
		for k := range dst {
			dst[k] = 0
			for i, v := range x {
				dst[k] += (1 + float64(i)/2) * (v - at(k+1, i)) * (v - at(k+1, i))
			}
		}
	}
	p.Jacobian = func(dst *mat.Dense, x []float64) {
		for k := range m {
			for i, v := range x {
				dst.Set(k, i, 2*(1+float64(i)/2)*(v-at(k+1, i)))
			}
		}
	}
	return p
}

func TestFrontIsDeterministic(t *testing.T) {
	for _, p := range []Problem{bowls(2, 3), bowls(4, 4)} {
		xs, fs, err := Front(context.Background(), p, FrontOptions{N: 60, Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(xs) != 60 || len(NonDominated(fs)) != 60 {
			t.Errorf("%d points, %d non-dominated: want 60", len(xs), len(NonDominated(fs)))
		}
		for _, x := range xs {
			if !p.Contains(x, 0) {
				t.Errorf("%v is out of bounds", x)
			}
		}
		again, _, err := Front(context.Background(), p, FrontOptions{N: 60, Workers: 3})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(xs, again, slices.Equal) {
			t.Error("the number of workers changes the front")
		}
	}
}

func TestFrontBadInput(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	good := bowls(2, 2)
	for _, c := range []struct {
		name string
		p    Problem
		o    FrontOptions
		want Code
	}{
		{"no bounds", Problem{M: 1, Eval: good.Eval}, FrontOptions{}, BadProblem},
		{"no objectives", Problem{Bounds: good.Bounds}, FrontOptions{}, BadProblem},
		{"too many points", good, FrontOptions{N: 2001}, BadOption},
		{"short start", good, FrontOptions{Starts: [][]float64{{1}}}, BadOption},
		{"never a number", Problem{Bounds: good.Bounds, M: 1, Eval: func(dst, _ []float64) { dst[0] = math.NaN() }}, FrontOptions{}, NotANumber},
		{"never feasible", good, FrontOptions{Feasible: func([]float64) float64 { return 1 }}, Infeasible},
	} {
		_, _, err := Front(ctx, c.p, c.o)
		var e *Error
		if !errors.As(err, &e) || e.Code != c.want {
			t.Errorf("%s: %v, want code %s", c.name, err, c.want)
		}
	}
	cancel()
	if _, _, err := Front(ctx, good, FrontOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

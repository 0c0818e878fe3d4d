package problems

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"parfait/pareto"
)

func all() []Problem {
	return []Problem{
		ZDT1(30), ZDT2(30), ZDT3(30), ZDT4(10),
		DTLZ1(3, 7), DTLZ2(3, 12), DTLZ2(5, 14), DTLZ3(3, 12), DTLZ4(3, 12), DTLZ7(3, 22), DTLZ7(2, 6),
		Distances([]float64{0.2, 0.2}, []float64{0.8, 0.3}, []float64{0.5, 0.9}), Proportions(4),
	}
}

func TestJacobiansAgainstDifferences(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, p := range all() {
		d := len(p.Lo)
		x, up, down := make([]float64, d), make([]float64, p.M), make([]float64, p.M)
		jac := mat.NewDense(p.M, d, nil)
		for range 5 {
			for i := range x {
				x[i] = p.Lo[i] + (0.1+0.85*rng.Float64())*(p.Hi[i]-p.Lo[i])
			}
			p.Jacobian(jac, x)
			for j := range x {
				const h = 1e-6
				v := x[j]
				x[j] = v + h
				p.Eval(up, x)
				x[j] = v - h
				p.Eval(down, x)
				x[j] = v
				for i := range up {
					want := (up[i] - down[i]) / (2 * h)
					if got := jac.At(i, j); math.Abs(got-want) > 1e-5*max(1, math.Abs(want), math.Abs(up[i])) {
						t.Errorf("%s: ∂f%d/∂x%d is %v, by differences %v", p.Name, i, j, got, want)
					}
				}
			}
		}
	}
}

func TestFrontsAreFronts(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, p := range all() {
		front := p.Front(100)
		if len(front) < 50 || len(front[0]) != p.M {
			t.Errorf("%s: %d points of %d objectives", p.Name, len(front), len(front[0]))
		}
		if n := len(pareto.NonDominated(front)); n != len(front) {
			t.Errorf("%s: only %d of %d points are non-dominated", p.Name, n, len(front))
		}
		x, f := make([]float64, len(p.Lo)), make([]float64, p.M)
		for range 300 {
			for i := range x {
				x[i] = p.Lo[i] + rng.Float64()*(p.Hi[i]-p.Lo[i])
			}
			p.Project(x)
			p.Eval(f, x)
			for k := range f {
				f[k] += 1e-9 // what rounding may gain
			}
			for _, q := range front {
				if pareto.Dominates(f, q) {
					t.Fatalf("%s: %v at %v dominates %v of the front", p.Name, f, x, q)
				}
			}
		}
	}
}

func TestKnownValues(t *testing.T) {
	x := []float64{.1, .2, .3, .4, .5}
	for _, c := range []struct {
		p    Problem
		want []float64
	}{
		{DTLZ1(3, 5), []float64{.06, .24, 2.7}},
		{DTLZ2(3, 5), []float64{.98631, .32047, .16426}},
	} {
		f := make([]float64, 3)
		c.p.Eval(f, x)
		for k, v := range f {
			if math.Abs(v-c.want[k]) > 1e-5 {
				t.Errorf("%s at %v is %v, want %v", c.p.Name, x, f, c.want)
			}
		}
	}
}

func TestLargestHypervolumes(t *testing.T) {
	for _, c := range []struct {
		p               Problem
		ref, want, lack float64
	}{
		{ZDT1(2), 11, 120 + 2./3, 1e-3},
		{ZDT2(2), 11, 120 + 1./3, 1e-3},
		{ZDT3(2), 11, 128.778116, 1e-3},
		{DTLZ2(3, 3), 1.1, 0.807401, 5e-3},
	} {
		front := c.p.Front(20000)
		got := pareto.Hypervolume(front, slices.Repeat([]float64{c.ref}, c.p.M))
		if got > c.want+1e-6 || got < c.want-c.lack {
			t.Errorf("%s: hypervolume %v, want a little below %v", c.p.Name, got, c.want)
		}
	}
}

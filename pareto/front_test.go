package pareto_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync/atomic"
	"testing"

	"gonum.org/v1/gonum/mat"

	"parfait/pareto"
	"parfait/pareto/problems"
	"parfait/problem"
)

// corners are three targets in three dimensions; the Pareto set is the triangle between them.
func corners() problems.Problem {
	return problems.Distances([]float64{1, 0, 0}, []float64{0, 1, 0}, []float64{0, 0, 1})
}

func front(t *testing.T, p pareto.Problem, o pareto.FrontOptions) (xs, fs [][]float64) {
	t.Helper()
	xs, fs, err := pareto.Front(context.Background(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	return xs, fs
}

func TestFrontReachesFronts(t *testing.T) {
	for _, c := range []struct {
		p   problems.Problem
		n   int
		igd float64 // IGD+ to 1,000 points of the front, about a quarter above what is reached
	}{
		{problems.ZDT1(30), 100, 3.2e-3},
		{problems.ZDT2(30), 100, 3e-3},
		{problems.ZDT3(10), 100, 2.2e-3},
		{problems.DTLZ2(3, 12), 200, 2.3e-2},
		{problems.DTLZ7(3, 22), 200, 2.4e-2},
		{corners(), 200, 3.5e-2},
		{problems.Proportions(3), 200, 3.5e-2},
		{problems.Proportions(5), 300, 0.12},
	} {
		xs, fs := front(t, c.p.Problem, pareto.FrontOptions{N: c.n, Seed: 1})
		got := pareto.IGDPlus(fs, c.p.Front(1000))
		t.Logf("%s: %d points, IGD+ %.2g", c.p.Name, len(fs), got)
		if got > c.igd {
			t.Errorf("%s: IGD+ %v, want below %v", c.p.Name, got, c.igd)
		}
		if n := len(pareto.NonDominated(fs)); n != len(fs) || n > c.n || n < c.n*9/10 {
			t.Errorf("%s: %d points, %d non-dominated, want about %d", c.p.Name, len(fs), n, c.n)
		}
		f := make([]float64, c.p.M)
		for i, x := range xs {
			if !c.p.Contains(x, 1e-12) {
				t.Errorf("%s: %v is out of bounds", c.p.Name, x)
			}
			if c.p.Eval(f, x); !slices.Equal(f, fs[i]) {
				t.Errorf("%s: %v at %v, said to be %v", c.p.Name, f, x, fs[i])
			}
			if i > 0 && slices.Compare(fs[i-1], fs[i]) > 0 {
				t.Errorf("%s: rows %d and %d are out of order", c.p.Name, i-1, i)
			}
		}
	}
}

// TestFrontEqualsNSGA3 holds the promise of a tenth: on surrogates' landscapes the front covers what
// NSGA-III finds with at least ten times the evaluations, and as much volume.
func TestFrontEqualsNSGA3(t *testing.T) {
	for _, m := range []int{2, 3, 4} {
		p := kriged(m, m, 40, 1)
		var n atomic.Int64
		eval, both := p.Eval, p.EvalJacobian
		p.Eval = func(dst, x []float64) { n.Add(1); eval(dst, x) }
		p.EvalJacobian = func(dst []float64, jac *mat.Dense, x []float64) { n.Add(2); both(dst, jac, x) }
		_, fs := front(t, p, pareto.FrontOptions{N: 80, Seed: 1})
		spent := n.Swap(0)
		_, ns, err := pareto.NSGA3(context.Background(), p, pareto.NSGA3Options{Directions: pareto.Directions(m, 80), Generations: 250})
		if err != nil {
			t.Fatal(err)
		}
		ref := slices.Repeat([]float64{0.1}, m)
		ours, theirs := pareto.Hypervolume(fs, ref), pareto.Hypervolume(ns, ref)
		t.Logf("%d objectives: hypervolume %.4f from %d, NSGA-III %.4f from %d; IGD+ to each other %.4f, %.4f", m, ours, spent, theirs, n.Load(), pareto.IGDPlus(fs, ns), pareto.IGDPlus(ns, fs))
		if n.Load() < 10*spent {
			t.Errorf("%d objectives: %d evaluations, NSGA-III %d", m, spent, n.Load())
		}
		if ours < 0.995*theirs {
			t.Errorf("%d objectives: hypervolume %v, NSGA-III %v", m, ours, theirs)
		}
	}
}

func TestFrontIsCritical(t *testing.T) {
	p := kriged(3, 5, 40, 2)
	xs, fs := front(t, p, pareto.FrontOptions{N: 60})
	jac := mat.NewDense(3, 5, nil)
	var lengths []float64
	for _, x := range xs {
		p.Jacobian(jac, x)
		length := pareto.ShortestCombination(p.Bounds, x, jac)
		lengths = append(lengths, length/mat.Norm(jac, 2))
	}
	slices.Sort(lengths)
	if v := lengths[len(fs)*9/10]; v > 0.06 {
		t.Errorf("nine tenths of the points are critical to %v of their gradients", v)
	}
}

func TestFrontWithinFeasible(t *testing.T) {
	p := corners()
	sum := func(x []float64) float64 { return x[0] + x[1] + x[2] }
	square := func(x []float64) float64 { return x[0]*x[0] + x[1]*x[1] + x[2]*x[2] }
	for _, c := range []struct {
		name     string
		feasible func(x []float64) float64
	}{
		// The targets and all between them lie beyond either, so that the whole front is at the boundary.
		{"plane", func(x []float64) float64 { return sum(x) - 0.6 }},
		{"ball", func(x []float64) float64 { return square(x) - 0.25 }},
	} {
		var asked atomic.Int64
		xs, fs := front(t, p.Problem, pareto.FrontOptions{N: 150, Feasible: func(x []float64) float64 {
			asked.Add(1)
			return c.feasible(x)
		}})
		if len(xs) < 140 {
			t.Errorf("%s: %d points, want 150", c.name, len(xs))
		}
		for _, x := range xs {
			if v := c.feasible(x); v > 0 || v < -5e-3 {
				t.Errorf("%s: %v is %v from the boundary", c.name, x, v)
			}
		}
		// The nearest points of the region to the targets are 0.4 and 0.5 away from them.
		least := []float64{math.Inf(1), math.Inf(1), math.Inf(1)}
		for _, f := range fs {
			for k, v := range f {
				least[k] = min(least[k], v)
			}
		}
		for _, v := range least {
			if want := map[string]float64{"plane": 0.16, "ball": 0.25}[c.name]; math.Abs(v-want) > 5e-3 {
				t.Errorf("%s: the ends of the front are at %v, want %v", c.name, least, want)
			}
		}
		if n := asked.Load(); n > 1500 {
			t.Errorf("%s: Feasible was asked %d times", c.name, n)
		}
	}
}

func TestFrontDoesNotAskFeasibleMuch(t *testing.T) {
	var asked atomic.Int64
	_, fs := front(t, corners().Problem, pareto.FrontOptions{N: 100, Feasible: func([]float64) float64 {
		asked.Add(1)
		return -1
	}})
	if n := asked.Load(); n > int64(3*len(fs)) {
		t.Errorf("Feasible, which accepts everything, was asked %d times for %d points", n, len(fs))
	}
}

func TestFrontIsDeterministic(t *testing.T) {
	for _, p := range []pareto.Problem{kriged(2, 3, 20, 1), kriged(4, 4, 20, 1), problems.Proportions(4).Problem} {
		o := pareto.FrontOptions{N: 60, Seed: 4, Workers: 1, Feasible: func(x []float64) float64 { return x[0] - 0.7 }}
		xs, _ := front(t, p, o)
		o.Workers = 3
		if again, _ := front(t, p, o); !slices.EqualFunc(xs, again, slices.Equal) {
			t.Errorf("%d objectives: the number of workers changes the front", p.M)
		}
	}
}

func TestFrontWithoutDerivatives(t *testing.T) {
	p := corners().Problem
	p.Jacobian = nil
	_, fs := front(t, p, pareto.FrontOptions{N: 100})
	if got := pareto.IGDPlus(fs, corners().Front(1000)); got > 0.05 {
		t.Errorf("IGD+ %v", got)
	}
}

func TestFrontOfOddProblems(t *testing.T) {
	box := func(d int) (b pareto.Bounds) {
		for range d {
			b.Lo, b.Hi = append(b.Lo, -1), append(b.Hi, 1)
		}
		return b
	}
	fixed := box(2)
	fixed.Lo[1], fixed.Hi[1] = 0.5, 0.5
	for _, c := range []struct {
		name string
		p    pareto.Problem
		want func(xs, fs [][]float64) bool
	}{
		{
			"one objective",
			pareto.Problem{Bounds: box(2), M: 1, Eval: func(f, x []float64) { f[0] = (x[0]-0.3)*(x[0]-0.3) + x[1]*x[1] }},
			func(xs, _ [][]float64) bool { return len(xs) == 1 && math.Abs(xs[0][0]-0.3) < 1e-2 },
		},
		{
			"constants",
			pareto.Problem{Bounds: box(2), M: 2, Eval: func(f, _ []float64) { f[0], f[1] = 1, 2 }},
			func(_, fs [][]float64) bool { return len(fs) == 1 },
		},
		{
			"one constant among two",
			pareto.Problem{Bounds: box(2), M: 2, Eval: func(f, x []float64) { f[0], f[1] = x[0], 2 }},
			func(xs, _ [][]float64) bool { return len(xs) == 1 && xs[0][0] == -1 },
		},
		{
			"the same twice",
			pareto.Problem{Bounds: box(2), M: 2, Eval: func(f, x []float64) { f[0], f[1] = x[0]-x[1], x[0]-x[1] }},
			func(xs, _ [][]float64) bool { return len(xs) == 1 && xs[0][0] == -1 && xs[0][1] == 1 },
		},
		{
			"a variable that is fixed and one that does nothing",
			pareto.Problem{Bounds: fixed, M: 2, Eval: func(f, x []float64) { f[0], f[1] = x[0]*x[0], (x[0]-1)*(x[0]-1) }},
			func(xs, _ [][]float64) bool { return len(xs) > 90 && xs[0][1] == 0.5 },
		},
		{
			"NaN in half of the box",
			pareto.Problem{Bounds: box(1), M: 2, Eval: func(f, x []float64) {
				f[0], f[1] = x[0]*x[0], (x[0]-1)*(x[0]-1)
				if x[0] > 0.5 {
					f[1] = math.NaN()
				}
			}},
			func(xs, _ [][]float64) bool { return len(xs) > 90 && xs[len(xs)-1][0] > 0.49 },
		},
		{
			"one dimension, a single point",
			pareto.Problem{Bounds: pareto.Bounds{Lo: []float64{2}, Hi: []float64{2}}, M: 2, Eval: func(f, x []float64) { f[0], f[1] = x[0], -x[0] }},
			func(xs, _ [][]float64) bool { return len(xs) == 1 && xs[0][0] == 2 },
		},
		{
			"twelve objectives",
			func() pareto.Problem { return kriged(12, 4, 20, 1) }(),
			func(xs, _ [][]float64) bool { return len(xs) == 100 },
		},
		{
			"sixty-four variables",
			problems.ZDT1(64).Problem,
			func(xs, _ [][]float64) bool { return len(xs) == 100 },
		},
	} {
		xs, fs := front(t, c.p, pareto.FrontOptions{})
		if !c.want(xs, fs) {
			t.Errorf("%s: %d points, from %v to %v", c.name, len(xs), xs[0], xs[len(xs)-1])
		}
	}
}

func TestFrontBadInput(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	good := corners().Problem
	upsideDown := pareto.Bounds{Lo: []float64{1, 0, 0}, Hi: []float64{0, 1, math.Inf(1)}, Simplex: [][]int{{1, 1}, {9}, {}}}
	for _, c := range []struct {
		name     string
		p        pareto.Problem
		o        pareto.FrontOptions
		want     pareto.Code
		problems int
	}{
		{"no bounds", pareto.Problem{M: 1, Eval: good.Eval}, pareto.FrontOptions{}, pareto.BadProblem, 1},
		{"no objectives and no functions", pareto.Problem{Bounds: good.Bounds}, pareto.FrontOptions{}, pareto.BadProblem, 2},
		{"bounds that are wrong in every way", pareto.Problem{Bounds: upsideDown, M: 1, Eval: good.Eval}, pareto.FrontOptions{}, pareto.BadProblem, 5},
		{"too many points", good, pareto.FrontOptions{N: 2001}, pareto.BadOption, 1},
		{"starts", good, pareto.FrontOptions{Starts: [][]float64{{1}, {1, 1, math.NaN()}}}, pareto.BadOption, 2},
		{"never a number", pareto.Problem{Bounds: good.Bounds, M: 1, Eval: func(dst, _ []float64) { dst[0] = math.NaN() }}, pareto.FrontOptions{}, pareto.NotANumber, 1},
		{"never feasible", good, pareto.FrontOptions{Feasible: func([]float64) float64 { return math.NaN() }}, pareto.Infeasible, 1},
	} {
		_, _, err := pareto.Front(ctx, c.p, c.o)
		if problem.CodeOf(err) != c.want || len(problemsOf(err)) != c.problems {
			t.Errorf("%s: %v, want %d problems with code %s", c.name, err, c.problems, c.want)
		}
	}
	cancel()
	if _, _, err := pareto.Front(ctx, good, pareto.FrontOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// problemsOf is all that is wrong.
func problemsOf(err error) problem.List {
	var l problem.List
	errors.As(err, &l)
	return l
}

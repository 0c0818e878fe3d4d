package pareto_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"parfait/pareto"
	"parfait/pareto/problems"
	"parfait/problem"
)

func TestNSGA3ReachesFronts(t *testing.T) {
	for _, c := range []struct {
		p           problems.Problem
		generations int
		igd         float64 // twice what the median of many seeds has
	}{
		{problems.DTLZ2(3, 7), 150, 4e-3},
		{problems.Proportions(3), 100, 0.2},
		{problems.ZDT1(6), 150, 8e-3},
	} {
		o := pareto.NSGA3Options{Generations: c.generations, Seed: 1, Directions: pareto.DasDennis(c.p.M, 12)}
		if c.p.M == 2 {
			o.Directions = pareto.DasDennis(2, 91)
		}
		xs, fs, err := pareto.NSGA3(context.Background(), c.p.Problem, o)
		if err != nil {
			t.Fatal(err)
		}
		if got := pareto.IGD(fs, c.p.Front(91)); got > c.igd {
			t.Errorf("%s: IGD %v, want below %v", c.p.Name, got, c.igd)
		}
		for _, x := range xs {
			if !c.p.Contains(x, 1e-12) {
				t.Errorf("%s: %v is out of bounds", c.p.Name, x)
			}
		}
	}
}

func TestNSGA3IsDeterministic(t *testing.T) {
	p := problems.DTLZ2(4, 8).Problem
	o := pareto.NSGA3Options{Generations: 10, Seed: 3, Workers: 1, Directions: pareto.Directions(4, 60)}
	xs, _, err := pareto.NSGA3(context.Background(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Workers = 4
	again, _, err := pareto.NSGA3(context.Background(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(xs, again, slices.Equal) {
		t.Error("the number of workers changes the result")
	}
}

func TestEvolutionTakesAnything(t *testing.T) {
	p := problems.DTLZ2(3, 5)
	v, err := pareto.NewEvolution(p.Bounds, 3, pareto.NSGA3Options{Population: 12, Starts: [][]float64{{2, 0.1, 0.1, 0.1, 0.1}}})
	if err != nil {
		t.Fatal(err)
	}
	v.Tell(nil, nil)
	first := v.Ask(5)
	if len(first) != 5 || first[0][0] != 1 {
		t.Fatalf("the first generation is %v, want the start, moved into the bounds", first)
	}
	nan := math.NaN()
	v.Tell(first, [][]float64{{nan, 1, 1}, {1}, {3, 2, 1}, {1, 2, 3}})
	if xs, fs := v.Population(); len(xs) != 2 || !slices.Equal(fs[0], []float64{3, 2, 1}) {
		t.Fatalf("the population is %v, want the two with numbers", fs)
	}
	for range 20 {
		xs := v.Ask(7)
		if len(xs) != 7 {
			t.Fatalf("%d points, want 7", len(xs))
		}
		fs := make([][]float64, len(xs))
		for i, x := range xs {
			if !p.Contains(x, 0) {
				t.Fatalf("%v is out of bounds", x)
			}
			fs[i] = make([]float64, 3)
			p.Eval(fs[i], x)
		}
		v.Tell(xs, fs)
	}
	if xs, _ := v.Population(); len(xs) != 12 {
		t.Errorf("%d survive, want 12", len(xs))
	}
	if v.Ask(0) != nil {
		t.Error("asked for nothing, got something")
	}
}

func TestEvolutionOnAPoint(t *testing.T) {
	// Bounds without room: offspring can only be copies.
	v, err := pareto.NewEvolution(pareto.Bounds{Lo: []float64{1}, Hi: []float64{1}}, 1, pareto.NSGA3Options{Population: 4})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		xs := v.Ask(3)
		if len(xs) != 3 || xs[2][0] != 1 {
			t.Fatalf("asked for three, got %v", xs)
		}
		v.Tell(xs, [][]float64{{1}, {1}, {1}})
	}
}

func TestNSGA3BadInput(t *testing.T) {
	good := problems.ZDT1(3).Problem
	for _, c := range []struct {
		name string
		p    pareto.Problem
		o    pareto.NSGA3Options
		want pareto.Code
	}{
		{"no functions", pareto.Problem{Bounds: good.Bounds, M: 2}, pareto.NSGA3Options{}, pareto.BadProblem},
		{"a direction of three", good, pareto.NSGA3Options{Directions: [][]float64{{1, 0, 0}}}, pareto.BadOption},
		{"a direction to nowhere", good, pareto.NSGA3Options{Directions: [][]float64{{0, 0}}}, pareto.BadOption},
		{"a start of one", good, pareto.NSGA3Options{Starts: [][]float64{{1}}}, pareto.BadOption},
		{"negative settings", good, pareto.NSGA3Options{Mutation: -1}, pareto.BadOption},
		{"never a number", pareto.Problem{Bounds: good.Bounds, M: 1, Eval: func(dst, _ []float64) { dst[0] = math.Inf(1) }}, pareto.NSGA3Options{Generations: 1, Population: 4}, pareto.NotANumber},
	} {
		_, _, err := pareto.NSGA3(context.Background(), c.p, c.o)
		if problem.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want code %s", c.name, err, c.want)
		}
	}
}

func TestDirections(t *testing.T) {
	for _, c := range []struct {
		name string
		r    [][]float64
		want int
	}{
		{"3, 12", pareto.DasDennis(3, 12), 91},
		{"5, 6", pareto.DasDennis(5, 6), 210},
		{"two layers of 5: 6 and 3", pareto.DasDennisLayers(5, 6, 3), 245},
		{"8: 3 and 2", pareto.Directions(8, 156), 156},
		{"3 at most 100", pareto.Directions(3, 100), 91},
		{"one objective", pareto.Directions(1, 5), 1},
		{"fewer than axes", pareto.Directions(4, 1), 4},
		{"none", pareto.DasDennis(0, 3), 0},
	} {
		if len(c.r) != c.want {
			t.Errorf("%s: %d directions, want %d", c.name, len(c.r), c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		m, p := rapid.IntRange(1, 6).Draw(t, "m"), rapid.IntRange(1, 6).Draw(t, "p")
		r := pareto.DasDennis(m, p)
		for i, d := range r {
			sum := 0.0
			for _, v := range d {
				sum += v
				if v < 0 {
					t.Fatalf("%v has a negative entry", d)
				}
			}
			if math.Abs(sum-1) > 1e-12 {
				t.Fatalf("%v sums to %v", d, sum)
			}
			if i > 0 && slices.Compare(r[i-1], d) >= 0 {
				t.Fatalf("%v after %v: not in order, or twice", d, r[i-1])
			}
		}
	})
}

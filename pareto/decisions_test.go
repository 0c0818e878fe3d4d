package pareto

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestAchievement(t *testing.T) {
	ideal, nadir := []float64{0, 0}, []float64{1, 2}
	for _, c := range []struct {
		f, aspiration []float64
		want          float64
	}{
		{[]float64{0.5, 1}, []float64{0.5, 1}, 0},
		{[]float64{0.6, 1}, []float64{0.5, 1}, 0.1 + 1e-6*0.1},
		{[]float64{0.4, 0.8}, []float64{0.5, 1}, -0.1 - 1e-6*0.2},
	} {
		if got := Achievement(c.f, c.aspiration, ideal, nadir); math.Abs(got-c.want) > 2e-7 {
			t.Errorf("%v towards %v: %v, want %v", c.f, c.aspiration, got, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	fs := [][]float64{{0, 4}, {1, 2}, {2, 1}, {4, 0}, {4, 4}}
	for _, c := range []struct {
		aspiration []float64
		want       int
	}{
		{[]float64{0, 4}, 0},
		{[]float64{1, 2}, 1},
		{[]float64{2, 1}, 2},
		{[]float64{9, -1}, 3},
		{[]float64{math.NaN(), 1}, 3}, // nothing asked of the first: the best of the second
		{[]float64{math.NaN(), math.NaN()}, 0},
		{[]float64{1}, -1},
	} {
		if got := Nearest(fs, c.aspiration); got != c.want {
			t.Errorf("towards %v: %d, want %d", c.aspiration, got, c.want)
		}
	}
	if got := Nearest(nil, []float64{1}); got != -1 {
		t.Errorf("of nothing: %d", got)
	}
}

func TestNearestOfAFrontPointIsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fs := sphere(rapid.Uint64().Draw(t, "seed"), 25, rapid.IntRange(2, 5).Draw(t, "objectives"))
		for i, f := range fs {
			if got := Nearest(fs, f); got != i {
				t.Fatalf("the nearest of row %d is %d", i, got)
			}
		}
	})
}

func TestFloors(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	fs := [][]float64{{0, 9, 5}, {1, 5, 5}, {5, 1, 5}, {nan, 0, 0}, {9, 0, 5}}
	for _, c := range []struct {
		name     string
		limits   []float64
		want     []int
		costlier int
	}{
		{"all", []float64{9, 9, 9}, []int{0, 1, 2, 4}, -1},
		{"none asked for", []float64{nan, inf, nan}, []int{0, 1, 2, 4}, -1},
		{"some", []float64{5, 5, 5}, []int{1, 2}, -1},
		{"the second frees two", []float64{1, 1, 5}, nil, 0},
		{"one that nothing satisfies", []float64{5, 5, 4}, nil, 2},
		{"none helps alone: the nearest", []float64{-9, 1, 4}, nil, 0},
		{"another length", []float64{1}, nil, -1},
	} {
		if got := Satisfying(fs, c.limits); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if got := CostliestLimit(fs, c.limits); got != c.costlier {
			t.Errorf("%s: costliest %d, want %d", c.name, got, c.costlier)
		}
	}
}

func TestCostliestLimitAgainstDropping(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fs := grid(5, 2, 4).Draw(t, "fs")
		limits := make([]float64, len(fs[0]))
		for k := range limits {
			limits[k] = float64(rapid.IntRange(0, 5).Draw(t, "limit"))
		}
		got := CostliestLimit(fs, limits)
		if len(Satisfying(fs, limits)) > 0 {
			if got != -1 {
				t.Fatalf("%d where rows satisfy all", got)
			}
			return
		}
		helped := func(k int) int {
			dropped := slices.Clone(limits)
			dropped[k] = math.Inf(1)
			return len(Satisfying(fs, dropped))
		}
		for k := range limits {
			if helped(k) > helped(got) {
				t.Fatalf("limit %d frees %d rows, %d only %d", k, helped(k), got, helped(got))
			}
		}
	})
}

func TestLexicographic(t *testing.T) {
	fs := [][]float64{{0, 100}, {1, 40}, {4, 10}, {10, 0}, {10, 100}}
	for _, c := range []struct {
		name string
		got  int
		want int
	}{
		{"the first objective first", Lexicographic(fs, []int{0, 1}, nil), 0},
		{"with slack", Lexicographic(fs, []int{0, 1}, []float64{4}), 2},
		{"the second first", Lexicographic(fs, []int{1, 0}, nil), 3},
		{"objectives that are not there", Lexicographic(fs, []int{7, -1}, nil), 0},
		{"of nothing", Lexicographic(nil, []int{0}, nil), -1},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", c.name, c.got, c.want)
		}
	}
}

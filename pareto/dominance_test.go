package pareto

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// slowRanks takes fronts off by comparing all pairs.
func slowRanks(points [][]float64) []int {
	out := make([]int, len(points))
	for i, p := range points {
		if out[i] = -1; orderable(p, len(points[0])) {
			out[i] = math.MaxInt
		}
	}
	for rank := 0; slices.Contains(out, math.MaxInt); rank++ {
		var front []int
		for i, p := range points {
			if out[i] != math.MaxInt {
				continue
			}
			dominated := false
			for j, q := range points {
				dominated = dominated || (out[j] == math.MaxInt && Dominates(q, p))
			}
			if !dominated {
				front = append(front, i)
			}
		}
		for _, i := range front {
			out[i] = rank
		}
	}
	return out
}

// slowFront is the first of equal points that no other dominates.
func slowFront(points [][]float64) []int {
	var out []int
	for i, r := range slowRanks(points) {
		if r == 0 && !slices.ContainsFunc(points[:i], func(q []float64) bool { return slices.Equal(q, points[i]) }) {
			out = append(out, i)
		}
	}
	return out
}

// grid draws points whose entries often tie.
func grid(levels, least, most int) *rapid.Generator[[][]float64] {
	return rapid.Custom(func(t *rapid.T) [][]float64 {
		m := rapid.IntRange(least, most).Draw(t, "objectives")
		n := rapid.IntRange(1, 90).Draw(t, "points")
		out := make([][]float64, n)
		for i := range out {
			out[i] = make([]float64, m)
			for k := range out[i] {
				out[i][k] = float64(rapid.IntRange(0, levels).Draw(t, "v"))
			}
		}
		return out
	})
}

// cube is n random points of m objectives in the unit cube.
func cube(seed uint64, n, m int) [][]float64 {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, m)
		for k := range out[i] {
			out[i][k] = rng.Float64()
		}
	}
	return out
}

// sphere is n random points on the concave unit sphere.
func sphere(seed uint64, n, m int) [][]float64 {
	rng := rand.New(rand.NewPCG(seed, 2))
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, m)
		sum := 0.0
		for k := range out[i] {
			out[i][k] = math.Abs(rng.NormFloat64())
			sum += out[i][k] * out[i][k]
		}
		for k := range out[i] {
			out[i][k] /= math.Sqrt(sum)
		}
	}
	return out
}

func TestDominates(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		a, b []float64
		want bool
	}{
		{[]float64{1, 1}, []float64{1, 2}, true},
		{[]float64{1, 1}, []float64{1, 1}, false},
		{[]float64{1, 2}, []float64{2, 1}, false},
		{[]float64{1, 1}, []float64{1, 1, 1}, false},
		{[]float64{nan, 1}, []float64{2, 2}, false},
		{[]float64{1, 1}, []float64{2, nan}, false},
		{[]float64{math.Inf(-1), 1}, []float64{0, 1}, true},
		{nil, nil, false},
	} {
		if got := Dominates(c.a, c.b); got != c.want {
			t.Errorf("Dominates(%v, %v) = %v", c.a, c.b, got)
		}
	}
}

func TestNonDominatedOddRows(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name   string
		points [][]float64
		want   []int
	}{
		{"none", nil, nil},
		{"one", [][]float64{{3}}, []int{0}},
		{"one objective", [][]float64{{3}, {1}, {2}, {1}}, []int{1}},
		{"duplicates keep the first", [][]float64{{1, 2}, {2, 1}, {1, 2}}, []int{0, 1}},
		{"a NaN never dominates", [][]float64{{nan, 0}, {1, 1}}, []int{1}},
		{"all NaN", [][]float64{{nan}, {nan}}, nil},
		{"ragged rows are left out", [][]float64{{1, 2}, {0}, {2, 1}}, []int{0, 2}},
		{"infinities", [][]float64{{math.Inf(1), 0}, {0, math.Inf(1)}, {math.Inf(1), math.Inf(1)}}, []int{0, 1}},
		{"infinities of three", [][]float64{{0, math.Inf(1), math.Inf(1)}, {1, math.Inf(1), math.Inf(1)}}, []int{0}},
	} {
		if got := NonDominated(c.points); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestRanksAgainstPeeling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		points := grid(rapid.IntRange(1, 12).Draw(t, "levels"), 1, 6).Draw(t, "points")
		if got, want := Ranks(points), slowRanks(points); !slices.Equal(got, want) {
			t.Fatalf("ranks %v, want %v", got, want)
		}
		if got, want := NonDominated(points), slowFront(points); !slices.Equal(got, want) {
			t.Fatalf("front %v, want %v", got, want)
		}
	})
}

func TestRanksOfMany(t *testing.T) {
	for m := 2; m <= 6; m++ {
		points := append(cube(uint64(m), 600, m), sphere(uint64(m), 200, m)...)
		points = append(points, points[:50]...)
		if got, want := Ranks(points), slowRanks(points); !slices.Equal(got, want) {
			t.Errorf("%d objectives: ranks differ from peeling", m)
		}
		if got, want := NonDominated(points), slowFront(points); !slices.Equal(got, want) {
			t.Errorf("%d objectives: front differs from peeling", m)
		}
	}
}

func BenchmarkNonDominated(b *testing.B) {
	for _, c := range []struct {
		name   string
		points [][]float64
	}{
		{"2d-20000", sphere(1, 20000, 2)},
		{"3d-20000", sphere(1, 20000, 3)},
		{"5d-20000", sphere(1, 20000, 5)},
		{"8d-20000-cube", cube(1, 20000, 8)},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				NonDominated(c.points)
			}
		})
	}
}

package pareto

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestKnee(t *testing.T) {
	nan := math.NaN()
	bend := [][]float64{{0, 10}, {1, 4}, {2, 1}, {6, 0.5}, {10, 0}}
	for _, c := range []struct {
		name string
		fs   [][]float64
		want int
	}{
		{"none", nil, -1},
		{"nothing to compare", [][]float64{{nan, 1}}, -1},
		{"one", [][]float64{{3, 4}}, 0},
		{"two", [][]float64{{0, 1}, {1, 0}}, 0},
		{"equal points", [][]float64{{1, 1}, {1, 1}}, 0},
		{"one objective", [][]float64{{3}, {2}}, 1},
		{"an objective that does nothing", [][]float64{{3, 1}, {2, 1}}, 1},
		{"a bend", bend, 2},
		{"a dent", [][]float64{{0, 1}, {0.5, 0.95}, {0.75, 0.75}, {0.95, 0.5}, {1, 0}}, 2},
		{"no point has a gain in all", [][]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, 0},
		{"a flat front is cut in the middle", [][]float64{{0, 4}, {1, 3}, {2, 2}, {3, 1}, {4, 0}}, 2},
		{"dominated rows and NaN are ignored", append([][]float64{{nan, 0}, {900, 900}}, bend...), 4},
		{"three objectives", [][]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0.2, 0.3, 0.2}, {0.5, 0.1, 0.5}}, 3},
		{"a flat front of three", [][]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0.3, 0.3, 0.4}, {0.6, 0.2, 0.2}}, 3},
	} {
		if got := Knee(c.fs); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// On a front without curvature no move from the knee gains more than it costs, in per cent of what each objective has:
// the claim in Knee's comment, but for the gaps between few points.
func TestKneeBalances(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.IntRange(2, 3).Draw(t, "objectives")
		fs := linear(rapid.Uint64().Draw(t, "seed"), 2000, m)
		front := NonDominated(fs)
		s, k := rangesOf(fs, front), Knee(fs)
		for _, i := range front {
			sum := 0.0
			for j := range m {
				sum += (1-s.unit(j, fs[i][j]))/(1-s.unit(j, fs[k][j])) - 1
			}
			if sum > 0.15 {
				t.Fatalf("row %d gains %.3f in all from the knee %d", i, sum, k)
			}
		}
	})
}

// On fronts of every curvature, bulging and dented, the knee is no corner: every objective has a good part of its range.
func TestKneeIsInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.IntRange(2, 6).Draw(t, "objectives")
		power := rapid.Float64Range(0.3, 3).Draw(t, "curvature") // below 1 it bulges towards the ideal, above it is dented
		fs := linear(rapid.Uint64().Draw(t, "seed"), 400, m)
		for _, f := range fs {
			for k := range f {
				f[k] = math.Pow(f[k], 1/power)
			}
		}
		for k := range m { // the corners
			f := make([]float64, m)
			f[k] = 1
			fs = append(fs, f)
		}
		s, k := rangesOf(fs, NonDominated(fs)), Knee(fs)
		if k >= len(fs)-m {
			t.Fatalf("the knee is a corner, %v", fs[k])
		}
		for j, v := range fs[k] {
			if gain := 1 - s.unit(j, v); gain < 0.02 {
				t.Errorf("objective %d of the knee %v has a gain of %v", j, fs[k], gain)
			}
		}
	})
}

func TestKneeIgnoresUnitsAndOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fs := sphere(rapid.Uint64().Draw(t, "seed"), 40, 3)
		want := Knee(fs)
		for _, f := range fs {
			f[0], f[1] = 1000*f[0]-7, f[1]/64
		}
		if got := Knee(fs); got != want {
			t.Fatalf("knee %d, in other units %d", want, got)
		}
		for _, f := range fs {
			slices.Reverse(f)
		}
		if got := Knee(fs); got != want {
			t.Fatalf("knee %d, with the objectives in another order %d", want, got)
		}
	})
}

// A floor takes points away and leaves the units alone: the knee among all is the knee, and the best of any part of the
// front that has it.
func TestKneeAmong(t *testing.T) {
	fs := sphere(7, 60, 3)
	want := Knee(fs)
	var others []int
	for i := range fs {
		if i != want {
			others = append(others, i)
		}
	}
	if got := KneeAmong(fs, append(slices.Clone(others[:20]), want)); got != want {
		t.Errorf("among twenty others and the knee %d: %d", want, got)
	}
	if got := KneeAmong(fs, others); got < 0 || got == want {
		t.Errorf("among the others: %d", got)
	}
	if got := KneeAmong(fs, nil); got != -1 {
		t.Errorf("among none: %d, want -1", got)
	}
}

// linear are points of the simplex: a front without curvature.
func linear(seed uint64, n, m int) [][]float64 {
	fs := cube(seed, n, m)
	for _, f := range fs {
		sum := 0.0
		for k := range f {
			f[k] = -math.Log(max(f[k], 1e-9))
			sum += f[k]
		}
		for k := range f {
			f[k] /= sum
		}
	}
	return fs
}

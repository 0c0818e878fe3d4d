package pareto

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// slowContributions is the definition.
func slowContributions(points [][]float64, ref []float64) []float64 {
	out := make([]float64, len(points))
	for i := range points {
		without := slices.Delete(slices.Clone(points), i, i+1)
		out[i] = Hypervolume(points, ref) - Hypervolume(without, ref)
	}
	return out
}

func TestContributionsAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		levels := rapid.IntRange(1, 9).Draw(t, "levels")
		points := grid(levels, 1, 6).Draw(t, "points")
		ref := make([]float64, len(points[0]))
		for k := range ref {
			ref[k] = float64(rapid.IntRange(1, levels+1).Draw(t, "ref"))
		}
		got, want := Contributions(points, ref), slowContributions(points, ref)
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
	for m := 1; m <= 6; m++ {
		points := append(sphere(7, 40, m), cube(7, 40, m)...)
		ref := slices.Repeat([]float64{1.1}, m)
		want := slowContributions(points, ref)
		for i, v := range Contributions(points, ref) {
			if !near(v, want[i], 1e-12) {
				t.Errorf("%d objectives: contribution %d is %v, want %v", m, i, v, want[i])
			}
		}
	}
}

func TestContributionsKnownValues(t *testing.T) {
	for _, c := range []struct {
		name   string
		points [][]float64
		ref    []float64
		want   []float64
	}{
		{"moocore", [][]float64{{5, 5}, {4, 6}, {2, 7}, {7, 4}}, []float64{10, 10}, []float64{2, 1, 6, 3}},
		{"moocore, dominated points count", [][]float64{{5, 1}, {1, 5}, {4, 2}, {4, 4}, {5, 1}}, []float64{6, 6}, []float64{0, 3, 2, 0, 0}},
		{
			"pagmo2",
			[][]float64{{-6, -1, -6}, {-1, -3, -5}, {-3, -4, -4}, {-4, -2, -3}, {-5, -5, -2}, {-2, -6, -1}},
			[]float64{0, 0, 0},
			[]float64{18, 2, 12, 1, 18, 2},
		},
		{"outside", [][]float64{{2, 0}, {0, 0}, {math.NaN(), 0}}, []float64{1, 1}, []float64{0, 1, 0}},
		{"none", nil, []float64{1}, nil},
	} {
		if got := Contributions(c.points, c.ref); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if got := Contributions([][]float64{{0}}, []float64{math.NaN()}); !math.IsNaN(got[0]) {
		t.Errorf("reference NaN: %v", got)
	}
}

func TestContributionsVectors(t *testing.T) {
	for _, c := range readVectors(t).HVC {
		points := c.Pts
		if c.Src == "moocore ignore_dominated=True" {
			// Its dominated points are not there for the others; copies of one point share nothing.
			points = slices.DeleteFunc(slices.Clone(points), func(p []float64) bool {
				return slices.ContainsFunc(c.Pts, func(q []float64) bool { return Dominates(q, p) })
			})
		}
		got := Contributions(points, c.Ref)
		k := 0
		for i, want := range c.HVC {
			if k < len(points) && slices.Equal(points[k], c.Pts[i]) {
				if got[k] != want {
					t.Errorf("%s: contribution %d is %v, want %v", c.Src, i, got[k], want)
				}
				k++
			} else if want != 0 {
				t.Errorf("%s: dominated point %d has %v", c.Src, i, want)
			}
		}
	}
}

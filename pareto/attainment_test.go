package pareto

import (
	"context"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// attains counts the fronts with a point that covers z.
func attains(fronts [][][]float64, z []float64) int {
	n := 0
	for _, front := range fronts {
		if slices.ContainsFunc(front, func(p []float64) bool { return coveredBy(z, p) }) {
			n++
		}
	}
	return n
}

// slowAttainment tries every combination of coordinates that occur.
func slowAttainment(fronts [][][]float64, level, m int) [][]float64 {
	values := make([][]float64, m)
	for _, front := range fronts {
		for _, p := range front {
			for k, v := range p {
				values[k] = append(values[k], v)
			}
		}
	}
	candidates := [][]float64{nil}
	for k := range values {
		slices.Sort(values[k])
		values[k] = slices.Compact(values[k])
		var next [][]float64
		for _, c := range candidates {
			for _, v := range values[k] {
				next = append(next, append(slices.Clone(c), v))
			}
		}
		candidates = next
	}
	var reached [][]float64
	for _, c := range candidates {
		if attains(fronts, c) >= level {
			reached = append(reached, c)
		}
	}
	var out [][]float64
	for _, i := range NonDominated(reached) {
		out = append(out, reached[i])
	}
	slices.SortFunc(out, slices.Compare)
	return out
}

func TestAttainmentAgainstTrying(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.IntRange(1, 4).Draw(t, "objectives")
		fronts := make([][][]float64, rapid.IntRange(1, 4).Draw(t, "fronts"))
		for i := range fronts {
			fronts[i] = make([][]float64, rapid.IntRange(0, 5).Draw(t, "points"))
			for j := range fronts[i] {
				for range m {
					fronts[i][j] = append(fronts[i][j], float64(rapid.IntRange(0, 4).Draw(t, "v")))
				}
			}
		}
		level := rapid.IntRange(1, len(fronts)).Draw(t, "level")
		want := slowAttainment(fronts, level, m)
		got, err := Attainment(context.Background(), fronts, level)
		if err != nil || !slices.EqualFunc(got, want, slices.Equal) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestAttainmentOfOne(t *testing.T) {
	front := [][]float64{{1, 3}, {2, 2}, {3, 1}, {3, 3}}
	if got, err := Attainment(t.Context(), [][][]float64{front}, 1); err != nil || !slices.EqualFunc(got, front[:3], slices.Equal) {
		t.Errorf("the surface of one front is %v", got)
	}
	for _, level := range []int{0, 2} {
		if got, err := Attainment(t.Context(), [][][]float64{front}, level); err != nil || got != nil {
			t.Errorf("level %d of one front is %v", level, got)
		}
	}
}

package pareto

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestSubset(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.IntRange(1, 5).Draw(t, "objectives")
		fs := append(sphere(rapid.Uint64().Draw(t, "seed"), 60, m), cube(7, 20, m)...)
		front := NonDominated(fs)
		n := rapid.IntRange(1, 90).Draw(t, "n")
		got := Subset(fs, n)
		if len(got) != min(n, len(front)) {
			t.Fatalf("%d rows of %d, want %d", len(got), len(front), n)
		}
		for i, r := range got {
			if !slices.Contains(front, r) || slices.Contains(got[:i], r) {
				t.Fatalf("row %d is dominated, or there twice", r)
			}
		}
		if n >= m {
			for k := range m {
				least := func(rows []int) float64 {
					v := math.Inf(1)
					for _, r := range rows {
						v = min(v, fs[r][k])
					}
					return v
				}
				if least(got) != least(front) {
					t.Fatalf("the best of objective %d is not there", k)
				}
			}
		}
		if more := Subset(fs, n+1); !slices.Equal(more[:len(got)], got) {
			t.Fatalf("%v is no beginning of %v", got, more)
		}
	})
}

// TestSubsetCovers holds the bound of farthest-first: no row is farther from those taken than twice the
// least possible, so certainly not farther than any two of them are apart.
func TestSubsetCovers(t *testing.T) {
	fs := sphere(3, 800, 3)
	s := rangesOf(fs, NonDominated(fs))
	apart := func(a, b []float64) float64 {
		sum := 0.0
		for k := range a {
			d := s.unit(k, a[k]) - s.unit(k, b[k])
			sum += d * d
		}
		return math.Sqrt(sum)
	}
	taken := Subset(fs, 40)
	closest := math.Inf(1)
	for i, a := range taken[3:] { // the extremes come first, wherever they are
		for _, b := range taken[:i+3] {
			closest = min(closest, apart(fs[a], fs[b]))
		}
	}
	for i := range fs {
		gap := math.Inf(1)
		for _, r := range taken {
			gap = min(gap, apart(fs[i], fs[r]))
		}
		if gap > closest+1e-12 {
			t.Fatalf("row %d is %v from the subset, whose rows are %v apart", i, gap, closest)
		}
	}
}

func BenchmarkSubset(b *testing.B) {
	fs := sphere(1, 2000, 3)
	for b.Loop() {
		Subset(fs, 500)
	}
}

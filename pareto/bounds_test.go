package pareto

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestProjectIsNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.IntRange(1, 7).Draw(t, "d")
		b := Bounds{}
		for range d {
			lo := rapid.Float64Range(-2, 0).Draw(t, "lo")
			b.Lo, b.Hi = append(b.Lo, lo), append(b.Hi, lo+rapid.Float64Range(1, 4).Draw(t, "width")+2)
		}
		if n := rapid.IntRange(0, d).Draw(t, "proportions"); n > 0 {
			set := make([]int, n)
			for i := range set {
				set[i] = i
			}
			b.Simplex = [][]int{set}
		}
		point := rapid.SliceOfN(rapid.Float64Range(-5, 5), d, d)
		x := point.Draw(t, "x")
		p := slices.Clone(x)
		b.Project(p)
		if !b.Contains(p, 1e-12) {
			t.Fatalf("%v is out of bounds", p)
		}
		again := slices.Clone(p)
		b.Project(again)
		if squared(again, p) > 1e-24 {
			t.Fatalf("%v moves to %v when projected again", p, again)
		}
		// Nearest in a convex set: (x − p)·(q − p) ≤ 0 for every q in it.
		q := point.Draw(t, "q")
		b.Project(q)
		angle := 0.0
		for i := range x {
			angle += (x[i] - p[i]) * (q[i] - p[i])
		}
		if angle > 1e-9 {
			t.Fatalf("%v is nearer to %v than %v", q, x, p)
		}
	})
}

func TestContains(t *testing.T) {
	b := Bounds{Lo: []float64{0, 0, -1}, Hi: []float64{1, 1, 1}, Simplex: [][]int{{0, 1}}}
	for _, c := range []struct {
		x    []float64
		want bool
	}{
		{[]float64{0.25, 0.75, 1}, true},
		{[]float64{0.25, 0.7, 1}, false},
		{[]float64{-0.5, 1.5, 0}, false},
		{[]float64{0.5, 0.5, 1.1}, false},
		{[]float64{0.5, 0.5, math.NaN()}, false},
		{[]float64{0.5, 0.5}, false},
	} {
		if got := b.Contains(c.x, 1e-9); got != c.want {
			t.Errorf("%v within: %v, want %v", c.x, got, c.want)
		}
	}
}

func TestSampleFillsTheDomain(t *testing.T) {
	b := Bounds{Lo: []float64{-1, 0, 0, 0}, Hi: []float64{1, 1, 1, 1}, Simplex: [][]int{{1, 2, 3}}}
	d := b.unit()
	rng := rand.New(rand.NewPCG(1, 1))
	mean := make([]float64, 4)
	for _, u := range d.latinHypercube(500, rng) {
		x := make([]float64, 4)
		d.fromUnit(x, u)
		if !b.Contains(x, 1e-12) {
			t.Fatalf("%v is out of bounds", x)
		}
		for i, v := range x {
			mean[i] += v / 500
		}
	}
	for i, want := range []float64{0, 1. / 3, 1. / 3, 1. / 3} {
		if math.Abs(mean[i]-want) > 0.05 {
			t.Errorf("the mean is %v", mean)
		}
	}
}

func TestAscending(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{0, 1, 7, 499, 500, 1500}).Draw(t, "n")
		levels := rapid.SampledFrom([]int{2, 1 << 30}).Draw(t, "levels")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		keys := make([]float64, n)
		for i := range keys {
			keys[i] = float64(rng.IntN(levels)-levels/2) / 3
			switch rng.IntN(20) {
			case 0:
				keys[i] = math.Inf(1)
			case 1:
				keys[i] = math.Inf(-1)
			case 2:
				keys[i] = math.Copysign(0, -1)
			case 3:
				keys[i] = 1e-310
			}
		}
		want := make([]int32, n)
		for i := range want {
			want[i] = int32(i)
		}
		slices.SortStableFunc(want, func(a, b int32) int {
			switch {
			case keys[a] < keys[b]:
				return -1
			case keys[a] > keys[b]:
				return 1
			}
			return 0
		})
		if got := ascending(n, func(i int32) float64 { return keys[i] }); !slices.Equal(got, want) {
			t.Fatalf("order of %d keys differs", n)
		}
	})
}

func TestPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{1, 63, 64, 65, 5000, 300000}).Draw(t, "n")
		p, members := newIndexSet(n), map[int]bool{}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		for range 60 {
			i := rng.IntN(n)
			if rng.IntN(3) == 0 {
				p.remove(int32(i))
				delete(members, i)
			} else {
				p.insert(int32(i))
				members[i] = true
			}
			at, before, after := rng.IntN(n), -1, -1
			for m := range members {
				if m < at && m > before {
					before = m
				}
				if m > at && (after < 0 || m < after) {
					after = m
				}
			}
			if got := p.before(int32(at)); int(got) != before {
				t.Fatalf("before %d is %d, want %d", at, got, before)
			}
			if got := p.after(int32(at)); int(got) != after {
				t.Fatalf("after %d is %d, want %d", at, got, after)
			}
		}
	})
}

// TestNothingPanics gives every function rows of any length with any numbers.
func TestNothingPanics(t *testing.T) {
	odd := rapid.OneOf(rapid.Float64Range(-2, 2), rapid.SampledFrom([]float64{0, 1, math.NaN(), math.Inf(1), math.Inf(-1), 1e308, -1e308, 5e-324}))
	row := rapid.SliceOfN(odd, 0, 5)
	rapid.Check(t, func(t *rapid.T) {
		fs := rapid.SliceOfN(row, 0, 12).Draw(t, "fs")
		gs := rapid.SliceOfN(row, 0, 5).Draw(t, "gs")
		a, b := row.Draw(t, "a"), row.Draw(t, "b")
		n := rapid.IntRange(-1, 15).Draw(t, "n")
		for _, rows := range [][]int{NonDominated(fs), Subset(fs, n), Satisfying(fs, a)} {
			for _, i := range rows {
				if i < 0 || i >= len(fs) {
					t.Fatalf("row %d of %d", i, len(fs))
				}
			}
		}
		for _, i := range []int{Knee(fs), Nearest(fs, a), Weighted(fs, a), Lexicographic(fs, []int{n, 0}, a)} {
			if i < -1 || i >= len(fs) {
				t.Fatalf("row %d of %d", i, len(fs))
			}
		}
		if i := CostliestLimit(fs, a); i < -1 || i >= len(a) {
			t.Fatalf("limit %d of %d", i, len(a))
		}
		if r := Ranks(fs); len(r) != len(fs) {
			t.Fatalf("%d ranks of %d rows", len(r), len(fs))
		}
		if c := Contributions(fs, a); len(c) != len(fs) {
			t.Fatalf("%d contributions of %d rows", len(c), len(fs))
		}
		if v := Hypervolume(fs, a); v < 0 {
			t.Fatalf("hypervolume %v", v)
		}
		IGD(fs, gs)
		IGDPlus(fs, gs)
		EpsilonAdditive(fs, gs)
		EpsilonMultiplicative(fs, gs)
		_, _ = Attainment(t.Context(), [][][]float64{fs, gs}, n)
		p := NewImprovement(fs, a)
		p.Of(b)
		p.Expected(b, a)
		Dominates(a, b)
	})
}

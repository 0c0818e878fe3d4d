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
			if rapid.Bool().Draw(t, "bounded") { // about a point that is within them
				at := make([]float64, n)
				sum := 0.0
				for i := range at {
					at[i] = rapid.Float64Range(0.01, 1).Draw(t, "at")
					sum += at[i]
				}
				for i := range at {
					at[i] /= sum
					b.Lo[i] = at[i] - rapid.Float64Range(0, 0.5).Draw(t, "below")
					b.Hi[i] = at[i] + rapid.Float64Range(0, 0.5).Draw(t, "above")
				}
			}
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
	for _, c := range []struct {
		b    Bounds
		mean []float64
		near float64
	}{
		{Bounds{Lo: []float64{-1, 0, 0, 0}, Hi: []float64{1, 1, 1, 1}}, []float64{0, 1. / 3, 1. / 3, 1. / 3}, 0.05},
		{Bounds{Lo: []float64{-1, 0, 0.1, 0.1}, Hi: []float64{1, 0.5, 0.9, 0.9}}, []float64{0, 0.2, 0.4, 0.4}, 0.07},
	} {
		c.b.Simplex = [][]int{{1, 2, 3}}
		d := c.b.unit()
		rng := rand.New(rand.NewPCG(1, 1))
		mean, least, most := make([]float64, 4), []float64{9, 9, 9, 9}, make([]float64, 4)
		for _, u := range d.latinHypercube(500, rng) {
			x := make([]float64, 4)
			d.fromUnit(x, u)
			if !c.b.Contains(x, 1e-12) {
				t.Fatalf("%v is out of bounds", x)
			}
			for i, v := range x {
				mean[i], least[i], most[i] = mean[i]+v/500, min(least[i], v), max(most[i], v)
			}
		}
		for i, want := range c.mean {
			if math.Abs(mean[i]-want) > c.near {
				t.Errorf("the mean is %v, want %v", mean, c.mean)
			}
			if width := c.b.Hi[i] - c.b.Lo[i]; least[i] > c.b.Lo[i]+0.1*width || most[i] < c.b.Hi[i]-0.15*width {
				t.Errorf("variable %d is from %g to %g of [%g, %g]", i, least[i], most[i], c.b.Lo[i], c.b.Hi[i])
			}
		}
	}
}

// A front within bounds of proportions is that of an exhaustive look at them.
func TestFrontWithinBoundsOfProportions(t *testing.T) {
	p := Problem{
		Bounds: Bounds{Lo: []float64{0, 0.1, 0.1}, Hi: []float64{0.5, 1, 1}, Simplex: [][]int{{0, 1, 2}}}, M: 2,
		Eval: func(dst, x []float64) {
			dst[0] = (x[0]-0.9)*(x[0]-0.9) + x[2]*x[2]/4
			dst[1] = (x[1] - 0.9) * (x[1] - 0.9)
		},
	}
	xs, fs, err := Front(t.Context(), p, FrontOptions{N: 30})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range xs {
		if !p.Contains(x, 1e-9) {
			t.Errorf("%v is out of bounds", x)
		}
	}
	worst, f := 0.0, make([]float64, 2)
	for i := range 101 {
		for j := range 101 {
			x := []float64{0.5 * float64(i) / 100, 0.1 + 0.8*float64(j)/100, 0}
			if x[2] = 1 - x[0] - x[1]; !p.Contains(x, 1e-9) {
				continue
			}
			p.Eval(f, x)
			for _, g := range fs {
				if g[0] > f[0] && g[1] > f[1] {
					worst = max(worst, min(g[0]-f[0], g[1]-f[1]))
				}
			}
		}
	}
	if worst > 1e-4 {
		t.Errorf("a point of the front is %g worse in both than one of the grid", worst)
	}
	p.Hi = []float64{0.3, 0.3, 0.3}
	if _, _, err := Front(t.Context(), p, FrontOptions{N: 30}); err == nil {
		t.Error("proportions of at most .3 of three were taken: they cannot sum to 1")
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
		for _, i := range []int{Knee(fs), Nearest(fs, a), Lexicographic(fs, []int{n, 0}, a)} {
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

// A proportion without width takes nothing of the others' room: what is spread over all proportions is spread over them.
func TestSpreadBesideAFixedProportion(t *testing.T) {
	b := Bounds{Lo: []float64{0, 0, 0.2}, Hi: []float64{0.8, 0.8, 0.2}, Simplex: [][]int{{0, 1, 2}}}
	for _, c := range [][2][]float64{{{1, 0, 0}, {0.8, 0, 0.2}}, {{0.25, 0.25, 0.5}, {0.4, 0.4, 0.2}}, {{0.1, 0.3, 0.6}, {0.2, 0.6, 0.2}}} {
		x := slices.Clone(c[0])
		b.Spread(x)
		for i := range x {
			if math.Abs(x[i]-c[1][i]) > 1e-12 {
				t.Errorf("%v is carried to %v, want %v", c[0], x, c[1])
				break
			}
		}
	}
}

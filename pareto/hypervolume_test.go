package pareto

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// slowVolume is inclusion and exclusion of the boxes: O(2ⁿ).
func slowVolume(points [][]float64, ref []float64) float64 {
	total := 0.0
	for set := 1; set < 1<<len(points); set++ {
		box, sign := slices.Repeat([]float64{math.Inf(-1)}, len(ref)), -1.0
		for i, p := range points {
			if set>>i&1 == 1 {
				sign = -sign
				for k, v := range p {
					box[k] = max(box[k], v)
				}
			}
		}
		volume := sign
		for k, r := range ref {
			volume *= max(0, r-box[k])
		}
		total += volume
	}
	return total
}

// gridVolume counts the unit cells between 0 and ref that integer points dominate.
func gridVolume(points [][]float64, ref []float64) float64 {
	cell, total := make([]float64, len(ref)), 0.0
	for {
		if slices.ContainsFunc(points, func(p []float64) bool {
			for k, v := range p {
				if v > cell[k] {
					return false
				}
			}
			return true
		}) {
			total++
		}
		k := 0
		for ; k < len(ref); k++ {
			if cell[k]++; cell[k] < ref[k] {
				break
			}
			cell[k] = 0
		}
		if k == len(ref) {
			return total
		}
	}
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance*max(1, math.Abs(b)) }

func TestHypervolumeAgainstInclusionExclusion(t *testing.T) {
	for m := 1; m <= 8; m++ {
		for n := 1; n <= 10; n++ {
			points := append(cube(uint64(n), n, m), sphere(uint64(n), 2, m)...)
			ref := slices.Repeat([]float64{1.1}, m)
			if got, want := Hypervolume(points, ref), slowVolume(points, ref); !near(got, want, 1e-9) {
				t.Errorf("%d points of %d: %v, want %v", n, m, got, want)
			}
		}
	}
}

func TestHypervolumeOnGrid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		levels := rapid.IntRange(1, 4).Draw(t, "levels")
		points := grid(levels, 1, 6).Draw(t, "points")
		ref := make([]float64, len(points[0]))
		for k := range ref {
			ref[k] = float64(rapid.IntRange(1, levels+1).Draw(t, "ref"))
		}
		if got, want := Hypervolume(points, ref), gridVolume(points, ref); got != want {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

func TestHypervolumeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.IntRange(2, 6).Draw(t, "objectives")
		n := rapid.IntRange(1, 60).Draw(t, "points")
		seed := rapid.Uint64().Draw(t, "seed")
		points, ref := cube(seed, n, m), slices.Repeat([]float64{1}, m)
		v := Hypervolume(points, ref)

		shuffled := slices.Clone(points)
		rng := rand.New(rand.NewPCG(seed, 3))
		rng.Shuffle(n, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if w := Hypervolume(shuffled, ref); !near(w, v, 1e-12) {
			t.Fatalf("order matters: %v, %v", v, w)
		}
		if w := Hypervolume(points[1:], ref); w > v+1e-12 {
			t.Fatalf("a point less gives more: %v, %v", v, w)
		}
		scaled, by := make([][]float64, n), 1.0
		for k := range m {
			by *= float64(k + 2)
		}
		for i, p := range points {
			for k, x := range p {
				scaled[i] = append(scaled[i], x*float64(k+2)-5)
			}
		}
		for k := range ref {
			ref[k] = float64(k+2) - 5
		}
		if w := Hypervolume(scaled, ref); !near(w, v*by, 1e-9) {
			t.Fatalf("scaled by %v: %v from %v", by, w, v)
		}
	})
}

func TestHypervolumeKnownValues(t *testing.T) {
	for _, c := range []struct {
		points [][]float64
		ref    []float64
		want   float64
	}{
		{[][]float64{{5, 5}, {4, 6}, {2, 7}, {7, 4}}, []float64{10, 10}, 38},      // moocore
		{[][]float64{{1, 0, 1}, {0, 1, 0}}, []float64{2, 2, 2}, 5},                // moocore
		{[][]float64{{2.3, 4.5}, {3.4, 3.4}, {6.0, 1.2}}, []float64{7, 7}, 17.91}, // pagmo2
		{[][]float64{{2.3, 4.5, 3.2}, {3.4, 3.4, 3.4}, {6.0, 1.2, 3.6}}, []float64{7, 7, 7}, 66.386},
		{[][]float64{{2.3, 4.5, 3.2, 1.9, 6.0}, {3.4, 3.4, 3.4, 2.1, 5.8}, {6.0, 1.2, 3.6, 3.0, 6.0}}, []float64{7, 7, 7, 7, 7}, 373.21228},
		{[][]float64{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}, []float64{2.1, 2.5, 2.3, 2.0}, 23.15}, // botorch, negated
		{nil, []float64{1, 1}, 0},
		{[][]float64{{1, 1}, {2, 0}, {math.NaN(), 0}, {0}}, []float64{1, 1}, 0}, // on the edge, outside, odd
	} {
		if got := Hypervolume(c.points, c.ref); !near(got, c.want, 1e-12) {
			t.Errorf("%v within %v: %v, want %v", c.points, c.ref, got, c.want)
		}
	}
	if v := Hypervolume([][]float64{{0}}, nil); !math.IsNaN(v) {
		t.Errorf("without a reference: %v, want NaN", v)
	}
	if v := Hypervolume([][]float64{{0, 0}}, []float64{1, math.NaN()}); !math.IsNaN(v) {
		t.Errorf("reference NaN: %v, want NaN", v)
	}
}

// vectors is the file of test vectors, each with its source.
type vectors struct {
	HV []struct {
		Src, Sense string
		Ref        []float64
		Pts        [][]float64
		HV         float64
	}
	HVC []struct {
		Src string
		Ref []float64
		Pts [][]float64
		HVC []float64
	}
	EHVI []struct {
		Front       [][]float64
		Ref, Mu, SD []float64
		EHVI        float64
	} `json:"ehvi_min_2d_independent"`
}

func readVectors(t *testing.T) vectors {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestHypervolumeVectors(t *testing.T) {
	for _, c := range readVectors(t).HV {
		if c.Sense == "max" {
			for _, p := range append(c.Pts, c.Ref) {
				for k := range p {
					p[k] = -p[k]
				}
			}
		}
		if got := Hypervolume(c.Pts, c.Ref); !near(got, c.HV, 1e-12) {
			t.Errorf("%s: %v, want %v", c.Src, got, c.HV)
		}
	}
}

func BenchmarkHypervolume(b *testing.B) {
	for _, c := range []struct {
		name string
		n, m int
	}{{"2d-20000", 20000, 2}, {"3d-20000", 20000, 3}, {"4d-2000", 2000, 4}, {"5d-1000", 1000, 5}, {"6d-400", 400, 6}, {"6d-1000", 1000, 6}} {
		points, ref := sphere(1, c.n, c.m), slices.Repeat([]float64{1.1}, c.m)
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				Hypervolume(points, ref)
			}
		})
	}
}

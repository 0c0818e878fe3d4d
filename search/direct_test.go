package search

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"parfait/pareto"
)

// hypervolume of the measured points, all optimised tasks maximised rates, from the origin.
func (g game) hypervolume(points []Point) float64 {
	var fs [][]float64
	for _, p := range points {
		var f []float64
		for i, task := range g.tasks {
			if task.Optimise {
				f = append(f, -p.Y[i].Value)
			}
		}
		fs = append(fs, f)
	}
	var front [][]float64
	for _, i := range pareto.NonDominated(fs) {
		front = append(front, fs[i])
	}
	return pareto.Hypervolume(front, make([]float64, len(fs[0])))
}

// median over seeds.
func (g game) median(t *testing.T, s Strategy, seeds int, figure func([]Point) float64) float64 {
	t.Helper()
	var all []float64
	for seed := range seeds {
		g.seed = uint64(seed + 1)
		done, _ := g.play(t, s)
		all = append(all, figure(done))
	}
	slices.Sort(all)
	return all[seeds/2]
}

// The reference is NSGA-III itself, evaluating generation after generation: with batches as long as
// a generation direct reaches as much, but for the generation that it is behind, being asked early.
func TestDirectIsNSGA3(t *testing.T) {
	g := game{space: box(3, 0, 1.2), tasks: rates(3), budget: 240, batch: 20, measure: measure}
	var reference []float64
	for seed := range 7 {
		v, err := pareto.NewEvolution(g.space.Bounds(), 3, pareto.NSGA3Options{Directions: pareto.Directions(3, 20), Population: 20, Seed: uint64(seed)})
		if err != nil {
			t.Fatal(err)
		}
		var all []Point
		for len(all) < g.budget {
			xs := v.Ask(20)
			fs := make([][]float64, len(xs))
			for i, x := range xs {
				p := measure(x)
				all = append(all, p)
				for _, y := range p.Y {
					fs[i] = append(fs[i], -y.Value)
				}
			}
			v.Tell(xs, fs)
		}
		reference = append(reference, g.hypervolume(all))
	}
	slices.Sort(reference)
	got := g.median(t, direct{population: 20}, 7, g.hypervolume)
	t.Logf("direct %.4f, NSGA-III %.4f", got, reference[3])
	if got < 0.97*reference[3] {
		t.Errorf("hypervolume %.4f, NSGA-III itself reaches %.4f", got, reference[3])
	}
}

func TestDirectOnDigits(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for long, in no other way than shorter tests")
	}
	g := digitsGame(t, 4) // in fewer dimensions 60 random points are hard to beat
	g.budget, g.batch = 60, 10
	evolved := g.median(t, direct{}, 3, g.hypervolume)
	random := g.median(t, direct{random: true}, 3, g.hypervolume)
	t.Logf("NSGA-III %.4f, random %.4f", evolved, random)
	if evolved < random {
		t.Errorf("NSGA-III on real evaluations reaches %.4f, random points %.4f", evolved, random)
	}
}

// Random points do not depend on the batches, and are uniform.
func TestRandomIsUniform(t *testing.T) {
	var runs []string
	for _, batch := range []int{1, 7, 100} {
		g := game{space: box(2, -1, 3), tasks: rates(1), budget: 100, batch: batch, seed: 5, measure: slopes(1)}
		done, _ := g.play(t, direct{random: true})
		var xs [][]float64
		for _, p := range done {
			xs = append(xs, p.X)
		}
		runs = append(runs, fmt.Sprint(xs))
	}
	if runs[0] != runs[1] || runs[0] != runs[2] {
		t.Error("the size of the batches changes random points")
	}
	const n, cells = 4000, 10
	s := Space{Coefficients: append(box(1, -1, 3).Coefficients, box(3, 0, 1).Coefficients...), Simplex: [][]int{{1, 2, 3}}}
	var count [2][cells]float64
	for i := range n {
		x := s.random(9, uint64(i))
		// A coordinate of a uniform point of a triangle is less than v with probability 1 − (1−v)².
		for k, u := range []float64{(x[0] + 1) / 4, 1 - (1-x[2])*(1-x[2])} {
			count[k][min(int(u*cells), cells-1)]++
		}
	}
	for k, c := range count {
		chi := 0.0
		for _, v := range c {
			chi += (v - n/cells) * (v - n/cells) / (n / cells)
		}
		if chi > 30 || math.IsNaN(chi) { // the 99.96th percentile of χ² with nine degrees of freedom
			t.Errorf("χ² %.1f of coordinate %d: %v", chi, k, c)
		}
	}
}

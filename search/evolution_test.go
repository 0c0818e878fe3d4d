package search

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// The starts are exponential moving averages: recomputed step by step, as training keeps them, from the
// first model to the last.
func TestMemoryIsAnAverageOverTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, m := rapid.IntRange(2, 40).Draw(t, "models"), rapid.IntRange(2, 10).Draw(t, "averages")
		last := 0.0
		for k := range m {
			w := memory(n, k, m)
			keep := 0.0
			if k == m-1 {
				keep = 1
			} else if k > 0 {
				keep = 1 - math.Pow(float64(n), -float64(k)/float64(m-1))
			}
			mass := 0.0
			steps := make([]float64, n)
			for i := range n { // a ← keep·a + θ, so far
				for j := range i {
					steps[j] *= keep
				}
				steps[i] = 1
				mass = keep*mass + 1
			}
			sum, length := 0.0, 0.0
			for i := range w {
				if math.Abs(w[i]-steps[i]/mass) > 1e-12 {
					t.Fatalf("average %d: model %d weighs %g, want %g", k, i, w[i], steps[i]/mass)
				}
				sum += w[i]
				length += w[i] * w[i]
			}
			if math.Abs(sum-1) > 1e-12 || 1/length < last {
				t.Fatalf("average %d: the weights sum to %g, %g models count, %g in the one before", k, sum, 1/length, last)
			}
			last = 1 / length
		}
		if last < float64(n)-1e-9 || memory(n, 0, m)[n-1] != 1 {
			t.Fatalf("from the last model alone to all: %g of %d models count at the end", last, n)
		}
	})
}

// Parents are the better ones: children are nearer to the best half than to the rest, and stay within the
// spread of the best where they have met.
func TestChildrenStayWithTheBest(t *testing.T) {
	s := box(4, -1, 1)
	best := [][]float64{{0.2, 0.2, 0.2, 0.2}, {0.2, 0.2, 0.2, 0.21}, {0.21, 0.2, 0.2, 0.2}}
	b := newVariation(s, best, generator(1, 2))
	var mean [4]float64
	for range 400 {
		x := b.offspring()
		for i, v := range x {
			mean[i] += v / 400
			if math.Abs(v-0.2) > 0.3 {
				t.Fatalf("a child of almost equal parents is %v", x)
			}
		}
	}
	for _, v := range mean {
		if math.Abs(v-0.2) > 0.02 {
			t.Errorf("children drift: their mean is %v", mean)
		}
	}
}

// Checkpoints of one run: the optimum weighs some of them negatively and does not sum to one, as LCSC
// found; averages alone cannot reach it.
func TestEvolutionLeavesTheAverages(t *testing.T) {
	want := []float64{-0.3, 0.1, 0.5, 0.2, 0.9}
	loss := func(x []float64) float64 {
		sum := 0.05
		for i, v := range x {
			sum += (v - want[i]) * (v - want[i])
		}
		return sum
	}
	g := game{space: box(5, -0.5, 1.5), tasks: []Task{{Name: "fid", Optimise: true}}, budget: 300, batch: 10, measure: func(x []float64) Point {
		return Point{Y: []Measurement{{Value: loss(x)}}}
	}}
	least := func(points []Point) float64 {
		best := math.Inf(1)
		for _, p := range points {
			best = min(best, p.Y[0].Value)
		}
		return best
	}
	got := g.median(t, evolution{}, 5, least)
	random := g.median(t, direct{random: true}, 5, least)
	average := math.Inf(1)
	for k := range 10 {
		average = min(average, loss(memory(5, k, 10)))
	}
	t.Logf("evolution %.3f, random %.3f, the best average %.3f", got, random, average)
	if got > 0.1 || got > random/2 || got > average/2 {
		t.Errorf("after 300 evaluations %.3f; random points %.3f, the best average %.3f", got, random, average)
	}
}

func TestEvolutionOnDigits(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for long, in no other way than shorter tests")
	}
	g := digitsGame(t, 3)
	g.budget, g.batch = 60, 6
	evolved := g.median(t, evolution{}, 3, g.top)
	random := g.median(t, direct{random: true}, 3, g.top)
	uniform := g.mean(g.measure([]float64{1. / 3, 1. / 3, 1. / 3}))
	t.Logf("evolution %.3f, random %.3f, uniform %.3f", evolved, random, uniform)
	if evolved < random || evolved < uniform+0.03 {
		t.Errorf("mean over the tasks %.3f; random %.3f, uniform %.3f", evolved, random, uniform)
	}
	// One task alone: its own expert is hard to beat.
	g.seed, g.budget = 1, 40
	done, _ := g.play(t, evolution{weights: map[string]float64{"rotated": 1}})
	best := 0.0
	for _, p := range done {
		best = max(best, p.Y[0].Value)
	}
	if alone := g.measure([]float64{1, 0, 0}).Y[0].Value; best < alone-0.01 {
		t.Errorf("rotated alone: %.3f, its expert has %.3f", best, alone)
	}
}

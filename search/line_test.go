package search

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"parfait/surrogate"
)

// A line says how deep its hole is, with a standard error, and holds what was measured twice once.
func TestLines(t *testing.T) {
	space := box(3, 0, 1)
	space.Simplex = [][]int{{0, 1, 2}}
	tasks := []Task{{Name: "rate", Maximize: true, Optimise: true}, {Name: "loss", Optimise: true}}
	point := func(a, b, c, hole float64) Point {
		return Point{X: []float64{a, b, c}, Y: []Measurement{{Value: 0.6*a + 0.8*b + 0.7*c - hole, Stderr: 0.02}, {Value: 1 + b + 5*hole, Stderr: 0.1}}}
	}
	failed := point(0.5, 0.5, 0, 0)
	failed.Failed = true
	q := Question{Space: space, Tasks: tasks, Done: []Point{
		point(1, 0, 0, 0), point(0, 1, 0, 0), failed, point(0.75, 0.25, 0, 0.1), point(0.5, 0.5, 0, 0.3), point(0.5, 0.5, 0, 0.9), point(0.2, 0.3, 0.5, 0),
	}}
	lines, err := Lines(q)
	if err != nil || len(lines) != 3 {
		t.Fatalf("%d lines between three models (%v)", len(lines), err)
	}
	first := lines[0]
	if first.A != "m0" || first.B != "m1" || len(first.Points) != 4 {
		t.Fatalf("%+v, want four places from m0 to m1", first)
	}
	for i, at := range []float64{0, 0.25, 0.5, 1} {
		if p := first.Points[i]; p.At != at || p.Failed {
			t.Errorf("place %d is at %g (failed: %v), want %g", i, p.At, p.Failed, at)
		}
	}
	depth := []float64{0.3, 1.5}
	for i, task := range tasks {
		got, ok := first.Barrier(i, task)
		want := Barrier{A: "m0", B: "m1", Task: task.Name, Height: got.Height, Stderr: got.Stderr, At: 0.5, P: got.P}
		if !ok || got != want || math.Abs(got.Height-depth[i]) > 1e-9 {
			t.Errorf("%+v, want %+v, %g high", got, want, depth[i])
		}
		if se := math.Sqrt(1.5) * q.Done[0].Y[i].Stderr; math.Abs(got.Stderr-se) > 1e-12 {
			t.Errorf("%s: a standard error of %g, want %g", task.Name, got.Stderr, se)
		}
		if _, ok := lines[1].Barrier(i, task); ok {
			t.Error("a line without its end has a barrier")
		}
	}
	// What of one of the three is not known, nobody knows of the height: the ends, and the worst point between.
	for _, k := range []int{0, 2, 3} {
		unknown := Line{A: first.A, B: first.B, Points: slices.Clone(first.Points)}
		unknown.Points[k].Y = []Measurement{{Value: first.Points[k].Y[0].Value}}
		if got, ok := unknown.Barrier(0, tasks[0]); !ok || got.Height < 0.29 || got.Stderr != 0 || got.P != 1 {
			t.Errorf("place %d without a standard error: %+v (%v), want a height of .3 with an unknown one", k, got, ok)
		}
	}
}

// Of points on a line without a barrier the worst falls as far as that by chance: drawn, and worked out.
func TestChanceOfABarrier(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, n := range []int{1, 3, 7, 15} {
		at := func(i int) float64 { return float64(i) / float64(n+1) }
		below, draws := 0, 1000
		for range draws {
			var l Line
			for i := range n + 2 {
				stderr := 0.01 + 0.01*float64(i%3)
				l.Points = append(l.Points, LinePoint{At: at(i), Point: Point{Y: []Measurement{{Value: 0.7 + 0.1*at(i) + stderr*r.NormFloat64(), Stderr: stderr}}}})
			}
			b, ok := l.Barrier(0, Task{Name: "a", Maximize: true})
			if !ok {
				t.Fatal("nothing is known of a line that is measured")
			}
			if b.P < 0.05 {
				below++
			}
		}
		if share := float64(below) / float64(draws); math.Abs(share-0.05) > 0.022 {
			t.Errorf("of lines with %d points between, without a barrier, %.3f have a P below .05", n, share)
		}
	}
}

// With few items a reading that is low by luck has a small standard error of its own, and is no barrier for that: of studies
// of 24 straight lines one of twenty has one that is called a barrier, by Holm's smallest bound.
func TestBarriersOfFewItems(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const studies, lines = 150, 24
	task := Task{Name: "t", Link: surrogate.Logit, Maximize: true}
	for _, n := range []int{20, 50} {
		claimed := 0
		for range studies {
			least := 1.0
			for range lines {
				from, to := 0.3+0.55*rng.Float64(), 0.3+0.55*rng.Float64()
				var l Line
				for _, at := range []float64{0, 0.25, 0.5, 0.75, 1} {
					right := 0
					for range n {
						if rng.Float64() < (1-at)*from+at*to {
							right++
						}
					}
					v := float64(right) / float64(n)
					l.Points = append(l.Points, LinePoint{at, Point{Y: []Measurement{{Value: v, Stderr: math.Sqrt(max(v*(1-v), 0.25/float64(n)) / float64(n)), N: n}}}})
				}
				b, ok := l.Barrier(0, task)
				if !ok {
					t.Fatal("nothing is said of a line that was measured")
				}
				least = min(least, b.P)
			}
			if least < 0.05/lines {
				claimed++
			}
		}
		if claimed > studies*8/100 {
			t.Errorf("%d items: a barrier is said to be on one of %d straight lines in %d of %d studies, want .05", n, lines, claimed, studies)
		}
	}
}

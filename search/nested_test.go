package search

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// Always the two whose metrics differ least: against all pairs, sorted.
func TestClosestPairs(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		metrics []float64
		want    string
	}{
		{[]float64{0.7}, "[] [0]"},
		{[]float64{0.9, 0.1}, "[0+1] []"},
		{[]float64{78.87, 76.6, 98.78, 99.96, 99.60, 96.56, 74.86, 96.5}, "[5+7 3+4 1+6 0+2] []"}, // of the paper's eight
		{[]float64{0.5, 0.9, 0.52}, "[0+2] [1]"},
		{[]float64{nan, 0.9, 0.2, nan}, "[1+2 0+3] []"},
		{[]float64{0.5, 0.5, 0.5, 0.5}, "[0+1 2+3] []"},
	} {
		var nodes []*node
		for _, m := range c.metrics {
			nodes = append(nodes, &node{metric: m})
		}
		pairs, odd := closest(nodes)
		var two, one []string
		for _, p := range pairs {
			two = append(two, fmt.Sprintf("%d+%d", slices.Index(nodes, p[0]), slices.Index(nodes, p[1])))
		}
		for _, n := range odd {
			one = append(one, fmt.Sprint(slices.Index(nodes, n)))
		}
		if got := fmt.Sprint(two, one); got != c.want {
			t.Errorf("%v: %s, want %s", c.metrics, got, c.want)
		}
	}
}

// The tree, its budget and its picks, on tasks whose best coefficients are known: every model has its own
// task, best at 0.7 of it and none of the others.
func TestNestedFindsThePeak(t *testing.T) {
	peaks := func(x []float64) Point {
		var p Point
		for i := range x {
			eta := 1.5
			for j, v := range x {
				if j == i {
					eta -= 6 * (v - 0.7) * (v - 0.7)
				} else {
					eta -= 0.05 * v * v
				}
			}
			p.Y = append(p.Y, Measurement{Value: 1 / (1 + math.Exp(-eta))})
		}
		return p
	}
	for _, models := range []int{1, 2, 5} {
		t.Run(fmt.Sprint(models), func(t *testing.T) {
			g := game{space: box(models, 0, 1.2), tasks: rates(models), batch: 4, seed: 1, measure: peaks}
			done, stop := g.play(t, nesting{size: 20})
			rounds := int(math.Ceil(math.Log2(float64(models))))
			if most := 20*(models-1) + rounds + 2; len(done) > most {
				t.Errorf("%d evaluations, want at most %d", len(done), most)
			}
			roots, err := NestedTree(context.Background(), Question{Space: g.space, Tasks: g.tasks, Done: done, Seed: 1}, nil)
			if err != nil || len(roots) != 1 {
				t.Fatalf("%d roots (%v)", len(roots), err)
			}
			if want := "the nested merge is " + roots[0].Recipe(); stop != want {
				t.Errorf("%q, the tree says %q", stop, want)
			}
			if models > 1 {
				for i, v := range roots[0].X {
					if math.Abs(v-0.7) > 0.1 {
						t.Errorf("coefficient %d of the winner is %g, the peak is near 0.7: %s", i, v, stop)
					}
				}
			}
			holdTree(t, g, roots[0], rounds)
		})
	}
}

// holdTree checks a finished tree: every task once, scales that compose to the branch's coefficients.
func holdTree(t *testing.T, g game, root *Branch, rounds int) {
	t.Helper()
	if root.Round != rounds {
		t.Errorf("%d rounds, want %d", root.Round, rounds)
	}
	tasks := slices.Clone(root.Tasks)
	slices.Sort(tasks)
	if want := len(g.tasks); len(slices.Compact(tasks)) != want || len(root.Tasks) != want {
		t.Errorf("the root answers for %v, want each of %d tasks once", root.Tasks, want)
	}
	leaves := 0
	var walk func(b *Branch) []float64
	walk = func(b *Branch) []float64 {
		if len(b.Parts) == 0 {
			leaves++
			x := make([]float64, len(b.X))
			for i, v := range b.X {
				x[i] = math.Round(v) // a model is one coefficient at 1
			}
			return x
		}
		if b.Measured != b.Wanted {
			t.Errorf("%s: %d of %d evaluations", b.Name, b.Measured, b.Wanted)
		}
		x := make([]float64, len(b.X))
		for k, p := range b.Parts {
			for i, v := range walk(p) {
				x[i] += b.At[k] * v
			}
		}
		for i := range x {
			if math.Abs(x[i]-b.X[i]) > 1e-3 {
				t.Errorf("%s: composed of its parts %v, coefficients %v", b.Name, x, b.X)
				break
			}
		}
		return x
	}
	walk(root)
	if leaves != len(g.space.Coefficients) {
		t.Errorf("%d leaves", leaves)
	}
}

// With the budget too short for 20 a pair the tree is still finished, and with none to speak of nothing breaks.
func TestNestedWithinItsBudget(t *testing.T) {
	for budget, finished := range map[int]bool{3: false, 12: false, 36: true} {
		for _, slots := range []int{0, 1, 3, 16} { // 0: in batches
			g := game{space: box(4, 0, 1.2), tasks: rates(4), budget: budget, batch: 4, slots: slots, seed: 1, measure: measure}
			done, stop := g.play(t, nesting{size: 20})
			if ended := strings.HasPrefix(stop, "the nested merge is"); ended != finished {
				t.Errorf("budget %d, %d at once: %d evaluations: %s", budget, slots, len(done), stop)
			}
		}
	}
}

// A tree can be looked at any time: models first, then pairs with their progress.
func TestNestedTreeOnItsWay(t *testing.T) {
	g := game{space: box(4, 0, 1.2), tasks: rates(4), budget: 70, batch: 4, seed: 1, measure: measure}
	var asked []Question
	var answers []string
	g.play(t, recorder{nesting{size: 20}, &asked, &answers})
	last, seen := 0, map[int]bool{}
	for _, q := range asked {
		roots, err := NestedTree(context.Background(), q, map[string]any{"pair": 20})
		if err != nil {
			t.Fatal(err)
		}
		seen[len(roots)] = true
		measured := 0
		for _, r := range roots {
			measured += r.Measured
			for _, p := range r.Parts {
				measured += p.Measured
			}
		}
		if measured < last {
			t.Errorf("%d evaluations in the tree, there were %d", measured, last)
		}
		last = measured
	}
	if !seen[4] || !seen[2] || !seen[1] {
		t.Errorf("number of branches over time: %v, want 4, 2 and 1 among them", seen)
	}
}

func TestNestedOnDigits(t *testing.T) {
	g := digitsGame(t, 4)
	g.budget = 64
	done, stop := g.play(t, nesting{size: 20})
	roots, err := NestedTree(context.Background(), Question{Space: g.space, Tasks: g.tasks, Done: done, Budget: g.budget, Seed: g.seed}, nil)
	if err != nil || len(roots) != 1 {
		t.Fatalf("%d roots after %d evaluations (%v): %s", len(roots), len(done), err, stop)
	}
	pick, average := g.measure(roots[0].X), g.measure([]float64{0.25, 0.25, 0.25, 0.25})
	t.Logf("%s: mean %.3f, worst %.3f; uniform %.3f, %.3f; %d evaluations", stop, g.mean(pick), g.worst(pick), g.mean(average), g.worst(average), len(done))
	if g.mean(pick) < g.mean(average)+0.03 || g.worst(pick) < g.worst(average)+0.05 {
		t.Errorf("mean %.3f and worst %.3f, the uniform average has %.3f and %.3f", g.mean(pick), g.worst(pick), g.mean(average), g.worst(average))
	}
	// Preferences move the pick.
	done, _ = g.play(t, nesting{size: 20, weights: map[string]float64{"inverted": 6, "rotated": 1, "mirrored": 1, "upside_down": 1}})
	liked, err := NestedTree(context.Background(), Question{Space: g.space, Tasks: g.tasks, Done: done, Budget: g.budget, Seed: g.seed},
		map[string]any{"weights": map[string]any{"inverted": 6, "rotated": 1, "mirrored": 1, "upside_down": 1}})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := g.measure(liked[0].X).Y[3].Value, pick.Y[3].Value; a <= b {
		t.Errorf("with a weight of 6 on inverted it is %.3f, without %.3f", a, b)
	}
}

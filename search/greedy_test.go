package search

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// referenceSoup is recipe 1 of the paper, one evaluation after the other: sort by score, add one at a time,
// keep what does not hurt. It returns the ingredients in their order and how many soups it measured.
func referenceSoup(k *baselines, score func(members ...int) float64) (kept []int, soups int) {
	order := allOf(len(k.units))
	sort.SliceStable(order, func(a, b int) bool { return score(order[a]) > score(order[b]) })
	kept = order[:1]
	for _, candidate := range order[1:] {
		with := append(slices.Clone(kept), candidate)
		soups++
		if score(with...) >= score(kept...) {
			kept = with
		}
	}
	return kept, soups
}

// outcome is what a strategy says when everything that it asked for is finished.
func (g game) outcome(t tester, s Strategy, done []Point) string {
	p, err := s.Ask(context.Background(), Question{Space: g.space, Tasks: g.tasks, Done: done, N: 1, Asked: len(done), Seed: g.seed})
	if err != nil || p.Stop == "" {
		t.Fatalf("not at its end: %v (%v)", p, err)
	}
	return p.Stop
}

func TestGreedyIsTheRecipe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		models := rapid.IntRange(2, 7).Draw(t, "models")
		space := box(models, 0, 1.2)
		if rapid.Bool().Draw(t, "proportions") {
			space = box(models, 0, 1)
			space.Simplex = [][]int{allOf(models)}
		}
		salt := rapid.Uint64().Draw(t, "salt")
		value := func(x []float64) float64 { // a rough landscape, so that every order and outcome occurs
			h := salt
			for _, v := range x {
				h = mix(h ^ uint64(v*1e6))
			}
			return float64(h%1000) / 1000
		}
		g := game{space: space, tasks: rates(1), batch: rapid.IntRange(1, 9).Draw(t, "batch"), slots: rapid.IntRange(0, 9).Draw(t, "slots"), measure: func(x []float64) Point {
			return Point{Y: []Measurement{{Value: value(x)}}}
		}}
		done, _ := g.play(t, greedy{})
		stop := g.outcome(t, greedy{}, done)
		k, err := newBaselines(&Question{Space: space, Tasks: g.tasks, Done: done}, nil)
		if err != nil {
			t.Fatal(err)
		}
		kept, soups := referenceSoup(k, func(members ...int) float64 { return value(k.average(members...)) })
		if want := "the greedy soup is " + k.name(kept) + ":"; !strings.HasPrefix(stop, want) {
			t.Fatalf("%q, want %q", stop, want)
		}
		// Models alone, the uniform soup, one filler, and at most two soups a decision: the needed one and
		// one for the outcome that did not come about.
		if most := models + 2 + 2*soups; len(done) > most {
			t.Fatalf("%d evaluations for %d decisions about %d models", len(done), soups, models)
		}
	})
}

func TestGreedyLeavesOutWhatFailed(t *testing.T) {
	g := game{space: box(3, 0, 1.2), tasks: rates(1), batch: 4, measure: func(x []float64) Point {
		if x[1] == 1 { // the second model alone
			return Point{Failed: true, Y: make([]Measurement, 1)}
		}
		return Point{Y: []Measurement{{Value: 0.5 + 0.1*x[1] + 0.01*x[0]*x[2]}}}
	}}
	done, _ := g.play(t, greedy{})
	if stop := g.outcome(t, greedy{}, done); !strings.HasPrefix(stop, "the greedy soup is m0 + m2: 2 of 3") {
		t.Errorf("%q, want the soup m0 + m2: 2 of 3", stop)
	}
}

// A soup that breaks a floor never takes the place of one that does not.
func TestGreedyKeepsFloors(t *testing.T) {
	floor := 0.5
	tasks := append(rates(1), Task{Name: "safety", Maximize: true, AtLeast: &floor})
	g := game{space: box(3, 0, 1.2), tasks: tasks, batch: 1, measure: func(x []float64) Point {
		return Point{Y: []Measurement{{Value: 0.3 + 0.1*x[0] + 0.2*x[1] + 0.4*x[2]*(1-x[2])}, {Value: 0.8 - 0.8*x[2]}}}
	}}
	done, _ := g.play(t, greedy{})
	if stop := g.outcome(t, greedy{}, done); !strings.HasPrefix(stop, "the greedy soup is m1: 1 of 3") {
		t.Errorf("%q, want the soup m1: 1 of 3", stop)
	}
	tasks[1].AtLeast = nil
	done, _ = g.play(t, greedy{})
	if stop := g.outcome(t, greedy{}, done); !strings.HasPrefix(stop, "the greedy soup is m1 + m2: 2 of 3") {
		t.Errorf("%q, want the soup m1 + m2: 2 of 3", stop)
	}
}

// On real networks the greedy soup is no worse than the best model alone and than the uniform soup, where
// that is on its way, and the weights decide what better means.
func TestGreedyOnDigits(t *testing.T) {
	g := digitsGame(t, 4)
	done, _ := g.play(t, greedy{})
	t.Log(len(done), g.outcome(t, greedy{}, done))
	best := 0.0
	for _, p := range done {
		if slices.Max(p.X) == 1 { // a model alone
			best = max(best, g.mean(p))
		}
	}
	if top := g.top(done); top < best+0.02 {
		t.Errorf("the best soup has a mean of %.3f, the best model alone %.3f", top, best)
	}
	for _, c := range g.space.Coefficients {
		own := greedy{weights: map[string]float64{c.Name: 1}}
		done, _ := g.play(t, own)
		if stop := g.outcome(t, own, done); !strings.HasPrefix(stop, fmt.Sprintf("the greedy soup is %s:", c.Name)) {
			t.Errorf("with a weight on %s alone: %s (%d points)", c.Name, stop, len(done))
		}
	}
}

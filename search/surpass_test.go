package search

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
)

// Of what the default strategy measures a good part is better than the uniform average on every task: merges that
// somebody might ship.
func TestAdaptiveMeasuresAboveTheAverage(t *testing.T) {
	t.Parallel()
	// A task gains by its own model, and loses less by each of the others.
	scores := func(x []float64) Point {
		var p Point
		for t, own := range x {
			eta := 3*own - 1.2*own*own - 1
			for j, v := range x {
				if j != t {
					eta -= v * v / 4
				}
			}
			p.Y = append(p.Y, Measurement{Value: 1 / (1 + math.Exp(-eta)), N: 400})
		}
		return p
	}
	for _, slots := range []int{0, 3} {
		g := game{space: box(3, 0, 1.2), tasks: rates(3), budget: 30, batch: 4, slots: slots, seed: 1, measure: scores}
		asked := 0
		done, _ := g.play(t, watched{strategyOf(t, "adaptive", nil), func(p Proposal) {
			for _, p := range p.Points {
				if strings.Contains(p.Why, "above the") {
					asked++
				}
			}
		}})
		average, above := scores([]float64{1. / 3, 1. / 3, 1. / 3}), 0
		for _, p := range done {
			better := true
			for k, a := range average.Y {
				better = better && p.Y[k].Value > a.Value
			}
			if better {
				above++
			}
		}
		if asked < 8 || above < 8 {
			t.Errorf("%d slots: %d of 30 points were to be above the average or the base, and %d are above the average on every task, expected 8 of each", slots, asked, above)
		}
	}
}

// Whoever wants to be better than the base finds points for it among the candidates, and the search says what for.
func TestCandidatesAboveTargets(t *testing.T) {
	t.Parallel()
	l := hilly(t, 4, 24)
	q := Question{Space: l.space, Tasks: l.tasks, N: 4}
	c, err := l.candidates(context.Background(), &q, false)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, b := range c.beat {
		names = append(names, b.name)
		if !slices.ContainsFunc(c.fs[:c.front], func(f []float64) bool { return weaklyDominates(f, b.ref) }) {
			t.Errorf("no candidate is above %s", b.name)
		}
	}
	if want := []string{"the uniform average", "the base"}; !slices.Equal(names, want) {
		t.Errorf("candidates are chosen above %v, expected %v", names, want)
	}
	if c.own == 0 || c.front <= c.own || len(c.fs) <= c.front || len(c.xs) != len(c.fs) {
		t.Errorf("%d candidates of the front are the search's own of %d, with neighbours %d, in all %d", c.own, c.front, len(c.fs), len(c.xs))
	}
}

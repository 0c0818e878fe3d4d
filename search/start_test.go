package search

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// started is a start of so many points, asked for batch after batch, each before the one before is measured, or, with
// slots, point after point.
func started(t *testing.T, n int, space Space, seed uint64, slots int, measure func([]float64) Point) (out []Proposed) {
	t.Helper()
	q := Question{Space: space, Tasks: rates(len(space.Coefficients)), Seed: seed}
	batch := 4
	if slots > 0 {
		batch = 1
	}
	for len(out) < n {
		p, err := open(t.Context(), &q, min(batch, n-len(out)))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p.Points...)
		done := 0 // of those pending
		if slots == 0 {
			done = len(q.Pending)
		} else if len(q.Pending) == slots-1 {
			done = 1
		}
		for _, x := range q.Pending[:done] {
			point := measure(x)
			point.X = x
			q.Done = append(q.Done, point)
		}
		q.Pending = append(slices.Clone(q.Pending[done:]), p.Xs()...)
	}
	return out
}

// own is a landscape where a model alone scores nothing but on its own task, as the base does, and merges score something.
func own(x []float64) Point {
	var p Point
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	for _, v := range x {
		score := 0.0
		if v >= 0.8 {
			score = 0.7
		}
		if v > 0.1 && v < 0.8 && sum > 1.2 {
			score = 0.2 + v/2
		}
		p.Y = append(p.Y, Measurement{Value: score, N: 400})
	}
	return p
}

func alone(ps []Proposed) int {
	n := 0
	for _, p := range ps {
		if strings.HasSuffix(p.Why, " alone") {
			n++
		}
	}
	return n
}

// The start begins with the base and the average; models alone are asked for as long as they say something.
func TestStartLooks(t *testing.T) {
	t.Parallel()
	for _, n := range []int{3, 4, 6, 8, 12} {
		for _, slots := range []int{0, 3} {
			for name, measure := range map[string]func([]float64) Point{"telling": slopes(n), "mute": own} {
				t.Run(fmt.Sprintf("%d models, %d slots, %s", n, slots, name), func(t *testing.T) {
					t.Parallel()
					ps := started(t, startSize(&Question{Space: box(n, 0, 1.2)}, 0), box(n, 0, 1.2), 1, slots, measure)
					if ps[0].Why != "the base" || ps[1].Why != "the uniform average" {
						t.Errorf("the start begins with %s and %s, expected the base and the average", ps[0].Why, ps[1].Why)
					}
					asked := alone(ps)
					if name == "telling" && asked < min(n, len(ps)-5) {
						t.Errorf("%d models alone of %d were asked for, all say something:\n%v", asked, n, ps)
					}
					if name == "mute" && asked > 3 {
						t.Errorf("%d models alone were asked for, that say nothing:\n%v", asked, ps)
					}
				})
			}
		}
	}
}

// Two seeds have two starts, however many models there are.
func TestSeedChangesTheStart(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 8; n++ {
		a, b := started(t, 8, box(n, 0, 1.2), 1, 0, slopes(n)), started(t, 8, box(n, 0, 1.2), 2, 0, slopes(n))
		if slices.EqualFunc(a, b, func(p, q Proposed) bool { return slices.Equal(p.X, q.X) }) {
			t.Errorf("%d models: seeds 1 and 2 start with the same %d points", n, len(a))
		}
	}
}

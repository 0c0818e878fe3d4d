package items

import (
	"fmt"
	"math"

	"parfait/problem"
)

// Kind is what an item says of trials.
type Kind string

// The kinds.
const (
	Unasked Kind = "unasked" // nobody answered it
	Never   Kind = "never"   // nobody solves it
	Always  Kind = "always"  // everybody who was asked solves it
	Parts   Kind = "parts"   // some solve it and some do not: it separates them
)

// Item is what the answers of trials say of one item.
type Item struct {
	Kind   Kind
	Asked  int // trials that answered it
	Solved int // of these, those that solve it
	// Discrimination is the correlation, over the trials that answered, of the score with the trial's metric over all other
	// items (the corrected item–total correlation): near 1 the item ranks trials as the benchmark does, below 0 it goes to the
	// worse. 0 where it does not vary.
	Discrimination float64
}

// Separate says of each of n items which trials it tells apart. metric (T) are the trials' means over all n items, solved says
// which scores count as solved. X of the trials is not used. O(answers).
func Separate(trials []Trial, metric []float64, n int, solved func(score float64) bool) ([]Item, error) {
	var e problem.List
	if len(metric) != len(trials) {
		e.Add(Shape, "%d metrics for %d trials", len(metric), len(trials))
		return nil, e.Err()
	}
	for t, trial := range trials {
		what := fmt.Sprintf("trial %d", t)
		checkAnswers(&e, what, trial.Items, trial.Scores, n)
		if !finite(metric[t]) {
			e.Add(NotANum, "%s: its metric is %g", what, metric[t])
		}
	}
	if err := e.Err(); err != nil {
		return nil, err
	}
	out, sums := make([]Item, n), make([]correlation, n)
	for t, trial := range trials {
		for k, v := range trial.Scores {
			i := trial.item(k)
			out[i].Asked++
			if solved(v) {
				out[i].Solved++
			}
			sums[i].add(v, metric[t]-v/float64(n))
		}
	}
	for i := range out {
		of := &out[i]
		of.Discrimination = sums[i].value()
		switch of.Solved {
		case of.Asked:
			of.Kind = Always
		case 0:
			of.Kind = Never
		default:
			of.Kind = Parts
		}
		if of.Asked == 0 {
			of.Kind = Unasked
		}
	}
	return out, nil
}

// correlation is Pearson's, of pairs that come one after the other (Welford 1962).
type correlation struct{ n, x, y, xx, yy, xy float64 }

func (c *correlation) add(x, y float64) {
	c.n++
	dx, dy := x-c.x, y-c.y
	c.x += dx / c.n
	c.y += dy / c.n
	c.xx += dx * (x - c.x)
	c.yy += dy * (y - c.y)
	c.xy += dx * (y - c.y)
}

func (c *correlation) value() float64 {
	const rounding = 1e-20
	if c.xx <= rounding*c.n*c.x*c.x || c.yy <= rounding*c.n*c.y*c.y {
		return 0
	}
	return min(max(c.xy/math.Sqrt(c.xx*c.yy), -1), 1)
}

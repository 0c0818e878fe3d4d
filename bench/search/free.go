package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"parfait/search"
)

// timesSpread is the standard deviation of the logarithm of how long evaluations take in free order.
const timesSpread = 0.7

// evaluation is one that runs on a slot.
type evaluation struct {
	id  int // from 0, in the order in which it was asked for
	x   []float64
	end float64
}

// freely plays one study as `order: free` does on so many slots, each of which takes a lognormal time for an evaluation:
// whenever slots are free the strategy is asked for as many points, knowing what has finished, with all that runs
// pending. Whenever as many have finished as a batch has, it notes what the front of those is worth.
func (c contender) freely(ctx context.Context, t *truth, j *judge, seed uint64, budget, batch, slots int) ([][2]float64, error) {
	random := rand.New(rand.NewPCG(seed, uint64(slots)))
	finished := map[int]search.Point{}
	var running []evaluation
	var curve [][2]float64
	now, asked, waits := 0.0, 0, false
	for b := 0; asked < budget || len(running) > 0; {
		if free := slots - len(running); free > 0 && asked < budget && !waits {
			p, err := c.strategy.Ask(ctx, question(t, finished, running, asked, search.Question{
				Batch: b, N: min(free, budget-asked), Budget: budget, Asked: asked, Seed: seed,
			}))
			if err != nil {
				return nil, err
			}
			b++
			if p.Stop != "" {
				budget = asked
			}
			waits = p.Wait != ""
			for _, x := range p.Xs() {
				running = append(running, evaluation{asked, x, now + math.Exp(timesSpread*random.NormFloat64())})
				asked++
			}
			continue
		}
		first := 0
		for i, e := range running {
			if e.end < running[first].end {
				first = i
			}
		}
		e := running[first]
		now, waits = e.end, false
		finished[e.id] = t.point(e.x)
		running = slices.Delete(running, first, first+1)
		if len(finished) < 8 || len(finished)%batch > 0 {
			continue
		}
		share, err := c.share(ctx, t, j, inOrder(finished, asked))
		if err != nil {
			return nil, err
		}
		curve = append(curve, [2]float64{float64(len(finished)), share})
	}
	if curve == nil {
		return nil, fmt.Errorf("nothing was asked for")
	}
	return curve, nil
}

// question is q with what has finished and what runs.
func question(t *truth, finished map[int]search.Point, running []evaluation, asked int, q search.Question) search.Question {
	q.Space, q.Tasks, q.Done = t.space, t.tasks, inOrder(finished, asked)
	running = slices.Clone(running)
	slices.SortFunc(running, func(a, b evaluation) int { return a.id - b.id })
	for _, e := range running {
		q.Pending = append(q.Pending, e.x)
	}
	return q
}

// inOrder are the points in the order in which they were asked for.
func inOrder(finished map[int]search.Point, asked int) (out []search.Point) {
	for id := range asked {
		if p, ok := finished[id]; ok {
			out = append(out, p)
		}
	}
	return out
}

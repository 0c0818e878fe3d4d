package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"parfait/evaluator"
	"parfait/search"
	"parfait/surrogate"
)

// contenders are raced where nothing else is asked for. map is the published recipe, its quadratics
// started from ones; map-zero the same from zero, for fairness.
var contenders = []string{"adaptive", "ehvi", "design", "bayesian", "map-zero", "map", "direct"}

// contender is a strategy with the surrogate that makes its front; without one it has its measured front.
type contender struct {
	name     string
	strategy search.Strategy
	fit      surrogate.Choice
	measured bool // no surrogate
}

// newContender reads "name" or "name:option=value:…"; others, which may be nil, has the peers.
func newContender(text string, others *peers) (contender, error) {
	parts := strings.Split(text, ":")
	c := contender{name: text}
	if slices.Contains(peerNames, text) {
		if others == nil {
			return c, fmt.Errorf("%s is a peer: say with --peers which Python has it", text)
		}
		c.strategy = peer{others, text}
		return c, nil
	}
	name := parts[0]
	switch name {
	case "map", "map-zero":
		c.fit = surrogate.Choice{Kind: surrogate.KindQuadratic, Plain: true, FromZero: name == "map-zero"}
		name = "map"
	case "direct", "evolution", "greedy":
		c.measured = true
	}
	options := map[string]any{}
	for _, p := range parts[1:] {
		k, v, _ := strings.Cut(p, "=")
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			options[k] = f
		} else {
			options[k] = v
		}
	}
	var err error
	c.strategy, err = search.New(name, options)
	return c, err
}

// race runs a contender for every seed and counts its evaluations.
// slots above 0: in free order on so many.
func race(ctx context.Context, t *truth, j *judge, c contender, seeds, budget, batch, slots int) (result, error) {
	curves := make([][][2]float64, seeds)
	errs := make([]error, seeds)
	var wg sync.WaitGroup
	next := make(chan int)
	for range 2 {
		wg.Go(func() {
			for s := range next {
				if slots > 0 {
					curves[s], errs[s] = c.freely(ctx, t, j, uint64(s), budget, batch, slots)
				} else {
					curves[s], errs[s] = c.run(ctx, t, j, uint64(s), budget, batch)
				}
			}
		})
	}
	for s := range seeds {
		next <- s
	}
	close(next)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return result{}, err
		}
	}
	r := result{Name: c.name, Slots: slots}
	to95, to99 := reached(curves, 0.95), reached(curves, 0.99)
	r.To95, r.To99 = quantile(to95, 0.5), quantile(to99, 0.5)
	r.Q25 = quartile{quantile(to95, 0.25), quantile(to99, 0.25)}
	r.Q75 = quartile{quantile(to95, 0.75), quantile(to99, 0.75)}
	for i := range curves[0] {
		var v []float64
		for _, c := range curves {
			if i < len(c) {
				v = append(v, c[i][1])
			}
		}
		r.Curve = append(r.Curve, [2]float64{curves[0][i][0], *quantile(v, 0.5)})
	}
	return r, nil
}

// reached is how many evaluations each run needed to a share, +Inf where it never got there.
func reached(curves [][][2]float64, share float64) []float64 {
	out := make([]float64, len(curves))
	for i, c := range curves {
		out[i] = math.Inf(1)
		for _, p := range c {
			if p[1] >= share {
				out[i] = p[0]
				break
			}
		}
	}
	return out
}

// quantile interpolates between the sorted values; nil where it is infinite.
func quantile(v []float64, q float64) *float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	at := q * float64(len(v)-1)
	lo, hi := v[int(math.Floor(at))], v[int(math.Ceil(at))]
	if math.IsInf(hi, 1) {
		return nil
	}
	m := lo + (hi-lo)*(at-math.Floor(at))
	return &m
}

// run plays one study. After each batch it notes the share of the attainable hypervolume that its front truly has.
func (c contender) run(ctx context.Context, t *truth, j *judge, seed uint64, budget, batch int) ([][2]float64, error) {
	var curve [][2]float64
	_, err := c.play(ctx, t, seed, budget, batch, func(known []search.Point) error {
		if len(known) < 8 {
			return nil
		}
		share, err := c.share(ctx, t, j, known)
		curve = append(curve, [2]float64{float64(len(known)), share})
		return err
	})
	if err == nil && curve == nil {
		err = fmt.Errorf("nothing was asked for")
	}
	return curve, err
}

// play plays one study: batch after batch, each asked for before the batch before it is measured. It returns what was
// measured, of which note is told after each batch.
func (c contender) play(ctx context.Context, t *truth, seed uint64, budget, batch int, note func([]search.Point) error) ([]search.Point, error) {
	var done, known []search.Point
	var pending [][]float64
	for b := 0; len(done)+len(pending) < budget; b++ {
		p, err := c.strategy.Ask(ctx, search.Question{
			Space: t.space, Tasks: t.tasks, Done: done, Pending: pending,
			Batch: b, N: batch, Budget: budget, Asked: len(done) + len(pending), Seed: seed,
		})
		if err != nil {
			return nil, err
		}
		if p.Stop != "" {
			break
		}
		for _, x := range pending {
			done = append(done, t.point(x))
		}
		if pending = p.Xs(); len(pending) == 0 {
			continue // it waits for what has just been measured
		}
		known = slices.Clone(done)
		for _, x := range pending {
			known = append(known, t.point(x))
		}
		if err := note(known); err != nil {
			return nil, err
		}
	}
	return known, nil
}

// share is what frontSize points are truly worth, chosen among the measured ones and, with a surrogate,
// those that it predicts to be on the front and that the program would show.
func (c contender) share(ctx context.Context, t *truth, j *judge, known []search.Point) (float64, error) {
	var xs, fs [][]float64
	for _, p := range known {
		xs, fs = append(xs, p.X), append(fs, t.negated(p.X, evaluator.Validation))
	}
	if !c.measured {
		l, err := search.Fit(ctx, search.Question{Space: t.space, Tasks: t.tasks, Done: known, Surrogate: c.fit})
		if err != nil {
			return 0, err
		}
		front, err := l.Front(ctx, shownSize)
		if err != nil {
			return 0, err
		}
		problem := l.Problem()
		for _, x := range front {
			f := make([]float64, problem.M)
			problem.Eval(f, x)
			xs, fs = append(xs, x), append(fs, f)
		}
	}
	var chosen [][]float64
	for _, i := range j.choose(fs, frontSize) {
		chosen = append(chosen, t.negated(xs[i], evaluator.Test))
	}
	return j.share(chosen), nil
}

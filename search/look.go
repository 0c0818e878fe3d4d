package search

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"parfait/parallel"
)

const (
	lookDraws  = 256 // of the surrogates, by which places are judged
	lookPlaces = 240 // that are judged

	// climb
	climbers  = 24
	brood     = 8
	climbs    = 8
	climbStep = 0.2 // in units of the ranges
)

// aboveExpected is what an aspiration that is missed counts, and a floor beside those, where a mean is taken over what may
// be: at the full price (aboveGains) the smallest doubt of a floor would drown all that there is to gain.
const aboveExpected = 10

// look fills a batch with the points that are expected to improve most on what is measured, by somebody's wishes.
//
// Idea: expected improvement of a function of several surrogates (Astudillo and Frazier 2019), by joint draws, over what
// the measured points may truly be (Letham, Karrer, Ottoni and Bakshy 2019). A draw is one way in which all the tasks may
// be everywhere; in each the best of what is measured, pending or chosen is known, and with it what a place would add.
// All points of a batch are chosen by the same draws, so that no two stand for the same hope.
//
// Cost: O((c + n)³) a task for c places and n measured points, and a batch point O(draws · c).
func look(ctx context.Context, l *Landscape, q *Question) (Proposal, error) {
	aim, err := l.aim(q.Focus.Wishes)
	if err != nil {
		return Proposal{}, err
	}
	known := q.standing()
	places, err := l.without(-1).promising(ctx, aim.Achievement, q)
	if err != nil {
		return Proposal{}, err
	}
	drawn, err := l.drawn(ctx, aim.counted(), slices.Concat(known, places), lookDraws)
	if err != nil {
		return Proposal{}, err
	}
	scores := make([][]float64, lookDraws)
	best := make([]float64, lookDraws)
	for s := range scores {
		scores[s] = drawn.scores(aim.Achievement, s)
		best[s] = slices.Max(scores[s][:len(known)])
		scores[s] = scores[s][len(known):]
	}
	hopes := newHopes(scores, best)
	var out Proposal
	taken := q.taken()
	for len(out.Points) < q.N {
		at, chance := hopes.next()
		if at < 0 {
			break
		}
		hopes.take(at)
		x := q.Space.tidy(places[at])
		if q.Space.known(x, taken) {
			continue
		}
		taken = append(taken, x)
		out.Points = append(out.Points, Proposed{X: x, Why: fmt.Sprintf("looks for %s: better than all that is measured with probability %.2f", q.Focus.Wishes, chance)})
	}
	return out.filled(ctx, q)
}

// filled is a proposal with as many points as are asked for, the missing ones from the design.
func (p Proposal) filled(ctx context.Context, q *Question) (Proposal, error) {
	short := q.N - len(p.Points)
	if short == 0 {
		return p, nil
	}
	more := *q
	more.Pending = slices.Concat(q.Pending, p.Xs())
	rest, err := open(ctx, &more, short)
	if err != nil || len(p.Points) == 0 {
		return rest, err
	}
	p.Points = append(p.Points, rest.Points...)
	return p, nil
}

// standing are the points that were measured, and those that will be.
func (q *Question) standing() [][]float64 {
	var out [][]float64
	for _, p := range q.Done {
		if !p.Failed {
			out = append(out, p.X)
		}
	}
	return append(out, q.Pending...)
}

// hopes are what places may add to the best that there is, draw by draw.
type hopes struct {
	scores [][]float64 // draws × places
	best   []float64   // a draw
	used   []bool
}

func newHopes(scores [][]float64, best []float64) *hopes {
	return &hopes{scores, best, make([]bool, len(scores[0]))}
}

// next is the place that is expected to add most, and how probably it adds anything; where no place does in any draw, the
// one that comes nearest to it. −1 where all are taken.
func (h *hopes) next() (at int, chance float64) {
	at = -1
	top, nearest := 0.0, math.Inf(-1)
	for i := range h.used {
		if h.used[i] {
			continue
		}
		gain, better, near := 0.0, 0, math.Inf(-1)
		for s, had := range h.best {
			v := h.scores[s][i] - had
			if near = max(near, v); v > 0 {
				gain += v
				better++
			}
		}
		if gain > top || top == 0 && near > nearest {
			at, top, nearest, chance = i, gain, near, float64(better)/float64(len(h.best))
		}
	}
	return at, chance
}

// take enters a place: what comes after has to be better.
func (h *hopes) take(i int) {
	h.used[i] = true
	for s := range h.best {
		h.best[s] = max(h.best[s], h.scores[s][i])
	}
}

// drawn are joint draws of the surrogates at some points.
type drawn struct {
	tasks  []int
	values []*mat.Dense // one of those: draws × points
	y      []float64    // a task: room
}

// drawn draws some tasks, as much wider than their surrogates have them as predictions that were left out were off.
func (l *Landscape) drawn(ctx context.Context, tasks []int, xs [][]float64, draws int) (*drawn, error) {
	d := &drawn{tasks: tasks, y: make([]float64, len(l.tasks))}
	d.values = make([]*mat.Dense, len(d.tasks))
	return d, parallel.For(ctx, 0, len(d.tasks), func(k int) {
		rng := generator(uint64(d.tasks[k]), 0x6c6f6f6b)
		f := &l.fits[d.tasks[k]]
		d.values[k] = f.surrogate.Draws(xs, draws, f.spread(), rng.NormFloat64)
	})
}

// scores are those of one draw, a point each.
func (d *drawn) scores(score func(y []float64) float64, draw int) []float64 {
	_, n := d.values[0].Dims()
	out := make([]float64, n)
	for j := range out {
		for k, i := range d.tasks {
			d.y[i] = d.values[k].At(draw, j)
		}
		out[j] = score(d.y)
	}
	return out
}

// counted are the tasks whose values an achievement depends on.
func (a *Aim) counted() []int {
	var out []int
	for i := range a.tasks {
		if a.weights[i] > 0 || !math.IsNaN(a.aspired[i]) || slices.Contains(a.floored, i) {
			out = append(out, i)
		}
	}
	return out
}

// promising are places that may score highest: by what is predicted, and by its hopeful end, one and two standard deviations
// from there; those that break floors of l, last.
func (l *Landscape) promising(ctx context.Context, score func(y []float64) float64, q *Question) ([][]float64, error) {
	from := append(l.everywhere(), q.standing()...)
	var out [][]float64
	for hope := range 3 {
		found, err := l.climb(ctx, from, q.Seed+uint64(len(q.Done)), func(x []float64) float64 {
			return score(l.hopeful(x, float64(hope))) - aboveGains*max(l.missing(x), 0)
		})
		if err != nil {
			return nil, err
		}
		out = append(out, l.apart(found, lookPlaces/3)...)
	}
	return out, nil
}

// apart are the first n places of some that do not crowd: whoever climbs comes to one place again and again.
func (l *Landscape) apart(found [][]float64, n int) [][]float64 {
	const crowd = 0.01
	var out [][]float64
	for _, x := range found {
		if len(out) == n {
			break
		}
		if x = l.retreat(x); !slices.ContainsFunc(out, func(o []float64) bool { return l.space.Gap(o, x) < crowd }) {
			out = append(out, x)
		}
	}
	return out
}

// hopeful are the predictions at x, a task each, better by so many standard deviations.
func (l *Landscape) hopeful(x []float64, deviations float64) []float64 {
	y := make([]float64, len(l.tasks))
	for i := range y {
		if deviations == 0 {
			y[i] = l.fits[i].surrogate.Mean(nil, x)
			continue
		}
		mean, std := l.fits[i].surrogate.Predict(x)
		y[i] = mean - float64(l.sign(i)*deviations*std)
	}
	return y
}

// climb looks for the places with the highest score, the best first: round after round some steps from each of the best
// so far, shorter and shorter.
func (l *Landscape) climb(ctx context.Context, from [][]float64, seed uint64, score func([]float64) float64) ([][]float64, error) {
	type place struct {
		x     []float64
		score float64
	}
	var found []place
	reach := func(xs [][]float64) error {
		more := make([]place, len(xs))
		err := parallel.For(ctx, 0, len(xs), func(i int) { more[i] = place{xs[i], score(xs[i])} })
		found = append(found, more...)
		slices.SortStableFunc(found, func(a, b place) int { return cmp.Compare(b.score, a.score) })
		return err
	}
	if err := reach(from); err != nil {
		return nil, err
	}
	rng := generator(seed, 0x636c696d62)
	bounds := l.space.Bounds()
	for step := climbStep; step > climbStep/math.Pow(1.6, climbs); step /= 1.6 {
		var xs [][]float64
		for _, p := range found[:min(climbers, len(found))] {
			for range brood {
				x := slices.Clone(p.x)
				for j, c := range l.space.Coefficients {
					if rng.IntN(2) == 0 {
						x[j] += step * (c.Hi - c.Lo) * rng.NormFloat64()
					}
				}
				bounds.Project(x)
				xs = append(xs, x)
			}
		}
		if err := reach(xs); err != nil {
			return nil, err
		}
	}
	out := make([][]float64, len(found))
	for i, p := range found {
		out[i] = p.x
	}
	return out, nil
}

// Best is where predictions come nearest to wishes, of all places that may be believed, or, where none may, of those that
// come nearest to that.
func (l *Landscape) Best(ctx context.Context, w Wishes) ([]float64, error) {
	aim, err := l.aim(w)
	if err != nil {
		return nil, err
	}
	found, err := l.climb(ctx, l.everywhere(), 1, func(x []float64) float64 {
		return aim.Achievement(l.hopeful(x, 0)) - doubtful*max(0, l.doubt(x))
	})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// doubtful is what a doubt counts beside achievements.
const doubtful = 1e6

package search

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// oneshot is MAP (Li et al., arXiv 2406.07529): all points at once, spread evenly over the whole box
// without a look at any metric; surrogates and front come after. Where there are more than four models it
// spends most of its points in corners where merges collapse; design and adaptive do not.
type oneshot struct{}

func newOneshot(map[string]any) (Strategy, error) { return oneshot{}, nil }

// Ask implements Strategy.
func (oneshot) Ask(ctx context.Context, q Question) (Proposal, error) {
	if err := q.check(); err != nil {
		return Proposal{}, err
	}
	n, spent := q.wanted()
	if n == 0 {
		return Proposal{Stop: spent}, nil
	}
	return even(ctx, &q, n)
}

// even returns the next n points of a sequence that is even over the whole space.
func even(ctx context.Context, q *Question, n int) (Proposal, error) {
	r := newRegion(q.Space).whole()
	taken := q.taken()
	var out Proposal
	for from := q.Asked; len(out.X) < n; from += n {
		if err := ctx.Err(); err != nil {
			return Proposal{}, err
		}
		if from > q.Asked+100*n {
			out.Stop = "every place that could be told apart has been asked for"
			return out, nil
		}
		for _, x := range r.spread(from+n, q.Seed)[from:] {
			x = q.Space.tidy(x)
			if len(out.X) < n && !q.Space.known(x, taken) {
				taken = append(taken, x)
				out.X, out.Why = append(out.X, x), append(out.Why, "spread evenly over the whole box")
			}
		}
	}
	return out, nil
}

// bayesian is Bayesian MAP (Li et al., arXiv 2406.07529): after an even start, each batch goes where the
// surrogates were wrong. The direction of the coefficients from the base, in hyperspherical angles, is cut
// into cells; a cell's score is the mean plus half the standard deviation of the leave-one-out residuals
// of its points, in units of each task's range; cells are drawn by the softmax of their scores, points
// evenly within them. The angles are cut so that there are at most about 128 cells, so that it can be used
// above six models; a cell without points scores as all points together.
type bayesian struct{ start int }

func newBayesian(options map[string]any) (Strategy, error) {
	o := settings{given: options}
	b := bayesian{start: o.whole("start", 0, 0)}
	return b, o.err("bayesian")
}

const (
	directionPool = 4000 // points from which those of a cell are drawn
	mostCells     = 128
)

// Ask implements Strategy.
func (b bayesian) Ask(ctx context.Context, q Question) (Proposal, error) {
	if err := q.check(); err != nil {
		return Proposal{}, err
	}
	n, spent := q.wanted()
	if n == 0 {
		return Proposal{Stop: spent}, nil
	}
	if len(q.Done)+len(q.Pending) < startSize(&q, b.start) || !q.measured() {
		return even(ctx, &q, n)
	}
	l, err := FitAs(ctx, q.Surrogate, q.Space, q.Tasks, q.Done)
	if err != nil {
		return Proposal{}, err
	}
	c := newCells(newRegion(q.Space))
	scores := l.scores(c, q.Done)
	rng := generator(q.Seed, uint64(q.Asked)+1)
	members := map[string][][]float64{}
	var keys []string
	for _, x := range c.region.whole().spread(directionPool, q.Seed+uint64(q.Batch)+1) {
		k := c.key(x)
		if members[k] == nil {
			keys = append(keys, k)
		}
		members[k] = append(members[k], x)
	}
	weights := softmax(keys, scores)
	taken := q.taken()
	var out Proposal
	for tries := 0; len(out.X) < n && tries < 1000; tries++ {
		u, at := rng.Float64(), 0
		for at < len(keys)-1 && u > weights[at] {
			u -= weights[at]
			at++
		}
		cell := members[keys[at]]
		x := q.Space.tidy(cell[rng.IntN(len(cell))])
		if q.Space.known(x, taken) {
			continue
		}
		taken = append(taken, x)
		out.X = append(out.X, x)
		out.Why = append(out.Why, fmt.Sprintf("in a direction where the surrogates were off by %.0f %% of the range", 100*scores.of(keys[at])))
	}
	if len(out.X) < n {
		out.Stop = "every place that could be told apart has been asked for"
	}
	return out, nil
}

// cells cut the directions from the base into parts.
type cells struct {
	region *region
	axes   []int // coefficients that make the direction
	cuts   int   // an angle
	signed bool  // whether coefficients reach below the base
}

func newCells(r *region) *cells {
	c := &cells{region: r}
	for i, k := range r.space.Coefficients {
		if k.Kind == Parameter && slices.Contains(r.free, i) {
			continue
		}
		c.axes = append(c.axes, i)
		c.signed = c.signed || r.lo[i] < r.origin[i]
	}
	angles := max(len(c.axes)-1, 1)
	c.cuts = min(max(int(math.Pow(mostCells, 1/float64(angles))), 2), 8)
	return c
}

// key names the cell of x.
func (c *cells) key(x []float64) string {
	key := make([]byte, 0, len(c.axes))
	rest := 0.0 // squared length of what comes after
	v := make([]float64, len(c.axes))
	for k, i := range c.axes {
		width := c.region.space.Coefficients[i].Hi - c.region.space.Coefficients[i].Lo
		if width > 0 {
			v[k] = (x[i] - c.region.origin[i]) / width
		}
		rest += v[k] * v[k]
	}
	budget := math.Log(mostCells)
	for k := 0; k+1 < len(v) && budget > 0; k++ {
		rest = max(rest-v[k]*v[k], 0)
		angle := math.Atan2(math.Sqrt(rest), v[k]) // 0 … π
		whole := math.Pi
		if !c.signed {
			whole = math.Pi / 2
		}
		key = append(key, byte(min(int(angle/whole*float64(c.cuts)), c.cuts-1)))
		budget -= math.Log(float64(c.cuts))
	}
	return string(key)
}

// cellScores are scores of cells, and what counts where a cell has no points.
type cellScores struct {
	known   map[string]float64
	unknown float64
	spread  float64
}

func (s cellScores) of(key string) float64 {
	if v, ok := s.known[key]; ok {
		return v
	}
	return s.unknown
}

// scores are mean plus half the standard deviation of the residuals in each cell.
func (l *Landscape) scores(c *cells, points []Point) cellScores {
	sum, count := map[int]float64{}, map[int]float64{}
	for _, i := range l.goalsOrAll() {
		f := &l.fits[i]
		if !f.varies() {
			continue
		}
		for k, p := range f.used {
			sum[p] += math.Abs(points[p].Y[i].Value-f.trust.LOO[k]) / f.spread
			count[p]++
		}
	}
	byCell := map[string][]float64{}
	var all []float64
	for p, point := range points {
		if count[p] > 0 {
			r := sum[p] / count[p]
			all = append(all, r)
			k := c.key(point.X)
			byCell[k] = append(byCell[k], r)
		}
	}
	out := cellScores{known: map[string]float64{}, unknown: upper(all)}
	_, out.spread = meanStd(all)
	for k, r := range byCell {
		out.known[k] = upper(r)
	}
	return out
}

// upper is the mean plus half the standard deviation.
func upper(v []float64) float64 {
	mean, std := meanStd(v)
	return mean + std/2
}

func meanStd(v []float64) (mean, std float64) {
	if len(v) == 0 {
		return 0, 0
	}
	for _, a := range v {
		mean += a / float64(len(v))
	}
	for _, a := range v {
		std += (a - mean) * (a - mean) / float64(len(v))
	}
	return mean, math.Sqrt(std)
}

// softmax returns the probabilities of the cells.
func softmax(keys []string, s cellScores) []float64 {
	out := make([]float64, len(keys))
	top := math.Inf(-1)
	for i, k := range keys {
		out[i] = 0
		if s.spread > 0 {
			out[i] = s.of(k) / s.spread
		}
		top = max(top, out[i])
	}
	sum := 0.0
	for i := range out {
		out[i] = math.Exp(out[i] - top)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

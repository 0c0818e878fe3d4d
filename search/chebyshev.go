package search

import (
	"cmp"
	"context"
	"math"
	"slices"

	"parfait/parallel"
	"parfait/pareto"
)

// chebyshev finds the predicted front where its hypervolume is: for each of many random directions λ, the point
// that reaches farthest from the reference along it,
//
//	max over x of min_k (ref_k − f_k(x)) / λ_k.
//
// Idea: the mean of that reach, to the power of the number of objectives, over directions is the hypervolume but
// for a constant (Deng and Zhang 2019; Zhang and Golovin 2020), so that directions drawn evenly find the points
// that the hypervolume is made of. An even spread over the front, by contrast, puts most of its points at the rims
// where there is little to gain, the more so the more objectives there are. The minimum is smoothed to a soft one
// for its gradient; steps are taken where the true one grows, so that smoothing costs no accuracy.
//
// Floors bound the steps: one that leaves them goes back to their edge, along their gradients, and so along it.
//
// Invariant: xs[i] lies within the bounds, fs[i] are its objectives, and gains its row of ref − fs[i]; a direction
// never ends at a point that reaches less far than where it began, or that breaks a floor.
//
// Cost: for n directions, m objectives and s known points O(n·s·m) to find where to begin, and at most 24 steps each: with
// 16 objectives a dozen, of which four lead somewhere, and which cost a third of as many evaluations with all gradients. The directions are followed in four waves, each beginning from what the ones
// before it found.
type chebyshev struct {
	ctx    context.Context
	l      *Landscape
	bounds pareto.Bounds
	ref    []float64
	scale  []float64 // of the objectives
	xs, fs [][]float64
	known  int       // how many of them no direction ended at
	gains  []float64 // of fs: what each objective is better than the reference, row after row
	broken []bool    // of fs: breaks a floor, so that no direction begins there
}

const (
	maxAscent = 24   // steps along a direction
	sharpness = 60   // of the soft minimum over objectives, in units of the reach
	firstStep = 0.1  // in units of the ranges
	lastStep  = 1e-4 // at which a direction has arrived
	waves     = 4
)

// chebyshevFront returns the ends of n directions from ref that are not dominated, with their objectives.
func (l *Landscape) chebyshevFront(ctx context.Context, n int, ref []float64) (xs, fs [][]float64, err error) {
	c, err := l.newChebyshev(ctx, l.everywhere())
	if err == nil {
		err = c.aim(n, ref)
	}
	if err != nil {
		return nil, nil, err
	}
	xs, fs = c.ends()
	return xs, fs, nil
}

// newChebyshev knows points from which directions may begin.
func (l *Landscape) newChebyshev(ctx context.Context, from [][]float64) (*chebyshev, error) {
	c := &chebyshev{ctx: ctx, l: l, bounds: l.space.Bounds(), known: len(from)}
	return c, c.add(from)
}

// everywhere are points all over the space, those on the measured front and the anchors.
func (l *Landscape) everywhere() [][]float64 {
	region := newRegion(l.space)
	out := append(region.spread(1000, 3), region.whole().spread(500, 4)...)
	out = append(out, l.starts...)
	for _, a := range region.anchors() {
		out = append(out, a.X)
	}
	return out
}

// aim follows n directions from ref.
func (c *chebyshev) aim(n int, ref []float64) error {
	c.ref, c.scale, c.gains = ref, make([]float64, len(ref)), c.gains[:0]
	for k, best := range c.ideal() {
		c.scale[k] = max(ref[k]-best, 1e-12)
	}
	c.gain(c.fs)
	directions := c.directions(n)
	for wave := range waves {
		lo, hi := wave*len(directions)/waves, (wave+1)*len(directions)/waves
		ends := make([][]float64, hi-lo)
		err := parallel.For(c.ctx, 0, hi-lo, func(i int) { ends[i] = c.follow(directions[lo+i]) })
		had := len(c.fs)
		if err == nil {
			err = c.add(slices.DeleteFunc(ends, func(x []float64) bool { return x == nil }))
		}
		if err != nil {
			return err
		}
		c.gain(c.fs[had:])
	}
	return nil
}

// ends are where directions ended, as far as not dominated.
func (c *chebyshev) ends() (xs, fs [][]float64) {
	ends, values := c.xs[c.known:], c.fs[c.known:]
	for _, i := range pareto.NonDominated(values) {
		xs, fs = append(xs, ends[i]), append(fs, values[i])
	}
	return xs, fs
}

// feasibleEnds are those of ends where a function, if there is one, is at most 0.
func (c *chebyshev) feasibleEnds(feasible func([]float64) float64) (xs, fs [][]float64, err error) {
	xs, fs = c.ends()
	if feasible == nil {
		return xs, fs, nil
	}
	keep := make([]bool, len(xs))
	if err := parallel.For(c.ctx, 0, len(xs), func(i int) { keep[i] = feasible(xs[i]) <= 0 }); err != nil {
		return nil, nil, err
	}
	n := 0
	for i, k := range keep {
		if k {
			xs[n], fs[n] = xs[i], fs[i]
			n++
		}
	}
	return xs[:n], fs[:n], nil
}

// ideal is the best known of each objective, within the floors where something is.
func (c *chebyshev) ideal() []float64 {
	best := slices.Repeat([]float64{math.Inf(1)}, len(c.fs[0]))
	all := !slices.Contains(c.broken, false)
	for i, f := range c.fs {
		if c.broken[i] && !all {
			continue
		}
		for k, v := range f {
			best[k] = min(best[k], v)
		}
	}
	return best
}

// gain notes how much better than the reference each of some known points is.
func (c *chebyshev) gain(fs [][]float64) {
	for _, f := range fs {
		for k, v := range f {
			c.gains = append(c.gains, c.ref[k]-v)
		}
	}
}

// add evaluates points and keeps them as places to begin from.
func (c *chebyshev) add(xs [][]float64) error {
	fs, broken := make([][]float64, len(xs)), make([]bool, len(xs))
	err := parallel.For(c.ctx, 0, len(xs), func(i int) {
		fs[i], broken[i] = c.l.at(xs[i]), c.l.missing(xs[i]) > 0
	})
	if err != nil {
		return err
	}
	c.xs, c.fs, c.broken = append(c.xs, xs...), append(c.fs, fs...), append(c.broken, broken...)
	return nil
}

// directions are the best of each objective alone, and then random ones, even on the sphere.
func (c *chebyshev) directions(n int) [][]float64 {
	m := len(c.ref)
	rng := generator(1, 0x72617973)
	out := make([][]float64, max(n, m))
	for i := range out {
		out[i] = make([]float64, m)
		norm := 0.0
		for k := range m {
			out[i][k] = math.Abs(rng.NormFloat64())
			if i < m && i != k {
				out[i][k] = 1e-3
			}
			norm += out[i][k] * out[i][k]
		}
		for k := range m {
			out[i][k] = max(out[i][k]/math.Sqrt(norm), 1e-3) * c.scale[k]
		}
	}
	return out
}

// reach is how far f is from the reference along a direction.
func (c *chebyshev) reach(f, direction []float64) float64 {
	least := math.Inf(1)
	for k, v := range f {
		least = min(least, (c.ref[k]-v)/direction[k])
	}
	return least
}

// farthest is the row that reaches farthest along a direction, of those that keep the floors; −1 where none does.
func (c *chebyshev) farthest(direction []float64) int {
	m := len(direction)
	rate := make([]float64, m)
	for k, v := range direction {
		rate[k] = 1 / v
	}
	best, top := -1, math.Inf(-1)
rows:
	for i := range c.fs {
		if c.broken[i] {
			continue
		}
		least := math.Inf(1)
		for k, g := range c.gains[i*m : (i+1)*m] {
			if least = min(least, g*rate[k]); least <= top {
				continue rows
			}
		}
		best, top = i, least
	}
	return best
}

// follow returns the point that reaches farthest along a direction within the floors; nil where none is known to keep them. Two steps of three lead nowhere, and most of those
// for the objective that holds the reach down where they begin: it is looked at first, and the others only while the
// step may still gain something.
func (c *chebyshev) follow(direction []float64) []float64 {
	start := c.farthest(direction)
	if start < 0 {
		return nil
	}
	bounds, m := c.bounds, len(direction)
	x, f := slices.Clone(c.xs[start]), slices.Clone(c.fs[start])
	y, fy, g := make([]float64, len(x)), make([]float64, m), make([]float64, len(x))
	order := make([]int, m)
	for k := range order {
		order[k] = k
	}
	reach := c.reach(f, direction)
	moved := true
	for step, count := firstStep, 0; count < maxAscent && step > lastStep; count++ {
		if moved {
			if !c.ascent(g, f, x, direction, reach) {
				break
			}
			slices.SortFunc(order, func(i, j int) int {
				return cmp.Or(cmp.Compare((c.ref[i]-f[i])/direction[i], (c.ref[j]-f[j])/direction[j]), cmp.Compare(i, j))
			})
		}
		for j := range y {
			y[j] = x[j] + step*(bounds.Hi[j]-bounds.Lo[j])*g[j]
		}
		bounds.Project(y)
		least := c.farther(fy, y, direction, order, reach)
		if least > reach && !c.l.kept(y) { // floors are asked last: their intervals cost most
			if least = math.Inf(-1); c.l.backWithin(y) {
				least = c.farther(fy, y, direction, order, reach)
			}
		}
		if moved = least > reach; moved {
			x, y, f, fy, reach = y, x, fy, f, least
			step *= 1.4
		} else {
			step *= 0.4
		}
	}
	return x
}

// farther is how far y reaches along a direction, with its objectives in fy, or something no farther than reach: objectives
// are asked for in order, as long as they do.
func (c *chebyshev) farther(fy, y, direction []float64, order []int, reach float64) float64 {
	least := math.Inf(1)
	for _, k := range order {
		fy[k] = c.l.objective(nil, y, k)
		if least = min(least, (c.ref[k]-fy[k])/direction[k]); !(least > reach) {
			break
		}
	}
	return least
}

// slight is the weight in the soft minimum below which an objective does not turn a step.
const slight = 1e-6

// ascent stores the direction of steepest ascent of the soft reach at x, of unit length in units of the
// ranges; false where there is none.
func (c *chebyshev) ascent(g, f, x, direction []float64, reach float64) bool {
	clear(g)
	slope := make([]float64, len(g))
	for k, v := range f {
		w := math.Exp(-sharpness * ((c.ref[k]-v)/direction[k] - reach))
		if w < slight {
			continue
		}
		c.l.objective(slope, x, k)
		for j, a := range slope {
			g[j] -= w / direction[k] * a
		}
	}
	norm := 0.0
	bounds := c.bounds
	for j := range g {
		g[j] *= bounds.Hi[j] - bounds.Lo[j]
		if x[j] <= bounds.Lo[j] && g[j] < 0 || x[j] >= bounds.Hi[j] && g[j] > 0 {
			g[j] = 0
		}
		norm += g[j] * g[j]
	}
	if !(norm > 0) {
		return false
	}
	for j := range g {
		g[j] /= math.Sqrt(norm)
	}
	return true
}

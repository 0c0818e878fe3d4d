package search

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

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
// Invariant: xs[i] lies within the bounds, fs[i] are its objectives, and gains its row of ref − fs[i]; a direction
// never ends at a point that reaches less far than where it began.
//
// Cost: for n directions, m objectives and s known points O(n·s·m) to find where to begin, and at most 24
// evaluations with gradients each. The directions are followed in four waves, each beginning from what the ones
// before it found.
type chebyshev struct {
	ctx     context.Context
	problem pareto.Problem
	ref     []float64
	scale   []float64 // of the objectives
	xs, fs  [][]float64
	gains   []float64 // of fs: what each objective is better than the reference, row after row
}

const (
	maxAscent = 24   // steps along a direction
	sharpness = 60   // of the soft minimum over objectives, in units of the reach
	firstStep = 0.1  // in units of the ranges
	lastStep  = 1e-4 // at which a direction has arrived
	waves     = 4
)

// chebyshevFront returns the ends of n directions that are not dominated, with their objectives.
func (l *Landscape) chebyshevFront(ctx context.Context, n int, ref []float64) (xs, fs [][]float64, err error) {
	c := &chebyshev{ctx: ctx, problem: l.Problem(), ref: ref, scale: make([]float64, len(ref))}
	region := newRegion(l.space)
	pool := append(region.spread(1000, 3), region.whole().spread(500, 4)...)
	pool = append(pool, l.starts...)
	for _, a := range region.anchors(false) {
		pool = append(pool, a.X)
	}
	if err := c.add(pool); err != nil {
		return nil, nil, err
	}
	for k := range c.scale {
		best := math.Inf(1)
		for _, f := range c.fs {
			best = min(best, f[k])
		}
		c.scale[k] = max(ref[k]-best, 1e-12)
	}
	directions := c.directions(n)
	for wave := range waves {
		lo, hi := wave*len(directions)/waves, (wave+1)*len(directions)/waves
		ends := make([][]float64, hi-lo)
		err := parallel.For(ctx, 0, hi-lo, func(i int) { ends[i] = c.follow(directions[lo+i]) })
		if err == nil {
			err = c.add(ends)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	ends, values := c.xs[len(pool):], c.fs[len(pool):]
	for _, i := range pareto.NonDominated(values) {
		xs, fs = append(xs, ends[i]), append(fs, values[i])
	}
	return xs, fs, nil
}

// add evaluates points and keeps them as places to begin from.
func (c *chebyshev) add(xs [][]float64) error {
	fs := make([][]float64, len(xs))
	err := parallel.For(c.ctx, 0, len(xs), func(i int) {
		fs[i] = make([]float64, c.problem.M)
		c.problem.Eval(fs[i], xs[i])
	})
	if err != nil {
		return err
	}
	c.xs, c.fs = append(c.xs, xs...), append(c.fs, fs...)
	for _, f := range fs {
		for k, v := range f {
			c.gains = append(c.gains, c.ref[k]-v)
		}
	}
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

// farthest is the row that reaches farthest along a direction.
func (c *chebyshev) farthest(direction []float64) int {
	m := len(direction)
	rate := make([]float64, m)
	for k, v := range direction {
		rate[k] = 1 / v
	}
	best, top := 0, math.Inf(-1)
rows:
	for i := range c.fs {
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

// follow returns the point that reaches farthest along a direction.
func (c *chebyshev) follow(direction []float64) []float64 {
	start := c.farthest(direction)
	d, m := len(c.problem.Lo), c.problem.M
	x := append([]float64(nil), c.xs[start]...)
	y, g := make([]float64, d), make([]float64, d)
	f, jac := make([]float64, m), mat.NewDense(m, d, nil)
	c.problem.EvalJacobian(f, jac, x)
	for step, count := firstStep, 0; count < maxAscent && step > lastStep; count++ {
		if !c.ascent(g, f, jac, x, direction) {
			break
		}
		for j := range y {
			y[j] = x[j] + step*(c.problem.Hi[j]-c.problem.Lo[j])*g[j]
		}
		c.problem.Project(y)
		fy, jy := make([]float64, m), mat.NewDense(m, d, nil)
		c.problem.EvalJacobian(fy, jy, y)
		if c.reach(fy, direction) > c.reach(f, direction) {
			x, y = y, x
			f, jac = fy, jy
			step *= 1.4
		} else {
			step *= 0.4
		}
	}
	return x
}

// ascent stores the direction of steepest ascent of the soft reach at x, of unit length in units of the
// ranges; false where there is none.
func (c *chebyshev) ascent(g, f []float64, jac *mat.Dense, x, direction []float64) bool {
	clear(g)
	reach := c.reach(f, direction)
	for k, v := range f {
		w := math.Exp(-sharpness*((c.ref[k]-v)/direction[k]-reach)) / direction[k]
		for j, a := range jac.RawRowView(k) {
			g[j] -= w * a
		}
	}
	norm := 0.0
	for j := range g {
		width := c.problem.Hi[j] - c.problem.Lo[j]
		g[j] *= width
		if x[j] <= c.problem.Lo[j] && g[j] < 0 || x[j] >= c.problem.Hi[j] && g[j] > 0 {
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

package search

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

	"parfait/parallel"
	"parfait/pareto"
)

// rays find the predicted front where its hypervolume is: for each of many random directions, the point
// that reaches farthest from the reference along it,
//
//	max over x of min_k (ref_k − f_k(x)) / λ_k,
//
// whose mean over directions is the hypervolume (Deng and Zhang 2019; Zhang and Golovin 2020). An even
// spread over the front, by contrast, puts most of its points at the rims where there is little to gain,
// the more so the more tasks there are. Smoothed, by projected gradient steps from the best known point.
type rays struct {
	problem pareto.Problem
	ref     []float64
	scale   []float64 // of the objectives
	xs, fs  [][]float64
	gains   []float64 // of fs: what each objective is better than the reference, row after row
}

const (
	raySteps  = 24
	raySharp  = 60   // of the soft minimum over objectives, in units of the reach
	rayFirst  = 0.1  // first step, in units of the ranges
	rayLast   = 1e-4 // step at which a ray has arrived
	rayLevels = 4    // rays are followed in so many waves, each starting from what the last ones found
)

// rays returns the ends of n rays that are not dominated, with their objectives.
func (l *Landscape) rays(ctx context.Context, n int, ref []float64) (xs, fs [][]float64, err error) {
	r := &rays{problem: l.Problem(), ref: ref, scale: make([]float64, len(ref))}
	region := newRegion(l.space)
	pool := append(region.spread(1000, 3), region.whole().spread(500, 4)...)
	pool = append(pool, l.starts...)
	for _, a := range region.anchors(false) {
		pool = append(pool, a.X)
	}
	r.sow(pool)
	for k := range r.scale {
		best := math.Inf(1)
		for _, f := range r.fs {
			best = min(best, f[k])
		}
		r.scale[k] = max(ref[k]-best, 1e-12)
	}
	directions := r.directions(n)
	for wave := range rayLevels {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		lo, hi := wave*len(directions)/rayLevels, (wave+1)*len(directions)/rayLevels
		ends := make([][]float64, hi-lo)
		parallel.For(0, hi-lo, func(i int) { ends[i] = r.follow(directions[lo+i]) })
		r.sow(ends)
	}
	ends, values := r.xs[len(pool):], r.fs[len(pool):]
	for _, i := range pareto.NonDominated(values) {
		xs, fs = append(xs, ends[i]), append(fs, values[i])
	}
	return xs, fs, nil
}

// sow evaluates points and keeps them as places to start from.
func (r *rays) sow(xs [][]float64) {
	fs := make([][]float64, len(xs))
	parallel.For(0, len(xs), func(i int) {
		fs[i] = make([]float64, r.problem.M)
		r.problem.Eval(fs[i], xs[i])
	})
	r.xs, r.fs = append(r.xs, xs...), append(r.fs, fs...)
	for _, f := range fs {
		for k, v := range f {
			r.gains = append(r.gains, r.ref[k]-v)
		}
	}
}

// directions are the best of each objective alone, and then random ones, even on the sphere.
func (r *rays) directions(n int) [][]float64 {
	m := len(r.ref)
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
			out[i][k] = max(out[i][k]/math.Sqrt(norm), 1e-3) * r.scale[k]
		}
	}
	return out
}

// reach is how far f is from the reference along a direction.
func (r *rays) reach(f, direction []float64) float64 {
	least := math.Inf(1)
	for k, v := range f {
		least = min(least, (r.ref[k]-v)/direction[k])
	}
	return least
}

// farthest is the row that reaches farthest along a direction.
func (r *rays) farthest(direction []float64) int {
	m := len(direction)
	rate := make([]float64, m)
	for k, v := range direction {
		rate[k] = 1 / v
	}
	best, top := 0, math.Inf(-1)
rows:
	for i := range r.fs {
		least := math.Inf(1)
		for k, g := range r.gains[i*m : (i+1)*m] {
			if least = min(least, g*rate[k]); least <= top {
				continue rows
			}
		}
		best, top = i, least
	}
	return best
}

// follow returns the point that reaches farthest along a direction.
func (r *rays) follow(direction []float64) []float64 {
	start := r.farthest(direction)
	d, m := len(r.problem.Lo), r.problem.M
	x := append([]float64(nil), r.xs[start]...)
	y, g := make([]float64, d), make([]float64, d)
	f, jac := make([]float64, m), mat.NewDense(m, d, nil)
	r.problem.EvalJacobian(f, jac, x)
	for step, count := rayFirst, 0; count < raySteps && step > rayLast; count++ {
		if !r.ascent(g, f, jac, x, direction) {
			break
		}
		for j := range y {
			y[j] = x[j] + step*(r.problem.Hi[j]-r.problem.Lo[j])*g[j]
		}
		r.problem.Project(y)
		fy, jy := make([]float64, m), mat.NewDense(m, d, nil)
		r.problem.EvalJacobian(fy, jy, y)
		if r.reach(fy, direction) > r.reach(f, direction) {
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
func (r *rays) ascent(g, f []float64, jac *mat.Dense, x, direction []float64) bool {
	clear(g)
	reach := r.reach(f, direction)
	for k, v := range f {
		w := math.Exp(-raySharp*((r.ref[k]-v)/direction[k]-reach)) / direction[k]
		for j, a := range jac.RawRowView(k) {
			g[j] -= w * a
		}
	}
	norm := 0.0
	for j := range g {
		width := r.problem.Hi[j] - r.problem.Lo[j]
		g[j] *= width
		if x[j] <= r.problem.Lo[j] && g[j] < 0 || x[j] >= r.problem.Hi[j] && g[j] > 0 {
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

package pareto

import (
	"context"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"parfait/parallel"
	"parfait/problem"
)

// ProbabilityNonDominated returns for each of n points the share of joint draws in which no other point
// dominates it. Sample stores one joint draw of all points' objectives in dst (n rows, which it may
// replace) with the generator it is given; it is called from several goroutines. The same seed gives the
// same shares, whatever the number of processors. A row with a NaN is dominated in that draw. The
// error is that of ctx.
//
// O(draws · n log^(M−1) n) and the draws themselves.
func ProbabilityNonDominated(ctx context.Context, n, draws int, seed uint64, sample func(rng *rand.Rand, dst [][]float64)) ([]float64, error) {
	out := make([]float64, max(n, 0))
	if n <= 0 || draws <= 0 {
		return out, nil
	}
	ranks := make([][]int, draws)
	err := parallel.For(ctx, 0, draws, func(i int) {
		dst := make([][]float64, n)
		sample(rand.New(rand.NewPCG(seed, uint64(i))), dst)
		ranks[i] = ranksTo(dst, 1)
	})
	if err != nil {
		return nil, err
	}
	for i := range out {
		count := 0
		for _, r := range ranks {
			if r[i] == 0 {
				count++
			}
		}
		out[i] = float64(count) / float64(draws)
	}
	return out, nil
}

// Normals returns a sampler for ProbabilityNonDominated: objective k of the n points is jointly normal with
// mean[k] (length n) and cov[k] (n × n), objectives are independent of one another. Covariances that
// rounding has left without a Cholesky factor get a jitter, up to 1e-4 of their largest variance; a
// problem.List with Singular names those that then still have none.
func Normals(mean [][]float64, cov []*mat.SymDense) (func(rng *rand.Rand, dst [][]float64), error) {
	var e problem.List
	if len(mean) != len(cov) || len(mean) == 0 {
		e.Add(BadOption, "%d means and %d covariances: expected as many, and one at least", len(mean), len(cov))
		return nil, e
	}
	n := len(mean[0])
	lower := make([]*mat.TriDense, len(mean))
	for k := range mean {
		switch {
		case len(mean[k]) != n || cov[k] == nil || cov[k].SymmetricDim() != n:
			e.Add(BadOption, "objective %d: expected %d means and a covariance of as many", k, n)
		default:
			if lower[k] = factor(cov[k]); lower[k] == nil {
				e.Add(Singular, "objective %d: its covariance has no Cholesky factor", k)
			}
		}
	}
	if err := e.Err(); err != nil {
		return nil, err
	}
	return func(rng *rand.Rand, dst [][]float64) {
		flat := make([]float64, n*len(mean))
		for i := range dst[:n] {
			dst[i] = flat[i*len(mean) : (i+1)*len(mean)]
		}
		white := mat.NewVecDense(n, nil)
		var draw mat.VecDense
		for k := range mean {
			for i := range n {
				white.SetVec(i, rng.NormFloat64())
			}
			draw.MulVec(lower[k], white)
			for i := range n {
				dst[i][k] = mean[k][i] + draw.AtVec(i)
			}
		}
	}, nil
}

// factor is the lower Cholesky factor, with as little jitter as it takes; nil where none helps.
func factor(cov *mat.SymDense) *mat.TriDense {
	n, largest := cov.SymmetricDim(), 0.0
	for i := range n {
		v := cov.At(i, i)
		if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 && v < -1e-9 {
			return nil
		}
		largest = max(largest, v)
	}
	lower := mat.NewTriDense(n, mat.Lower, nil)
	if largest == 0 {
		return lower // certain
	}
	for _, jitter := range []float64{0, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4} {
		c := mat.NewSymDense(n, nil)
		c.CopySym(cov)
		for i := range n {
			c.SetSym(i, i, c.At(i, i)+jitter*largest)
		}
		var ch mat.Cholesky
		if ch.Factorize(c) {
			ch.LTo(lower)
			return lower
		}
	}
	return nil
}

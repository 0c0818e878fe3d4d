package surrogate

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

	"parfait/problem"
)

// activation is what MAP's published code puts on the quadratic.
type activation func(eta float64) (value, slope float64)

func sigmoid(eta float64) (value, slope float64) {
	p := Logit.inverse(eta)
	return p, p * (1 - p)
}

func softplus(eta float64) (value, slope float64) {
	if eta > 30 {
		return eta, 1
	}
	return math.Log1p(math.Exp(eta)), Logit.inverse(eta)
}

func identity(eta float64) (value, slope float64) { return eta, 1 }

// maxMarquardtSteps bounds the iterations; most fits take far fewer.
const maxMarquardtSteps = 400

// fitPlain is MAP's own fit (arXiv 2406.07529): Levenberg–Marquardt (Marquardt 1963) on the squared
// error of the metric, every point alike, no penalty. It interpolates where n ≤ p, and saturates; it is
// for comparison. Its predictions are carried on the link's scale like any other surrogate's.
func fitPlain(ctx context.Context, s *sample, start float64) (model, error) {
	b := basis{dim: s.dim(), interactions: true}
	act := map[Link]activation{Logit: sigmoid, Log: softplus, Identity: identity}[s.link]
	f := &plain{polynomial: polynomial{basis: b, beta: filled(b.size(), start)}, act: act, link: s.link}
	phi := b.matrix(s.u)
	if err := f.marquardt(ctx, phi, s.y); err != nil {
		return model{}, err
	}
	m := model{fitter: "plain", f: f, dof: max(float64(s.n()-b.size()), 1), judge: func(*Trust) {}}
	var err error
	if m.loo, m.sd, err = f.finish(phi, s); err != nil {
		return model{}, err
	}
	if s.n() <= b.size() {
		m = f.interpolating(s)
	}
	m.noise = dot(m.sd, m.sd) / float64(s.n())
	return m, nil
}

// interpolating is the result of a fit with no fewer parameters than measurements: it goes through all of them,
// and its residuals say nothing of its errors, which are taken to be as large as the metric varies.
func (f *plain) interpolating(s *sample) model {
	_, variance := s.moments()
	n := float64(s.n())
	f.cov.Zero()
	return model{
		fitter: "plain", f: f, loo: s.meansOfOthers(), sd: filled(s.n(), math.Sqrt(variance*(1+1/n))), dof: n - 1,
		judge: func(t *Trust) {
			t.flag("%d measurements for the %d parameters of a plain quadratic: it goes through all of them, and how wrong it is elsewhere cannot be known", s.n(), f.size())
		},
	}
}

// plain is the fitted quadratic under its activation, as a latent function on the link's scale.
type plain struct {
	polynomial
	act  activation
	link Link
}

// onLink maps the activation's value to the link's scale, with the slope of that map by eta.
func (f *plain) onLink(eta float64) (z, slope float64) {
	v, dv := f.act(eta)
	switch f.link {
	case Logit:
		return eta, 1
	case Log:
		v = max(v, 1e-300)
		return math.Log(v), dv / v
	}
	return v, dv
}

func (f *plain) predict(u []float64) (eta, sd float64) {
	raw, s := f.polynomial.predict(u)
	z, slope := f.onLink(raw)
	return z, slope * s
}

func (f *plain) mean(grad, u []float64) float64 {
	raw := f.polynomial.mean(grad, u)
	z, slope := f.onLink(raw)
	for i := range grad {
		grad[i] *= slope
	}
	return z
}

// gradient differentiates the standard deviation numerically: the plain fit is for comparison.
func (f *plain) gradient(eta, sd, u []float64) {
	if eta != nil {
		f.mean(eta, u)
	}
	if sd == nil {
		return
	}
	const h = 1e-6
	v := append([]float64(nil), u...)
	for i := range v {
		v[i] = u[i] + h
		_, up := f.predict(v)
		v[i] = u[i] - h
		_, down := f.predict(v)
		v[i] = u[i]
		sd[i] = (up - down) / (2 * h)
	}
}

func (f *plain) joint(us [][]float64) ([]float64, *mat.SymDense) {
	mean, cov := f.polynomial.joint(us)
	slopes := make([]float64, len(mean))
	for i, raw := range mean {
		mean[i], slopes[i] = f.onLink(raw)
	}
	for i := range slopes {
		for j := i; j < len(slopes); j++ {
			cov.SetSym(i, j, cov.At(i, j)*slopes[i]*slopes[j])
		}
	}
	return mean, cov
}

// sumSquares is the sum of squared errors.
func (f *plain) sumSquares(phi *mat.Dense, y []float64) float64 {
	sum := 0.0
	for i, v := range y {
		m, _ := f.act(dot(phi.RawRowView(i), f.beta))
		sum += (v - m) * (v - m)
	}
	return sum
}

// jacobian returns the rows ∂m_i/∂β and the residuals.
func (f *plain) jacobian(phi *mat.Dense, y []float64) (*mat.Dense, []float64) {
	j := mat.DenseCopyOf(phi)
	r := make([]float64, len(y))
	for i, v := range y {
		m, slope := f.act(dot(phi.RawRowView(i), f.beta))
		r[i] = v - m
		row := j.RawRowView(i)
		for k := range row {
			row[k] *= slope
		}
	}
	return j, r
}

func (f *plain) marquardt(ctx context.Context, phi *mat.Dense, y []float64) error {
	p := f.size()
	damping, cost := 1e-3, f.sumSquares(phi, y)
	for range maxMarquardtSteps {
		if err := ctx.Err(); err != nil {
			return err
		}
		j, r := f.jacobian(phi, y)
		normal := mat.NewSymDense(p, nil)
		normal.SymOuterK(1, j.T())
		right := mat.NewVecDense(p, nil)
		right.MulVec(j.T(), mat.NewVecDense(len(r), r))
		improved := false
		for damping < 1e12 && !improved {
			a := mat.NewSymDense(p, nil)
			a.CopySym(normal)
			for k := range p {
				a.SetSym(k, k, a.At(k, k)*(1+damping)+1e-14)
			}
			var chol mat.Cholesky
			step := mat.NewVecDense(p, nil)
			if !chol.Factorize(a) || chol.SolveVecTo(step, right) != nil {
				damping *= 10
				continue
			}
			old := append([]float64(nil), f.beta...)
			for k := range f.beta {
				f.beta[k] += step.AtVec(k)
			}
			next := f.sumSquares(phi, y)
			if next < cost {
				done := cost-next <= 1e-10*cost
				cost, improved, damping = next, true, max(damping/10, 1e-12)
				if done {
					return nil
				}
				continue
			}
			copy(f.beta, old)
			damping *= 10
		}
		if !improved {
			return nil
		}
	}
	return nil
}

// finish computes the linearised covariance and leave-one-out predictions.
func (f *plain) finish(phi *mat.Dense, s *sample) (loo, sd []float64, err error) {
	j, r := f.jacobian(phi, s.y)
	p := f.size()
	a := mat.NewSymDense(p, nil)
	a.SymOuterK(1, j.T())
	for k := range p {
		a.SetSym(k, k, a.At(k, k)+1e-8)
	}
	var chol mat.Cholesky
	f.cov = mat.NewSymDense(p, nil)
	if !chol.Factorize(a) || chol.InverseTo(f.cov) != nil {
		return nil, nil, problem.Problem{Code: Singular, What: "plain quadratic: the linearised covariance is singular"}
	}
	rss := dot(r, r)
	variance := rss / max(float64(s.n()-p), 1)
	loo, sd = make([]float64, s.n()), make([]float64, s.n())
	for i := range loo {
		row := j.RawRowView(i)
		h := min(dot(row, f.covTimes(row)), 1-1e-3)
		raw := dot(phi.RawRowView(i), f.beta)
		_, slope := f.act(raw)
		shift := h / (1 - h) * r[i] / max(slope, 1e-6)
		z, dz := f.onLink(raw - min(max(shift, -20), 20))
		loo[i] = z
		sd[i] = dz * math.Sqrt(variance/(1-h)) / max(slope, 1e-6)
	}
	f.cov.ScaleSym(variance, f.cov)
	return loo, sd, nil
}

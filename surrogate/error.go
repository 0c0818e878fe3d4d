package surrogate

import (
	"fmt"
	"math"
	"strings"
)

// Code classifies what is wrong with Data; tests and callers compare codes, never texts.
type Code string

// The codes of an Error.
const (
	Shape    Code = "shape"    // lengths that do not match
	Empty    Code = "empty"    // no measurement at all
	NotANum  Code = "nan"      // NaN or an infinity where a number is needed
	OffLink  Code = "off-link" // a metric that its link cannot carry: a rate outside [0, 1], a loss ≤ 0
	BadLink  Code = "link"     // a link that does not exist
	Singular Code = "singular" // a fit that numerics could not carry through
)

// Error says what is wrong with the data of a fit. All that is wrong is in Problems.
type Error struct {
	Code     Code // of the first problem
	Problems []string
}

// Error implements error.
func (e *Error) Error() string { return "surrogate: " + strings.Join(e.Problems, "; ") }

func (e *Error) add(c Code, format string, args ...any) {
	if len(e.Problems) == 0 {
		e.Code = c
	}
	if len(e.Problems) < 20 {
		e.Problems = append(e.Problems, fmt.Sprintf(format, args...))
	}
}

// check returns everything that makes d unfit to be fitted, or nil. Values are looked at only where all lengths
// match.
func check(d Data) error {
	e := &Error{}
	e.checkShape(d)
	if len(e.Problems) == 0 {
		e.checkRanges(d)
		for i := range d.X {
			e.checkPoint(d, i)
		}
	}
	return e.orNil()
}

// orNil is e as an error, or nil where nothing was added.
func (e *Error) orNil() error {
	if len(e.Problems) == 0 {
		return nil
	}
	return e
}

func (e *Error) checkShape(d Data) {
	n := len(d.X)
	if n == 0 {
		e.add(Empty, "no measurements: at least one is needed")
	}
	if len(d.Hi) != len(d.Lo) {
		e.add(Shape, "Hi has %d entries, Lo has %d", len(d.Hi), len(d.Lo))
	}
	if len(d.Y) != n {
		e.add(Shape, "Y has %d entries for %d points", len(d.Y), n)
	}
	if d.Stderr != nil && len(d.Stderr) != n {
		e.add(Shape, "Stderr has %d entries for %d points", len(d.Stderr), n)
	}
	if d.N != nil && len(d.N) != n {
		e.add(Shape, "N has %d entries for %d points", len(d.N), n)
	}
	switch d.Link {
	case Identity, Logit, Log:
	default:
		e.add(BadLink, "link %q: expected identity, logit or log", d.Link)
	}
}

func (e *Error) checkRanges(d Data) {
	for i, lo := range d.Lo {
		if hi := d.Hi[i]; !finite(lo) || !finite(hi) || lo > hi {
			e.add(NotANum, "range of coefficient %d is [%g, %g]: expected finite numbers in order", i, lo, hi)
		}
	}
}

func (e *Error) checkPoint(d Data, i int) {
	if len(d.X[i]) != len(d.Lo) {
		e.add(Shape, "point %d has %d coefficients, expected %d", i, len(d.X[i]), len(d.Lo))
	}
	for j, v := range d.X[i] {
		if !finite(v) {
			e.add(NotANum, "point %d: coefficient %d is %g", i, j, v)
		}
	}
	switch y := d.Y[i]; {
	case !finite(y):
		e.add(NotANum, "point %d: metric is %g: leave out points that could not be measured", i, y)
	case d.Link == Logit && (y < 0 || y > 1):
		e.add(OffLink, "point %d: metric %g is no rate in [0, 1]: give it as a share, or use another link", i, y)
	case d.Link == Log && y <= 0:
		e.add(OffLink, "point %d: metric %g is not positive: use the identity link", i, y)
	}
	if d.Stderr != nil && (d.Stderr[i] < 0 || !finite(d.Stderr[i])) {
		e.add(NotANum, "point %d: standard error %g: expected 0 (unknown) or more", i, d.Stderr[i])
	}
	if d.N != nil && d.N[i] < 0 {
		e.add(Shape, "point %d: %d items: expected 0 (unknown) or more", i, d.N[i])
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

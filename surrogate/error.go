package surrogate

import (
	"math"

	"parfait/problem"
)

// Code names a kind of mistake: errors.Is(err, surrogate.OffLink) asks for one.
type Code = problem.Code

// The codes of this package's errors; what is wrong with Data comes all at once, as a problem.List.
const (
	Shape    Code = "surrogate-shape"    // lengths that do not match
	Empty    Code = "surrogate-empty"    // no measurement at all
	NotANum  Code = "surrogate-nan"      // NaN or an infinity where a number is needed
	OffLink  Code = "surrogate-off-link" // a metric that its link cannot carry: a rate outside [0, 1], a loss ≤ 0
	BadLink  Code = "surrogate-link"     // a link that does not exist
	Singular Code = "surrogate-singular" // a fit that numerics could not carry through
)

// check returns everything that makes d unfit to be fitted, or nil. Values are looked at only where all lengths
// match.
func check(d Data) error {
	var e problem.List
	checkShape(&e, d)
	if len(e) == 0 {
		checkRanges(&e, d)
		for i := range d.X {
			checkPoint(&e, d, i)
		}
	}
	return e.Err()
}

func checkShape(e *problem.List, d Data) {
	n := len(d.X)
	if n == 0 {
		e.Add(Empty, "no measurements: at least one is needed")
	}
	if len(d.Hi) != len(d.Lo) {
		e.Add(Shape, "Hi has %d entries, Lo has %d", len(d.Hi), len(d.Lo))
	}
	if len(d.Y) != n {
		e.Add(Shape, "Y has %d entries for %d points", len(d.Y), n)
	}
	if d.Stderr != nil && len(d.Stderr) != n {
		e.Add(Shape, "Stderr has %d entries for %d points", len(d.Stderr), n)
	}
	if d.N != nil && len(d.N) != n {
		e.Add(Shape, "N has %d entries for %d points", len(d.N), n)
	}
	switch d.Link {
	case Identity, Logit, Log, Auto:
	default:
		e.Add(BadLink, "link %q: expected identity, logit, log or auto", d.Link)
	}
}

func checkRanges(e *problem.List, d Data) {
	for i, lo := range d.Lo {
		if hi := d.Hi[i]; !finite(lo) || !finite(hi) || lo > hi {
			e.Add(NotANum, "range of coefficient %d is [%g, %g]: expected finite numbers in order", i, lo, hi)
		}
	}
}

func checkPoint(e *problem.List, d Data, i int) {
	if len(d.X[i]) != len(d.Lo) {
		e.Add(Shape, "point %d has %d coefficients, expected %d", i, len(d.X[i]), len(d.Lo))
	}
	for j, v := range d.X[i] {
		if !finite(v) {
			e.Add(NotANum, "point %d: coefficient %d is %g", i, j, v)
		}
	}
	switch y := d.Y[i]; {
	case !finite(y):
		e.Add(NotANum, "point %d: metric is %g: leave out points that could not be measured", i, y)
	case d.Link == Logit && (y < 0 || y > 1):
		e.Add(OffLink, "point %d: metric %g is no rate in [0, 1]: give it as a share, or use another link", i, y)
	case d.Link == Log && y <= 0:
		e.Add(OffLink, "point %d: metric %g is not positive: use the identity link", i, y)
	}
	if d.Stderr != nil && (d.Stderr[i] < 0 || !finite(d.Stderr[i])) {
		e.Add(NotANum, "point %d: standard error %g: expected 0 (unknown) or more", i, d.Stderr[i])
	}
	if d.N != nil && d.N[i] < 0 {
		e.Add(Shape, "point %d: %d items: expected 0 (unknown) or more", i, d.N[i])
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

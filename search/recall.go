package search

import "math"

// standing says what is known of a point.
type standing int

const (
	unasked standing = iota
	pending
	settled // finished, whether it was measured or failed
)

// recall finds x among the points of the question, as exactly as it was asked for. Of several finished
// ones the first that did not fail counts.
func (q *Question) recall(x []float64) (Point, standing) {
	found, how := Point{}, unasked
	for _, p := range q.Done {
		if q.Space.same(p.X, x) {
			if found, how = p, settled; !p.Failed {
				return found, how
			}
		}
	}
	if how == settled {
		return found, how
	}
	for _, p := range q.Pending {
		if q.Space.same(p, x) {
			return Point{}, pending
		}
	}
	return Point{}, unasked
}

// same says whether two points are one, but for the dust of arithmetic.
func (s Space) same(a, b []float64) bool {
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-9*max(1, math.Abs(b[i])) {
			return false
		}
	}
	return true
}

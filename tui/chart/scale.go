package chart

import "math"

// Range is what an axis shows, from Lo at its start (left, bottom) to Hi at its end. Lo may lie above Hi:
// then the axis runs the other way. The zero Range means "whatever the data needs".
type Range struct{ Lo, Hi float64 }

var nan = math.NaN()

// extreme bounds what a range may hold, so that differences and sums of its ends stay finite.
const extreme = 1e300

// RangeOf is the smallest range that holds every finite value; the zero Range if there is none.
func RangeOf(values ...float64) Range {
	r := empty
	for _, v := range values {
		r = r.with(v)
	}
	return r.orZero()
}

// empty is the range that holds nothing.
var empty = Range{math.Inf(1), math.Inf(-1)}

// with is r stretched to v where that is finite.
func (r Range) with(v float64) Range {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return r
	}
	return Range{min(r.Lo, v), max(r.Hi, v)}
}

func (r Range) orZero() Range {
	if r.Lo > r.Hi {
		return Range{}
	}
	return r
}

// usable is r, or something near it that can be drawn: finite and longer than rounding errors.
func (r Range) usable() Range {
	if math.IsNaN(r.Lo) || math.IsNaN(r.Hi) || r == (Range{}) {
		return Range{0, 1}
	}
	r.Lo, r.Hi = min(max(r.Lo, -extreme), extreme), min(max(r.Hi, -extreme), extreme)
	if least := 1e-12*max(math.Abs(r.Lo), math.Abs(r.Hi)) + 1e-300; math.Abs(r.Hi-r.Lo) < least {
		middle := min(max(r.Lo, -extreme/2), extreme/2)
		half := max(0.05*math.Abs(middle), 1e-299)
		return Range{middle - half, middle + half}
	}
	return r
}

// At is where v lies in the range: 0 at Lo, 1 at Hi, NaN for NaN.
func (r Range) At(v float64) float64 {
	r = r.usable()
	return (v/2 - r.Lo/2) / (r.Hi/2 - r.Lo/2)
}

// Value is the inverse of [Range.At].
func (r Range) Value(t float64) float64 {
	r = r.usable()
	return float64(r.Lo*(1-t)) + float64(r.Hi*t) // not fused: the same cells on every machine
}

// contains says whether v lies in the range, ends included.
func (r Range) contains(v float64) bool {
	r = r.usable()
	return v >= min(r.Lo, r.Hi) && v <= max(r.Lo, r.Hi)
}

// Pad makes the range longer by the fraction f of its length at both ends; the zero Range stays.
func (r Range) Pad(f float64) Range {
	if r == (Range{}) {
		return r
	}
	r = r.usable()
	d := (r.Hi - r.Lo) * f
	return Range{r.Lo - d, r.Hi + d}.usable()
}

// Zoom makes the range shorter by the factor f (2 shows half of it; below 1 zooms out) around the value
// at, which keeps its place.
func (r Range) Zoom(at, f float64) Range {
	r = r.usable()
	if !(f > 0) || math.IsInf(f, 0) || math.IsNaN(at) || math.IsInf(at, 0) {
		return r
	}
	z := Range{at + (r.Lo-at)/f, at + (r.Hi-at)/f}
	if u := z.usable(); u != z {
		return r // as far as it goes
	}
	return z
}

// Pan moves the range by the fraction f of its length.
func (r Range) Pan(f float64) Range {
	r = r.usable()
	d := (r.Hi - r.Lo) * f
	if p := (Range{r.Lo + d, r.Hi + d}); p.usable() == p {
		return p
	}
	return r
}

// cell is the cell of n that v falls in, and whether it falls in one. Values at the end belong to the
// last cell.
func (r Range) cell(v float64, n int) (int, bool) {
	t := r.At(v)
	// Rounding must not push the ends out.
	const slack = 1e-9
	if !(t >= -slack && t <= 1+slack) || n <= 0 {
		return 0, false
	}
	return min(max(int(t*float64(n)), 0), n-1), true
}

// center is the value in the middle of cell i of n.
func (r Range) center(i, n int) float64 { return r.Value((float64(i) + 0.5) / float64(max(n, 1))) }

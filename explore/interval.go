package explore

import (
	"math"
	"strconv"

	"parfait/study"
)

// What the ± form may get wrong at an end of an interval before both ends are written instead: a part of half
// its width, or a point of a rate; and how many times its lower end the upper end of a positive quantity may be
// before the interval says nothing.
const (
	unevenShare = 0.25
	unevenRate  = 0.01
	hugeRatio   = 1000
)

// IntervalWords say what a 90 % interval holds.
const IntervalWords = "what one more measurement on the same items says, nine times of ten"

// Unknown is what Interval writes of an interval that says nothing.
const Unknown = "±?"

// Interval writes how far from its value a prediction may be, to stand behind that: "±.012", half the width,
// where that tells both ends; the ends, ".41….97", of an interval that is much wider on one side, as those on
// logit and log scales can be; Unknown where there are none or they are absurdly far apart. "" where nothing is
// said of an interval.
func Interval(t study.Task, p study.Prediction) string {
	up, down := p.Hi-p.Value, p.Value-p.Lo
	half, uneven := (p.Hi-p.Lo)/2, math.Abs(up-down)/2
	allowed := unevenShare * half
	if t.Rate() {
		allowed = max(allowed, unevenRate)
	}
	switch {
	case math.IsNaN(half) || math.IsInf(half, 0):
		return Unknown
	case half <= 0:
		return ""
	case uneven <= allowed:
		return "±" + Spread(t, half)
	case p.Lo >= 0 && p.Hi > hugeRatio*p.Lo && !t.Rate():
		return Unknown
	}
	return end(t, p.Lo) + "…" + end(t, p.Hi)
}

func end(t study.Task, v float64) string {
	if t.Rate() {
		return Decimal(v, 2)
	}
	return twoDigits(v)
}

// twoDigits writes v with two significant digits, and as few others as it takes.
func twoDigits(v float64) string {
	s := strconv.FormatFloat(v, 'g', 2, 64)
	if a := math.Abs(v); a < 1e-4 || a >= 1e6 {
		return s
	}
	r, _ := strconv.ParseFloat(s, 64)
	return strconv.FormatFloat(r, 'f', -1, 64)
}

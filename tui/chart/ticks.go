package chart

import (
	"math"
	"strconv"
	"strings"
)

// Format writes the value v of an axis whose ticks are step apart. A step of 0 stands for a single
// value without an axis.
type Format func(v, step float64) string

// Plain writes v with as many decimals as the step needs, and with [SI] where that would be long.
func Plain(v, step float64) string {
	if s, ok := notFinite(v); ok {
		return s
	}
	if a := math.Abs(v); a >= 1e5 || step >= 1e5 || a != 0 && a < 1e-4 && step < 1e-4 {
		return SI(v, step)
	}
	return fixed(v, decimals(v, step))
}

// Rate writes a rate without its leading zero, as wide as its neighbours: .85, .90, 1.0.
func Rate(v, step float64) string {
	if s, ok := notFinite(v); ok {
		return s
	}
	if math.Abs(v) >= 10 {
		return Plain(v, step)
	}
	if step == 0 {
		step = 0.001
	}
	d := decimals(v, step)
	s := fixed(v, d)
	switch {
	case d > 1 && (s[0] == '1' || strings.HasPrefix(s, "-1")) && strings.HasSuffix(s, "0"):
		return s[:len(s)-1]
	case strings.HasPrefix(s, "0."):
		return s[1:]
	case strings.HasPrefix(s, "-0."):
		return "-" + s[2:]
	}
	return s
}

// SI writes v with a prefix for thousands: 1.2k, 35M, 4.5m, 2µ; beyond them as 3e-15.
func SI(v, step float64) string {
	if s, ok := notFinite(v); ok {
		return s
	}
	a := math.Abs(v)
	if a == 0 {
		return "0"
	}
	exp := int(math.Floor(math.Log10(a)+1e-12)) / 3
	if a < 1 {
		exp = int(math.Floor((math.Log10(a) + 1e-12) / 3))
	}
	prefixes := [...]string{"p", "n", "µ", "m", "", "k", "M", "G", "T", "P"}
	i := exp + 4
	if i < 0 || i >= len(prefixes) {
		return strings.Replace(strconv.FormatFloat(v, 'g', 3, 64), "e+", "e", 1)
	}
	unit := math.Pow10(3 * exp)
	return fixed(v/unit, decimals(v/unit, step/unit)) + prefixes[i]
}

func notFinite(v float64) (string, bool) {
	switch {
	case math.IsNaN(v):
		return "—", true
	case math.IsInf(v, 1):
		return "∞", true
	case math.IsInf(v, -1):
		return "-∞", true
	}
	return "", false
}

// decimals is how many a step needs; three significant digits of v without a step.
func decimals(v, step float64) int {
	if step == 0 {
		if v == 0 {
			return 0
		}
		return min(max(2-int(math.Floor(math.Log10(math.Abs(v)))), 0), 6)
	}
	d := 0
	for s := step; d < 9 && math.Abs(s-math.Round(s)) > 1e-6*s; d++ {
		s = step * math.Pow10(d+1)
	}
	return d
}

// fixed is v with d decimals and no negative zero.
func fixed(v float64, d int) string {
	s := strconv.FormatFloat(v, 'f', d, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return s
}

// Tick is a labelled value on an axis.
type Tick struct {
	Value float64
	Label string
}

// maxTicks bounds the work for absurd sizes.
const maxTicks = 200

// Ticks places ticks on round values (1, 2 or 5 times a power of ten; Heckbert, "Nice Numbers for Graph
// Labels", Graphics Gems 1990), as many as fit into n cells where each must be need(label) cells from the
// start of the one before it. Labels are distinct.
func Ticks(r Range, format Format, n int, need func(label string) int) []Tick {
	if n <= 0 {
		return nil
	}
	r = r.usable()
	lo, hi := min(r.Lo, r.Hi), max(r.Lo, r.Hi)
	if format == nil {
		format = Plain
	}
	for step := niceStep((hi - lo) / float64(min(n, maxTicks))); step <= (hi-lo)*2; step = niceStep(step * 1.5) {
		if ticks := ticksEvery(step, lo, hi, format); apart(ticks, r, n, need) {
			return ticks
		}
	}
	return nil
}

// niceStep is the smallest nice number that is not below v.
func niceStep(v float64) float64 {
	if !(v > 0) {
		return math.Inf(1)
	}
	e := math.Floor(math.Log10(v))
	for _, m := range [...]float64{1, 2, 5} {
		if s := times10(m, e); s >= v*(1-1e-9) {
			return s
		}
	}
	return times10(1, e+1)
}

// times10 is m·10^e, rounded once where that is possible, so that labels are what they say.
func times10(m, e float64) float64 {
	if e < 0 && e > -300 {
		return m / math.Pow(10, -e)
	}
	return m * math.Pow(10, e)
}

// ticksEvery are the multiples of step within [lo, hi].
func ticksEvery(step, lo, hi float64, format Format) []Tick {
	first, last := math.Ceil(lo/step-1e-9), math.Floor(hi/step+1e-9)
	if !(last-first < maxTicks) || math.Abs(first) > 1e15 || math.Abs(last) > 1e15 {
		return nil
	}
	var ticks []Tick
	for i := first; i <= last; i++ {
		v := i * step
		if inv := math.Round(1 / step); step < 1 && inv < 1e15 && abs(1/step-inv) < 1e-6 {
			v = i / inv // rounded once: .3 and not .30000000000000004
		}
		if _, ok := (Range{lo, hi}).cell(v, 1); ok {
			ticks = append(ticks, Tick{v, format(v, step)})
		}
	}
	return ticks
}

// apart reports whether the labels are distinct and leave each other room.
func apart(ticks []Tick, r Range, n int, need func(string) int) bool {
	if len(ticks) == 0 {
		return false
	}
	if r.Lo > r.Hi {
		for i, j := 0, len(ticks)-1; i < j; i, j = i+1, j-1 {
			ticks[i], ticks[j] = ticks[j], ticks[i]
		}
	}
	for i := 1; i < len(ticks); i++ {
		a, okA := r.cell(ticks[i-1].Value, n)
		b, okB := r.cell(ticks[i].Value, n)
		if !okA || !okB || b-a < need(ticks[i].Label) || ticks[i].Label == ticks[i-1].Label {
			return false
		}
	}
	return true
}

package explore

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"parfait/study"
)

// Number writes a metric as people read it: rates as .912, others with four significant digits.
func Number(t study.Task, v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "—"
	}
	if t.Rate() {
		return Decimal(v, 3)
	}
	return significant(v)
}

// Spread writes half the width of an interval, without a sign.
func Spread(t study.Task, v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "—"
	}
	if t.Rate() {
		return Decimal(v, 3)
	}
	return twoDigits(v)
}

// Decimal writes v with n decimals and without a leading zero: .62, 1.20, -.3.
func Decimal(v float64, n int) string {
	s := strconv.FormatFloat(v, 'f', n, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	if n == 0 {
		return s
	}
	if rest, ok := strings.CutPrefix(s, "0."); ok {
		return "." + rest
	}
	if rest, ok := strings.CutPrefix(s, "-0."); ok {
		return "-." + rest
	}
	return s
}

func significant(v float64) string {
	a := math.Abs(v)
	switch {
	case a >= 1e6 || (a > 0 && a < 1e-3):
		return strconv.FormatFloat(v, 'g', 4, 64)
	case a >= 1000:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

// Sign is the comparison that a floor of t makes: ≥, or ≤ where less is better.
func Sign(t study.Task) string {
	if t.Sense == study.Minimize {
		return "≤"
	}
	return "≥"
}

// trimmed writes a value that a person has set, without zeros that they did not write.
func trimmed(t study.Task, v float64) string {
	s := strconv.FormatFloat(v, 'g', 6, 64)
	if v == 0 {
		s = "0" // not -0
	}
	if !t.Rate() {
		return s
	}
	if rest, ok := strings.CutPrefix(s, "0."); ok {
		for len(rest) < 2 {
			rest += "0"
		}
		return "." + rest
	}
	return s
}

// At writes coefficients as flags take them: "rotated=0.62,mirrored=0.48".
func At(a *study.Analysis, x []float64) string {
	parts := make([]string, 0, len(x))
	for i, c := range a.Space.Coefficients {
		if i < len(x) {
			parts = append(parts, fmt.Sprintf("%s=%s", c.Name, strconv.FormatFloat(x[i], 'g', -1, 64)))
		}
	}
	return strings.Join(parts, ",")
}

// significantShort writes v with at most three significant digits and no trailing zeros.
func significantShort(v float64) string {
	s := strconv.FormatFloat(v, 'g', 3, 64)
	if math.Abs(v) < 1e-12 {
		return "0"
	}
	if rest, ok := strings.CutPrefix(s, "0."); ok {
		return "." + rest
	}
	return s
}

package tui

import (
	"slices"
	"strings"

	"parfait/tui/chart"
)

// shortName is the name of a coefficient in at most w cells. Where it is longer its parts are cut, the longest first, so
// that mathematics.k1 and mathematics.k2 are told apart; the c. of columns goes before that.
func shortName(name string, w int) string {
	if chart.Width(name) <= w || !inParts(name) {
		return chart.Clip(name, w)
	}
	parts := strings.Split(strings.TrimPrefix(name, "c."), ".")
	widths := make([]int, len(parts))
	sum := len(parts) - 1
	for i, p := range parts {
		widths[i] = chart.Width(p)
		sum += widths[i]
	}
	for sum > w && slices.Max(widths) > 2 {
		widths[slices.Index(widths, slices.Max(widths))]--
		sum--
	}
	for i, p := range parts {
		parts[i] = chart.Clip(p, widths[i])
	}
	return chart.Clip(strings.Join(parts, "."), w)
}

// inParts says whether a coefficient's name says of which group or knot it is.
func inParts(name string) bool { return strings.Contains(strings.TrimPrefix(name, "c."), ".") }

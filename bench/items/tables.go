package main

import (
	"fmt"
	"strings"
)

// The bar of every coverage.
const leastCovered, mostCovered = 0.87, 0.93

// tables are those of README.md.
func (a archive) tables() string {
	var b strings.Builder
	b.WriteString("| study | random items | at random, predicted | active | its stated error | worth, in random items | all 450, for new items |\n|---|---|---|---|---|---|---|\n")
	for _, e := range a.Error {
		fmt.Fprintf(&b, "| %s | %.4f | %.4f | %.4f | %.4f | %d | %.4f |\n", e.Of, e.Random, e.Predicted, e.Active, e.Stated, e.Worth, e.All)
	}
	b.WriteString("\n| study | predictions | these items | 50 more | new items |\n|---|---|---|---|---|\n")
	for _, c := range a.Coverage {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", c.Of, c.Predictor, rate(c.These), rate(c.Again), rate(c.New))
	}
	return b.String()
}

// rate is bold where it misses the bar.
func rate(v float64) string {
	if v < leastCovered || v > mostCovered {
		return fmt.Sprintf("**%.3f**", v)
	}
	return fmt.Sprintf("%.3f", v)
}

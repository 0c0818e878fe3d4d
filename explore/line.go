package explore

import (
	"fmt"
	"math"
	"strings"

	"parfait/problem"
	"parfait/search"
	"parfait/study"
)

// Hole is the barrier of a line on one task, and whether it is one.
type Hole struct {
	search.Barrier
	Known bool // both ends and something in between were measured
	Real  bool // noise does not explain it: of all lines and tasks together it makes one in twenty times where there is none
}

// falseBarrier is how often noise makes a barrier of one of all lines and tasks where there is none.
const falseBarrier = 0.05

// Unsure says whether there is a dip of which nobody knows how much of it is noise.
func (h Hole) Unsure() bool { return h.Known && h.Height > 0 && h.Stderr == 0 }

// Holes are the barriers of lines, a line a row, a task a column. Those are real that noise does not explain, as many as
// there are of them ([study.Holm]).
func Holes(tasks []study.Task, lines []search.Line) [][]Hole {
	out := make([][]Hole, len(lines))
	var known []*Hole
	var chances []float64
	for k, l := range lines {
		out[k] = make([]Hole, len(tasks))
		for i, t := range tasks {
			h := &out[k][i]
			if h.Barrier, h.Known = l.Barrier(i, search.Task{Name: t.Name, Maximize: t.Sense == study.Maximize}); h.Known {
				known, chances = append(known, h), append(chances, h.P)
			}
		}
	}
	for k, p := range study.Holm(chances) {
		known[k].Real = p <= falseBarrier
	}
	return out
}

// Words says what a barrier means. Its task is t.
func (h Hole) Words(t study.Task) string {
	switch {
	case !h.Known:
		return fmt.Sprintf("%s: not measured yet between %s and %s", t.Name, h.A, h.B)
	case h.Height <= 0:
		return fmt.Sprintf("%s: no barrier: nowhere worse than the straight line from %s to %s", t.Name, h.A, h.B)
	}
	side := "below"
	if t.Sense == study.Minimize {
		side = "above"
	}
	where := fmt.Sprintf("%.0f%% of the way from %s to %s", 100*h.At, h.A, h.B)
	if math.Abs(h.At-0.5) < 1e-9 {
		where = fmt.Sprintf("half way from %s to %s", h.A, h.B)
	}
	size := Number(t, h.Height)
	if h.Stderr > 0 {
		size += " ±" + Spread(t, h.Stderr)
	}
	verdict := "within the noise"
	switch {
	case h.Unsure():
		verdict = "its noise is not known"
	case h.Real:
		verdict = "a barrier"
	}
	return fmt.Sprintf("%s: %s: %s %s the straight line, %s", t.Name, verdict, size, side, where)
}

// Verdict says in one sentence whether the models of all lines can be merged.
func Verdict(tasks []study.Task, lines []search.Line) string {
	known, barred, unsure := 0, []string{}, []string{}
	for k, holes := range Holes(tasks, lines) {
		l := lines[k]
		seen, deep, dips := false, false, false
		for _, h := range holes {
			seen, deep, dips = seen || h.Known, deep || h.Real, dips || h.Unsure()
		}
		if seen {
			known++
		}
		switch name := l.A + " – " + l.B; {
		case deep:
			barred = append(barred, name)
		case dips:
			unsure = append(unsure, name)
		}
	}
	switch n := len(lines); {
	case known == 0:
		return "nothing is measured between two models yet"
	case len(barred)+len(unsure) > 0:
		return strings.Join(dips(barred, unsure, known), "; ")
	case known < n:
		return fmt.Sprintf("no barrier beyond noise on the %d lines measured, of %d", known, n)
	case n > 1:
		return fmt.Sprintf("no barrier beyond noise on any of the %d lines", n)
	}
	return "no barrier beyond noise"
}

// dips says on which of the lines measured there is a barrier, and on which nobody knows.
func dips(barred, unsure []string, measured int) []string {
	var out []string
	if n := len(barred); n > 0 {
		out = append(out, fmt.Sprintf("a barrier on %d of %d lines measured: %s", n, measured, problem.And(limited(barred, 3))))
	}
	if n := len(unsure); n > 0 {
		out = append(out, fmt.Sprintf("noise is not known on %d of %d lines measured, so that no barrier can be told: %s; have the evaluator report n, the number of items, or stderr", n, measured, problem.And(limited(unsure, 3))))
	}
	return out
}

// limited is the first n words, and how many more there are.
func limited(words []string, n int) []string {
	if len(words) <= n {
		return words
	}
	return append(words[:n:n], fmt.Sprintf("%d more", len(words)-n))
}

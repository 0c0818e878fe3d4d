package tui

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"parfait/evaluator"
	"parfait/explore"
	"parfait/study"
	"parfait/tui/chart"
)

// trialsPane is the table of trials, with what is to be said about the selected one below.
type trialsPane struct {
	props
	trialsView
	took int // width of the column of that name
}

// numbers is where the columns of numbers begin.
func (p trialsPane) numbers() int { return 17 + p.took + 1 }

// tookWords is how long a trial took, or has taken so far.
func (p trialsPane) tookWords(t *study.Trial) string {
	if t.Started.IsZero() {
		return ""
	}
	return explore.Duration(p.snap.Elapsed(t))
}

func (p trialsPane) draw(c *chart.Canvas) {
	w, h := c.Size()
	below := 0
	if h >= 14 {
		below = min(max(h/3, 7), 14)
	}
	rows := p.rows(&p.props)
	if len(rows) == 0 { // there is nothing to say about one
		below = 0
	}
	title := append(head("Trials", true), chart.Span{Text: fmt.Sprintf(" %d of %d", len(rows), len(p.snap.Trials)), Style: muted})
	if t := rowOf(rows, p.at(rows)); p.id == 0 && t != nil && t.State == evaluator.Running {
		title = append(title, chart.Span{Text: " ─ ", Style: faded}, chart.Span{Text: "follows what runs", Style: muted})
	}
	if p.filter != "" {
		title = append(title, chart.Span{Text: " ─ ", Style: faded}, chart.Span{Text: "/" + p.filter, Style: warn})
	}
	box := chart.Box{Edge: accent, Title: title}
	if slices.ContainsFunc(p.snap.Trials, func(t study.Trial) bool { return p.trialBelow(&t) }) {
		box.Footer = chart.Legend(w-6, belowKey())
	}
	in := box.Draw(c.Sub(0, 0, w, h-below))
	p.table(in, rows)
	if below > 0 {
		p.details(c.Sub(0, h-below, w, below), rows)
	}
}

// rowOf is a row, nil where there is none.
func rowOf(rows []study.Trial, i int) *study.Trial {
	if i >= len(rows) {
		return nil
	}
	return &rows[i]
}

// trialColumn is one column of numbers.
type trialColumn struct {
	name  string
	col   int // as in Columns
	width int
}

// fitted are the columns that there is room for: tasks first, then coefficients. Names are cut where not all
// columns fit.
func (p trialsPane) fitted(room int) (cols []trialColumn, left int) {
	for _, most := range []int{24, 11} {
		if cols, left = p.fittedTo(room, most); len(cols) == len(p.columns()) {
			break
		}
	}
	return cols, left
}

// fittedTo are the columns that fit if none is wider than most for its name.
func (p trialsPane) fittedTo(room, most int) (cols []trialColumn, left int) {
	names := p.columns()
	for i := min(p.from, len(names)-1); i < len(names); i++ {
		name := names[i]
		w := 6
		if t := i; t < len(p.snap.Tasks) {
			for _, trial := range limit(p.snap.Trials, 50) {
				if v := p.measured(&trial, i); !math.IsNaN(v) {
					w = max(w, chart.Width(explore.Number(p.snap.Tasks[t], v))+1)
				}
			}
		}
		w = max(w, min(chart.Width(name)+2, most))
		if room < w {
			break
		}
		cols, room = append(cols, trialColumn{name, i, w}), room-w
	}
	return cols, room
}

func (p trialsPane) table(c *chart.Canvas, rows []study.Trial) {
	w, h := c.Size()
	if len(rows) == 0 {
		text := "No trials yet: " + p.starts() + "."
		if p.filter != "" {
			text = "No trial fits the filter. / changes it."
		}
		message(c, text)
		return
	}
	at := p.at(rows)
	first := window(at, len(rows), h-1)
	p.took = 5
	for i := range limit(rows[first:], h-1) {
		p.took = max(p.took, chart.Width(p.tookWords(&rows[first+i])))
	}
	cols, left := p.fitted(w - p.numbers() - 1)
	p.heads(c, cols)
	front := map[int]bool{}
	if a := p.analysis(); a != nil {
		for _, i := range a.Measured {
			front[a.Trials[i].ID] = true
		}
	}
	for y, t := range limit(rows[first:], h-1) {
		p.row(c.Sub(0, y+1, w, 1), &t, cols, left, first+y == at, front[t.ID])
	}
}

func (p trialsPane) heads(c *chart.Canvas, cols []trialColumn) {
	arrow := "↑"
	if p.reverse {
		arrow = "↓"
	}
	style := func(i int) chart.Style {
		if p.sort == i {
			return accent
		}
		return muted
	}
	name := func(text string, i int) string {
		if p.sort == i {
			return text + arrow
		}
		return text
	}
	rightText(c, 0, 0, 6, name("id", 0), style(0))
	c.Text(7, 0, name("state", 1), style(1))
	rightText(c, 17, 0, p.took, "took", muted)
	x := p.numbers()
	for _, k := range cols {
		title := name(k.name, k.col+2)
		if k.col >= len(p.snap.Tasks) {
			title = shortName(title, k.width-1)
		}
		rightText(c, x+1, 0, k.width-1, title, style(k.col+2))
		x += k.width
	}
}

func (p trialsPane) row(c *chart.Canvas, t *study.Trial, cols []trialColumn, left int, selected, front bool) {
	w, _ := c.Size()
	style := plain
	if selected {
		style.BG = chart.Selection
		c.Fill(' ', style)
		c.Text(0, 0, "▸", accent.On(chart.Selection))
	}
	order := chart.Ink(chart.Sequential(float64(t.ID) / float64(max(len(p.snap.Trials), 1))))
	rightText(c, 0, 0, 6, fmt.Sprint(t.ID), order.On(style.BG))
	word, ink := stateWord(t)
	c.Text(7, 0, word, ink.On(style.BG))
	if p.trialBelow(t) {
		c.Text(14, 0, belowMark, warn.On(style.BG))
	}
	rightText(c, 17, 0, p.took, p.tookWords(t), muted.On(style.BG))
	x := p.numbers()
	said, saidInk := p.said(t)
	if n, room := p.unmeasured(t, cols); said != "" && (room > left || n == len(cols)) {
		from := x + 2
		if x, cols = x+room, cols[n:]; len(cols) == 0 {
			x, left = w-1, 0
		}
		c.Text(from, 0, chart.Clip(said, x-from), saidInk.On(style.BG))
		said = ""
	}
	for _, k := range cols {
		v := p.measured(t, k.col)
		text, ink := "—", faded
		if !math.IsNaN(v) {
			text, ink = explore.Decimal(v, 2), muted
			if k.col < len(p.snap.Tasks) {
				text, ink = explore.Number(p.snap.Tasks[k.col], v), plain
				if front {
					ink = chart.Ink(chart.OnFront)
				}
			}
		}
		rightText(c, x+1, 0, k.width-1, text, ink.On(style.BG))
		x += k.width
	}
	if left > 6 {
		if said == "" {
			said, saidInk = t.Why, muted
		}
		c.Text(x+2, 0, chart.Clip(said, w-x-3), saidInk.On(style.BG))
	}
}

// said is what is to be said first of a trial: why it has failed, or how far it is.
func (p trialsPane) said(t *study.Trial) (string, chart.Style) {
	if t.Error != "" {
		return reason(t.Error), muted
	}
	return printable(p.snap.Underway(t)), muted
}

// unmeasured is how many columns of tasks there are, and how wide they are together, where nothing of a trial is
// measured: their room is free.
func (p trialsPane) unmeasured(t *study.Trial, cols []trialColumn) (n, room int) {
	for _, k := range cols {
		if k.col >= len(p.snap.Tasks) {
			break
		}
		if !math.IsNaN(p.measured(t, k.col)) {
			return 0, 0
		}
		n, room = n+1, room+k.width
	}
	return n, room
}

func stateWord(t *study.Trial) (string, chart.Style) {
	switch t.State {
	case evaluator.Done:
		return "✓ done", good
	case evaluator.Failed:
		return "✗ failed", bad
	case evaluator.Running:
		if t.Progress.Total > 0 {
			return fmt.Sprintf("▸ %d%%", 100*t.Progress.Done/t.Progress.Total), accent
		}
		return "▸ running", accent
	case evaluator.Cancelled:
		return "− gone", muted
	}
	return "· waiting", muted
}

// details says what is known of the selected trial: where it is, why it was asked for, its error, its log.
func (p trialsPane) details(c *chart.Canvas, rows []study.Trial) {
	box := chart.Box{Edge: faded}
	t := rows[p.at(rows)]
	box.Title = append(head(fmt.Sprintf("Trial %d", t.ID), false), chart.Span{Text: " ─ log", Style: muted})
	in := box.Draw(c)
	w, h := in.Size()
	y := 0
	say := func(text string, s chart.Style) {
		for _, line := range wrapWithin(text, w-2, h-y) {
			in.Text(1, y, line, s)
			y++
		}
	}
	say(p.sentence(&t), muted)
	if p.trialBelow(&t) {
		say(belowMark+" "+explore.BelowBaseWords(p.analysis(), t.Metrics), warn)
	}
	if said := p.snap.Underway(&t); said != "" {
		say(printable(said), accent)
	}
	if t.Error != "" {
		for _, line := range ends(wrapText(strings.TrimSpace(withoutPlace(t.Error)), w-2), h-y) {
			say(line, bad)
		}
	}
	if p.logOf != t.ID || y >= h {
		return
	}
	lines := logLines(p.log)
	for _, line := range lines[max(len(lines)-(h-y), 0):] {
		in.Text(1, y, chart.Clip(line, w-2), faded)
		y++
	}
}

// reason is the line that says what went wrong: the first, or, where that only says that others follow (an older
// parfait's), the last.
func reason(text string) string {
	lines := splitLines(strings.TrimSpace(withoutPlace(text)))
	if strings.HasSuffix(lines[0], ":") {
		return lines[len(lines)-1]
	}
	return lines[0]
}

// withoutPlace is an error without where its log is, which is here.
func withoutPlace(text string) string {
	text, _, _ = strings.Cut(text, "\nall of it is in ")
	return text
}

// ends are the first line and the last ones, n in all.
func ends(lines []string, n int) []string {
	if len(lines) <= n || n < 2 {
		return limit(lines, n)
	}
	return append([]string{lines[0]}, lines[len(lines)-n+1:]...)
}

func (p trialsPane) sentence(t *study.Trial) string {
	words := ""
	for i, name := range p.coefficients() {
		if i < len(t.X) {
			words += fmt.Sprintf("%s %s  ", name, explore.Decimal(t.X[i], 3))
		}
	}
	switch {
	case t.Batch >= 0:
		words += fmt.Sprintf("· batch %d", t.Batch)
	case t.Origin == study.OriginImport:
		words += "· imported"
	default:
		words += "· asked for by " + t.Origin
	}
	if t.Why != "" {
		words += " · " + t.Why
	}
	if took := p.tookWords(t); took != "" && t.State == evaluator.Running {
		words += " · running for " + took
	} else if took != "" {
		words += " · took " + took
	}
	if t.Attempt > 1 {
		words += fmt.Sprintf(" · attempt %d", t.Attempt)
	}
	if slices.Equal(t.X, p.state.X) {
		words += " · in hand"
	}
	return words
}

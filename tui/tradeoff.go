package tui

import (
	"math"

	"parfait/explore"
	"parfait/study"
	"parfait/tui/chart"
)

// drawTasks draws a row a task and returns how many rows it took.
func (p side) drawTasks(c *chart.Canvas) int {
	w, h := c.Size()
	col := p.columns(w)
	first := window(p.state.Task, len(p.read.Tasks), h)
	for y := range min(h, len(p.read.Tasks)) {
		p.drawTask(c, y, first+y, col)
	}
	return h
}

// taskColumns are the widths of a task's row.
type taskColumns struct{ name, value, spread, bar, share, floor int }

func (p side) columns(w int) taskColumns {
	k := taskColumns{share: 4} // 100%
	for _, t := range p.read.Tasks {
		k.value = max(k.value, chart.Width(explore.Number(t.Task, t.Predicted.Value)))
		k.spread = max(k.spread, chart.Width(explore.Interval(t.Task, t.Predicted)))
	}
	k.name = nameWidth(taskNames(p.snap.Tasks), 6, max(w/4, 10))
	if w >= 50 && len(p.state.Floors)+len(p.state.Weights)+len(p.state.Aspiration) > 0 {
		k.floor = 10
	}
	used := 3 + k.name + 1 + 1 + k.share + 2 + k.value + 1 + k.spread
	if w < 32 {
		k.share = 0
		used -= 6
	}
	if k.floor > 0 {
		used += k.floor + 1
	}
	if k.bar = w - used; k.bar < 3 {
		k.bar = 0
	}
	return k
}

// half is half the width of a prediction's interval.
func half(p study.Prediction) float64 { return (p.Hi - p.Lo) / 2 }

func (p side) drawTask(c *chart.Canvas, y, i int, k taskColumns) {
	t := p.read.Tasks[i]
	name := plain
	if i == p.state.Task {
		c.Text(0, y, "▸", accent)
		name = strong
		if p.focus == scopeTasks {
			name = accent.With(chart.Bold)
		}
	}
	r, style := p.trusted(i)
	c.Set(1, y, r, style)
	if t.BelowBase {
		c.Text(2, y, belowMark, warn)
	}
	x := 3
	c.Text(x, y, chart.Fit(t.Task.Name, k.name), name)
	x += k.name + 1
	value := strong
	switch {
	case t.Breaks:
		value = bad.With(chart.Bold)
	case t.Flagged:
		value = warn
	}
	// The bar comes before the figures: what a key changes is its end and what follows, and nothing else
	// is sent.
	if k.bar > 0 {
		p.bar(t, i).Draw(c.Sub(x, y, k.bar, 1))
		x += k.bar + 1
	}
	if k.share > 0 {
		rightText(c, x, y, k.share, share(t.Share), plain)
		x += k.share + 2
	}
	rightText(c, x, y, k.value, explore.Number(t.Task, t.Predicted.Value), value)
	x += k.value + 1
	c.Text(x, y, explore.Interval(t.Task, t.Predicted), chart.Style{Attr: chart.Faint})
	x += k.spread + 1
	if k.floor > 0 {
		text, s := preferenceText(t)
		c.Text(x, y, chart.Clip(text, k.floor), s)
	}
}

func preferenceText(t explore.TaskReadout) (string, chart.Style) {
	switch {
	case !math.IsNaN(t.Floor) && t.Breaks:
		return explore.Sign(t.Task) + explore.Number(t.Task, t.Floor) + " " + explore.Likely(t.Kept), bad
	case !math.IsNaN(t.Floor):
		return explore.Sign(t.Task) + explore.Number(t.Task, t.Floor) + " " + explore.Likely(t.Kept), good
	}
	return t.Preference, muted
}

// share writes a part of the best as a percentage.
func share(v float64) string {
	p := explore.Percent(v)
	if p == "" || v > 9.99 {
		return "—"
	}
	return p + "%"
}

// bar shows where the prediction lies between the worst and the best of the front.
func (p side) bar(t explore.TaskReadout, i int) chart.Bar {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, f := range p.analysis().Front {
		lo, hi = min(lo, f.Predicted[i].Value), max(hi, f.Predicted[i].Value)
	}
	pad := max((hi-lo)*0.15, 1e-9)
	b := chart.Bar{Range: chart.Range{Lo: lo - pad, Hi: hi}, Value: t.Predicted.Value, Upper: t.Predicted.Hi, Color: chart.Predicted}
	if t.Task.Sense == study.Minimize {
		b.Range, b.Upper = chart.Range{Lo: hi + pad, Hi: lo}, t.Predicted.Lo
	}
	if !math.IsNaN(t.Floor) {
		b.Floor, b.Floored = t.Floor, true
	}
	if t.Breaks {
		b.Color = chart.Bad
	}
	return b
}

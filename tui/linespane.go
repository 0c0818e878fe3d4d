package tui

import (
	"math"

	"parfait/explore"
	"parfait/problem"
	"parfait/search"
	"parfait/study"
	"parfait/tui/chart"
)

// linesPane draws the lines between every two models: how high the barriers on them are, and the metric
// along the selected one.
type linesPane modelsPane

func (p linesPane) draw(c *chart.Canvas) {
	w, h := c.Size()
	if len(p.between.lines) == 0 {
		in := chart.Box{Edge: faded, Title: head("Between the models", true)}.Draw(c)
		text := "Shown once both ends of a line and a point on it are measured: " + p.starts() + "."
		switch {
		case p.between.err != nil:
			text = problem.Text(p.between.err)
		case !p.between.shown.known:
			text = "working it out…"
		}
		message(in, text)
		return
	}
	if w >= 110 {
		names := 0
		for _, l := range p.between.lines {
			names = max(names, chart.Width(l.A+" – "+l.B))
		}
		left := min(max(w/3, 3*min(names, w/6), names+4+11*len(p.snap.Tasks)), w/2)
		p.drawHeights(c.Sub(0, 0, left, h))
		p.drawAlong(c.Sub(left, 0, w-left, h))
		return
	}
	top := min(len(p.between.lines)+3, max(h/3, 5))
	p.drawHeights(c.Sub(0, 0, w, top))
	p.drawAlong(c.Sub(0, top, w, h-top))
}

// drawHeights is the table of the barriers.
func (p linesPane) drawHeights(c *chart.Canvas) {
	w, _ := c.Size()
	title := append(head("Barriers", true), chart.Span{Text: " ─ below the line from model to model", Style: muted})
	in := chart.Box{Edge: accent, Title: title, Footer: chart.ClipSpans([]chart.Span{{Text: explore.Verdict(p.snap.Tasks, p.between.lines), Style: muted}}, w-6)}.Draw(c)
	m := chart.HeatMap{Cols: taskNames(p.snap.Tasks), Row: min(p.between.line, len(p.between.lines)-1), Col: p.between.task, Selected: true, Format: chart.Rate}
	for _, t := range p.snap.Tasks {
		if !t.Rate() {
			m.Format = chart.Plain
		}
	}
	for k, l := range p.between.lines {
		m.Rows = append(m.Rows, l.A+" – "+l.B)
		var row []float64
		for i := range p.snap.Tasks {
			h, v := p.between.hole(k, i), math.NaN()
			if h.Known {
				v = h.Height
			}
			row = append(row, v)
		}
		m.Values = append(m.Values, row)
	}
	m.Draw(in)
}

// drawAlong is what was measured along the selected line, with the straight line between its ends.
func (p linesPane) drawAlong(c *chart.Canvas) {
	w, h := c.Size()
	l := p.between.lines[min(p.between.line, len(p.between.lines)-1)]
	t := p.snap.Tasks[min(p.between.task, len(p.snap.Tasks)-1)]
	hole := p.between.hole(min(p.between.line, len(p.between.lines)-1), min(p.between.task, len(p.snap.Tasks)-1))
	title := append(head("Along the line", false), chart.Span{Text: " ─ ", Style: faded}, chart.Span{Text: l.A + " → " + l.B, Style: strong})
	in := chart.Box{Edge: faded, Title: chart.ClipSpans(title, w-6), Footer: p.key(w-6, t)}.Draw(c)
	iw, ih := in.Size()
	words := wrapWithin(hole.Words(t), iw-2, max(h/4, 1))
	style := muted
	switch {
	case hole.Real:
		style = warn
	case hole.Known && !hole.Unsure():
		style = good
	}
	for i, line := range words {
		in.Text(1, i, line, style)
	}
	s := p.along(l, t)
	if len(s.Layers) == 0 {
		centred(in, ih/2, "nothing on this line is measured", muted)
		return
	}
	s.Draw(in.Sub(0, len(words), iw, ih-len(words)))
}

// key says what the marks mean.
func (p linesPane) key(w int, t study.Task) []chart.Span {
	keys := []chart.Key{chart.MarkKey(chart.MarkInHand, t.Name+", measured", t.Name)}
	if len(p.snap.Tasks) > 1 {
		keys = append(keys, chart.MarkKey(chart.MarkOnFront, "the other tasks", "others"))
	}
	return chart.Legend(w, append(keys, chart.Key{Glyph: '╌', Style: muted, Text: "straight from end to end", Short: "straight"})...)
}

// along plots every task on the scale of t, the others out of the way.
func (p linesPane) along(l search.Line, t study.Task) chart.Scatter {
	s := chart.Scatter{
		X: chart.Axis{Label: "→ " + l.B, Format: chart.Rate, Range: chart.Range{Lo: 0, Hi: 1}.Pad(0.03)},
		Y: chart.Axis{Label: t.Name, Format: taskFormat(t)},
	}
	var chosen chart.Layer
	for i, task := range p.snap.Tasks {
		if task.Rate() != t.Rate() || !task.Rate() && task.Name != t.Name {
			continue
		}
		var pts []chart.Point
		var trace []chart.XY
		for _, place := range l.Points {
			if place.Failed || i >= len(place.Y) || math.IsNaN(place.Y[i].Value) {
				continue
			}
			pts = append(pts, chart.Point{X: place.At, Y: place.Y[i].Value, Color: chart.Series(i)})
			trace = append(trace, chart.XY{X: place.At, Y: place.Y[i].Value})
			if task.Name == t.Name {
				pts[len(pts)-1].ErrY = place.Y[i].Stderr
			}
		}
		if len(pts) == 0 {
			continue
		}
		if task.Name == t.Name {
			if n := len(trace); n > 1 {
				s.Curves = append(s.Curves, chart.Curve{Points: []chart.XY{trace[0], trace[n-1]}, Color: chart.Muted, Dashed: true})
			}
			chosen = chart.Layer{Mark: chart.MarkInHand, Points: pts}
			s.Curves = append(s.Curves, chart.Curve{Points: trace, Color: chart.Series(i)})
			continue
		}
		pts[len(pts)-1].Label = task.Name
		s.Layers = append(s.Layers, chart.Layer{Mark: chart.MarkOnFront, Points: pts})
	}
	if len(chosen.Points) > 0 {
		s.Layers = append(s.Layers, chosen)
	}
	return s
}

package tui

import (
	"fmt"
	"math"
	"strings"

	"parfait/explore"
	"parfait/tui/chart"
)

// modelsPane draws the models.
type modelsPane struct {
	props
	modelsView
}

func (p modelsPane) draw(c *chart.Canvas) {
	w, h := c.Size()
	switch p.picture {
	case pictureLines:
		linesPane(p).draw(c)
		return
	case pictureTree:
		treePane(p).draw(c)
		return
	}
	spec := p.specRows(h)
	box := chart.Box{Edge: faded, Title: append(head("Models", true), chart.Span{Text: " ─ " + p.snap.Spec.Method.Name, Style: muted})}
	p.drawSpec(box.Draw(c.Sub(0, 0, w, spec)))
	rest := h - spec
	draw := []func(*chart.Canvas){p.drawTasks, p.drawCosines, p.drawNorms}
	if together(w, rest) {
		draw[pictureTasks](c.Sub(0, spec, w/2, rest/2))
		draw[pictureCosines](c.Sub(w/2, spec, w-w/2, rest/2))
		draw[pictureNorms](c.Sub(0, spec+rest/2, w, rest-rest/2))
		return
	}
	draw[p.picture](c.Sub(0, spec, w, rest))
}

// specRows are the rows that the list of models takes of h.
func (p modelsPane) specRows(h int) int { return min(len(p.snap.Spec.Models)+4+p.warnings(), h/2) }

// together says whether w×h cells have room for the three pictures of the models.
func together(w, h int) bool { return w >= 120 && h >= 24 }

// warnings are the rows that what is odd about the models needs.
func (p modelsPane) warnings() int {
	if p.found == nil {
		return 1
	}
	return len(p.found.Warnings)
}

// drawSpec lists the models with what inspection says of each, then what is odd.
func (p modelsPane) drawSpec(c *chart.Canvas) {
	w, h := c.Size()
	names := []string{"base"}
	for _, m := range p.snap.Spec.Models {
		names = append(names, m.Name)
	}
	n := nameWidth(names, 6, max(w/4, 10))
	figures := 0
	if p.found != nil && w >= 76 {
		figures = 24
		c.Text(n+17, 0, "‖δ‖/‖θ₀‖  zeros  NaN", muted)
	}
	c.Text(1, 0, "base", strong)
	x := n + 17 + figures
	c.Text(x, 0, chart.Clip(p.snap.Spec.Base, w-x-1), muted)
	models := p.snap.Spec.Models
	rows := min(len(models), h-1-min(max(p.warnings(), 1), max(h/3, 1)))
	first := window(max(p.row-1, 0), len(models), rows) // where there is no room for all, those around the selected one
	for y := 1; y <= rows; y++ {
		i := first + y - 1
		m := &models[i]
		c.Text(1, y, chart.Clip(m.Name, n), plain)
		text, style := fmt.Sprintf("[%g, %g]", m.Range[0], m.Range[1]), accent
		if to := p.tiedTo(m.Name); m.Fixed {
			text, style = fmt.Sprintf("%g, fixed", m.Range[0]), muted
		} else if to != "" {
			text, style = "= "+to, muted
		}
		c.Text(n+2, y, chart.Clip(text, 14), style)
		if figures > 0 && i < len(p.found.Total.Relative) {
			t := p.found.Total
			rightText(c, n+17, y, 8, explore.Decimal(t.Relative[i], 3), plain)
			rightText(c, n+27, y, 5, fmt.Sprintf("%.0f%%", 100*t.Zeros[i]), plain)
			if i+1 < len(t.NonFinite) {
				style := muted
				if t.NonFinite[i+1] > 0 {
					style = bad
				}
				rightText(c, n+34, y, 3, fmt.Sprint(t.NonFinite[i+1]), style)
			}
		}
		c.Text(x, y, chart.Clip(m.Path, w-x-1), muted)
	}
	p.drawOdd(c, rows+1)
}

// tiedTo is the model whose coefficients are all those of another; "" where it has one of its own.
func (p modelsPane) tiedTo(model string) (to string) {
	for _, n := range p.snap.Space.Numbers() {
		if n.Model != model {
			continue
		}
		if n.Of < 0 || p.snap.Space.Coefficients[n.Of].Name == n.Name {
			return ""
		}
		to, _, _ = strings.Cut(p.snap.Space.Coefficients[n.Of].Model, "+")
	}
	if to == model { // group to group
		return ""
	}
	return to
}

// drawOdd says what is odd about the models, or how to find out.
func (p modelsPane) drawOdd(c *chart.Canvas, y int) {
	w, _ := c.Size()
	switch {
	case p.reading != nil:
		c.Text(1, y, chart.Clip("every model is being read once… "+p.reading.words(), w-2), accent)
	case p.found == nil:
		c.Text(1, y, chart.Clip(p.unread()+": norms, cosines and sign conflicts of the task vectors", w-2), muted)
	case len(p.found.Warnings) == 0:
		t := p.found.Total
		words := fmt.Sprintf("signs conflict in %.0f%% of the entries", 100*t.Conflicts)
		for _, more := range []string{" · variance ratio " + explore.Decimal(t.VarianceRatio, 2), " (near 1: one basin, they merge)"} {
			if chart.Width(words+more) > w-2 {
				break
			}
			words += more
		}
		c.Text(1, y, words, good)
	default:
		for i, m := range p.found.Warnings {
			c.Text(1, y+i, chart.Clip("! "+m.Error(), w-2), warn)
		}
	}
}

// drawTasks is the table of references and tasks.
func (p modelsPane) drawTasks(c *chart.Canvas) {
	box := chart.Box{Edge: faded, Title: append(head("By themselves", false), chart.Span{Text: " ─ measured, or predicted where they were not", Style: muted})}
	in := box.Draw(c)
	if p.analysis() == nil {
		message(in, p.hint())
		return
	}
	m := p.heat()
	m.Draw(in)
}

func (p modelsPane) heat() *chart.HeatMap {
	a := p.analysis()
	m := &chart.HeatMap{Cols: taskNames(p.snap.Tasks), Row: min(p.row, len(a.References)-1), Col: p.col, Selected: true, Range: chart.Range{Lo: 0, Hi: 1}, Format: chart.Rate}
	for _, t := range p.snap.Tasks {
		if !t.Rate() {
			m.Range, m.Format = chart.Range{}, chart.Plain
		}
	}
	for _, r := range a.References {
		m.Rows = append(m.Rows, r.Name)
		var row []float64
		for i := range p.snap.Tasks {
			v := r.Predicted[i].Value
			if r.Trial >= 0 {
				if got := p.measured(&a.Trials[r.Trial], i); !math.IsNaN(got) {
					v = got
				}
			}
			row = append(row, v)
		}
		m.Values = append(m.Values, row)
	}
	return m
}

// drawCosines is how the task vectors stand to each other.
func (p modelsPane) drawCosines(c *chart.Canvas) {
	in := chart.Box{Edge: faded, Title: append(head("Cosines", false), chart.Span{Text: " ─ of the task vectors: −1 opposed, 0 unrelated, 1 the same", Style: muted})}.Draw(c)
	if p.unknown(in) {
		return
	}
	m := chart.HeatMap{Rows: p.found.Models, Cols: p.found.Models, Values: p.found.Total.Cosines, Diverging: true, Range: chart.Range{Lo: -1, Hi: 1}, Format: chart.Rate}
	m.Draw(in)
}

// drawNorms is how far each model has moved from the base, by group of layers.
func (p modelsPane) drawNorms(c *chart.Canvas) {
	in := chart.Box{Edge: faded, Title: append(head("Norms", false), chart.Span{Text: " ─ ‖δ‖/‖θ₀‖ by group of layers, and signs in conflict", Style: muted})}.Draw(c)
	if p.unknown(in) {
		return
	}
	m := chart.HeatMap{Cols: append(append([]string{}, p.found.Models...), "conflicts"), Format: chart.Rate}
	for _, g := range p.found.Groups {
		m.Rows = append(m.Rows, g.Name)
		m.Values = append(m.Values, append(append([]float64{}, g.Relative...), g.Conflicts))
	}
	m.Draw(in)
}

// unread says how the models come to be read.
func (p modelsPane) unread() string {
	if p.viewer {
		return "shown once an operator has the models read"
	}
	return "i reads every model once"
}

// unknown says so where nothing was read yet.
func (p modelsPane) unknown(c *chart.Canvas) bool {
	switch {
	case p.reading != nil:
		_, h := c.Size()
		centred(c, h/2, "every model is being read once…", accent)
	case p.found == nil:
		message(c, p.unread())
	default:
		return false
	}
	return true
}

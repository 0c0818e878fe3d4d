package tui

import (
	"fmt"
	"math"
	"slices"

	tea "charm.land/bubbletea/v2"

	"parfait/evaluator"
	"parfait/explore"
	"parfait/tui/chart"
)

// scopeParallel is the view in parallel coordinates.
const scopeParallel scope = "parallel"

// parallelView is the plot in parallel coordinates: which axis is in hand, and whether trials are shown.
type parallelView struct {
	idle
	axis   int
	trials bool // drawn too
}

// brushStep is how far an end of a brush moves with a key, in parts of the axis.
const brushStep = 0.05

func newParallelView() view { return &parallelView{} }

func (v *parallelView) info() viewInfo {
	return viewInfo{scope: scopeParallel, key: "2", title: "Parallel", heading: "Parallel coordinates", side: 120, inHand: true}
}

func (v *parallelView) draw(e *explorer, s props, c *chart.Canvas) {
	parallelPane{props: s, parallelView: *v, focused: e.focus == scopeParallel}.draw(c)
}

func (v *parallelView) actions() []action {
	at := []scope{scopeParallel}
	axis := func(n int) func(*explorer) tea.Cmd {
		return in(func(e *explorer, v *parallelView) tea.Cmd {
			v.axis = (v.axis + n + len(e.columns())) % len(e.columns())
			if v.axis < len(e.snap.Tasks) {
				e.state.Task = v.axis
				e.look()
			}
			return nil
		})
	}
	brush := func(lo, hi float64) func(*explorer) tea.Cmd {
		return in(func(e *explorer, v *parallelView) tea.Cmd { return v.brush(e, lo, hi) })
	}
	return []action{
		{ID: "parallel.next", Scopes: at, Keys: []string{"right", "l"}, Pair: "←→", Title: "the next axis", Hint: "axis", Bar: 1, do: axis(1)},
		{ID: "parallel.previous", Scopes: at, Keys: []string{"left", "h"}, Title: "the previous axis", do: axis(-1)},
		{ID: "parallel.raise", Scopes: at, Keys: []string{"up", "k"}, Pair: "↑↓", Title: "brush: raise the lower end", Hint: "lower end", Bar: 1, Twin: "parfait front --all", disabled: noFront, do: brush(brushStep, 0)},
		{ID: "parallel.lower", Scopes: at, Keys: []string{"down", "j"}, Title: "brush: lower the lower end", disabled: noFront, do: brush(-brushStep, 0)},
		{ID: "parallel.raise-top", Scopes: at, Keys: []string{"shift+up", "K"}, Title: "brush: raise the upper end", disabled: noFront, do: brush(0, brushStep)},
		{ID: "parallel.lower-top", Scopes: at, Keys: []string{"shift+down", "J"}, Title: "brush: lower the upper end", Hint: "upper end", Bar: 2, disabled: noFront, do: brush(0, -brushStep)},
		{ID: "parallel.clear", Scopes: at, Keys: []string{"x", "backspace"}, Title: "take the brush of this axis away", Hint: "clear", Bar: 3, disabled: in(noBrush), do: in(func(e *explorer, v *parallelView) tea.Cmd {
			return e.move(explore.Move{Kind: explore.BrushTo, Name: e.columns()[v.axis], Lo: math.NaN(), Hi: math.NaN()})
		})},
		{ID: "parallel.step", Scopes: at, Keys: []string{"space"}, Title: "take the next brushed point in hand", Hint: "next brushed", Bar: 2, disabled: noFront, do: stepBrushed},
		{ID: "parallel.measured", Scopes: at, Keys: []string{"m"}, Title: "show the measured trials too, or not", Hint: "measured", Bar: 4, disabled: noFront, do: in(func(_ *explorer, v *parallelView) tea.Cmd {
			v.trials = !v.trials
			return nil
		})},
	}
}

func noBrush(e *explorer, v *parallelView) string {
	if _, ok := e.state.Brushes[e.columns()[v.axis]]; !ok {
		return "this axis has no brush"
	}
	return ""
}

// brush moves the ends of the brush of the axis in hand, in parts of its range.
func (v *parallelView) brush(e *explorer, lo, hi float64) tea.Cmd {
	r := parallelPane{props: e.props, parallelView: *v}.axes()[v.axis].Range
	name := e.columns()[v.axis]
	b, ok := e.state.Brushes[name]
	if !ok {
		b = explore.Brush{Lo: r.Lo, Hi: r.Hi}
	}
	width := r.Hi - r.Lo
	b.Lo, b.Hi = min(max(b.Lo+lo*width, r.Lo), r.Hi), max(min(b.Hi+hi*width, r.Hi), r.Lo)
	if b.Lo > b.Hi {
		if lo != 0 {
			b.Lo = b.Hi
		} else {
			b.Hi = b.Lo
		}
	}
	if b.Lo <= r.Lo+1e-12 && b.Hi >= r.Hi-1e-12 {
		b = explore.Brush{Lo: math.NaN(), Hi: math.NaN()}
	}
	return e.move(explore.Move{Kind: explore.BrushTo, Name: name, Lo: b.Lo, Hi: b.Hi})
}

func stepBrushed(e *explorer) tea.Cmd {
	within := e.state.Within(e.analysis())
	if len(within) == 0 {
		e.note = note{"no point of the front is within all brushes", warn}
		return nil
	}
	to := within[0]
	if i, _ := slices.BinarySearch(within, e.state.Front+1); i < len(within) {
		to = within[i]
	}
	return e.move(explore.Move{Kind: explore.GoFront, N: to})
}

// parallelPane draws the front as lines over tasks and coefficients.
type parallelPane struct {
	props
	parallelView
	focused bool
}

func (p parallelPane) draw(c *chart.Canvas) {
	box := chart.Box{Edge: faded, Title: head("Parallel coordinates", p.focused)}
	if p.analysis() == nil {
		message(box.Draw(c), p.hint())
		return
	}
	cw, _ := c.Size()
	first, n := p.fitting(cw - 2)
	box.Title = append(box.Title, p.title(first, n)...)
	box.Footer = p.footer(c)
	in := box.Draw(c)
	w, h := in.Size()
	list := 0
	if h >= 16 && len(p.state.Brushes) > 0 {
		list = min(h/4, 10)
	}
	all := chart.Parallel{Axes: p.axes()}
	for i := len(p.snap.Tasks); i < len(all.Axes); i++ {
		if label := &all.Axes[i].Label; inParts(*label) { // the plot cuts others itself
			*label = shortName(*label, w/n-1)
		}
	}
	plot := chart.Parallel{Axes: all.Axes[first : first+n], Strands: p.strands(), Focus: p.axis - first}
	for i := range plot.Strands {
		s := &plot.Strands[i]
		s.Values, s.Dimmed = s.Values[first:first+n], !all.Selected(s.Values)
	}
	plot.Draw(in.Sub(0, 0, w, h-list))
	if list > 0 {
		p.drawBrushed(in.Sub(0, h-list, w, list), first, n)
	}
}

// minAxisWidth is how many cells an axis needs for its name and figures.
const minAxisWidth = 7

// fitting are the axes that there is room for in w cells: n from the first, the one in hand among them.
func (p parallelPane) fitting(w int) (first, n int) {
	all := len(p.columns())
	n = min(max(w/minAxisWidth, 2), all)
	return window(p.axis, all, n), n
}

func (p parallelPane) title(first, n int) []chart.Span {
	var t []chart.Span
	if all := len(p.columns()); n < all {
		t = append(t, chart.Span{Text: fmt.Sprintf(" ─ axes %d to %d of %d", first+1, first+n, all), Style: muted})
	}
	if a := p.analysis(); len(p.state.Brushes) > 0 {
		t = append(t, chart.Span{Text: fmt.Sprintf(" ─ %d of %d within the brushes", len(p.state.Within(a)), len(a.Front)), Style: warn})
	}
	return t
}

func (p parallelPane) footer(c *chart.Canvas) []chart.Span {
	w, _ := c.Size()
	keys := []chart.Key{{Glyph: '━', Style: chart.Ink(chart.InHand), Text: "in hand"}}
	if len(p.read.BelowBase) > 0 || len(p.state.Brushes) > 0 {
		keys = append(keys, belowKey())
	}
	keys = append(keys, chart.Key{Glyph: '─', Style: chart.Ink(chart.Sequential(0.7)), Text: "predicted front, coloured by " + p.columns()[p.axis], Short: "predicted"})
	if p.trials {
		keys = append(keys, chart.Key{Glyph: '─', Style: chart.Ink(chart.OnFront), Text: "measured"})
	}
	return chart.Legend(w-6, keys...)
}

func (p parallelPane) axes() []chart.ParallelAxis {
	names := p.columns()
	axes := make([]chart.ParallelAxis, len(names))
	for i, name := range names {
		r := chart.Range{Lo: math.Inf(1), Hi: math.Inf(-1)}
		for _, f := range p.analysis().Front {
			v := explore.Column(f.X, f.Predicted, i)
			r.Lo, r.Hi = min(r.Lo, v), max(r.Hi, v)
		}
		if i < len(p.snap.Tasks) {
			padded := r.Pad(0.02)
			if p.snap.Tasks[i].Rate() { // no rate is beyond these, unless a prediction is
				padded.Lo, padded.Hi = max(padded.Lo, min(r.Lo, 0)), min(padded.Hi, max(r.Hi, 1))
			}
			r = padded
		}
		axes[i] = chart.ParallelAxis{Axis: chart.Axis{Label: name, Range: r, Format: p.columnFormat(i)}}
		if i < len(p.read.Tasks) && p.read.Tasks[i].BelowBase {
			k := belowKey()
			axes[i].Marks = []chart.AxisMark{{At: p.read.Tasks[i].Predicted.Value, Glyph: k.Glyph, Style: k.Style.With(chart.Bold)}}
		}
		if b, ok := p.state.Brushes[name]; ok {
			axes[i].Brushed, axes[i].Brush = true, chart.Range{Lo: b.Lo, Hi: b.Hi}
		}
	}
	return axes
}

// maxStrands are drawn of the front, and as many of what is brushed: more would fill the screen.
const maxStrands = 50

// shown are the points of the front whose lines are drawn: some of all, and some more of those within the
// brushes.
func (p parallelPane) shown() []int {
	a := p.analysis()
	var out []int
	for i := 0; i < len(a.Front); i += len(a.Front)/maxStrands + 1 {
		out = append(out, i)
	}
	if len(p.state.Brushes) == 0 {
		return out
	}
	within := p.state.Within(a)
	for i := 0; i < len(within); i += len(within)/maxStrands + 1 {
		out = append(out, within[i])
	}
	return out
}

// strands are the lines, coloured by their value on the axis in hand.
func (p parallelPane) strands() []chart.Strand {
	var out []chart.Strand
	n := len(p.columns())
	values := func(at func(int) float64) []float64 {
		vs := make([]float64, n)
		for i := range vs {
			vs[i] = at(i)
		}
		return vs
	}
	a, colour := p.analysis(), p.axes()[p.axis].Range
	for _, i := range p.shown() {
		f := &a.Front[i]
		t := colour.At(explore.Column(f.X, f.Predicted, p.axis))
		out = append(out, chart.Strand{Values: values(func(i int) float64 { return explore.Column(f.X, f.Predicted, i) }), Color: chart.Sequential(t)})
	}
	if p.trials {
		for i := range p.analysis().Trials {
			if t := &p.analysis().Trials[i]; t.State == evaluator.Done {
				out = append(out, chart.Strand{Values: values(func(i int) float64 { return p.measured(t, i) }), Color: chart.OnFront})
			}
		}
	}
	if len(p.read.Tasks) > 0 {
		out = append(out, chart.Strand{Values: values(func(i int) float64 {
			if i < len(p.read.Tasks) {
				return p.read.Tasks[i].Predicted.Value
			}
			return p.state.X[i-len(p.read.Tasks)]
		}), Color: chart.InHand, Top: true})
	}
	return out
}

// drawBrushed lists the points within all brushes, with n axes from the first.
func (p parallelPane) drawBrushed(c *chart.Canvas, from, n int) {
	w, h := c.Size()
	a := p.analysis()
	const label, least, most = 13, 8, 13
	n = min(n, (w-label)/least)
	column := min((w-label)/max(n, 1), most)
	for i, name := range p.columns()[from : from+n] {
		rightText(c, label+i*column, 0, column-1, name, faded)
	}
	c, h = c.Sub(0, 1, w, h-1), h-1
	all := p.state.Within(a)
	at := 0
	for k, i := range all {
		if i == p.state.Front {
			at = k
		}
	}
	first := window(at, len(all), h)
	for y, i := range limit(all[first:], h) {
		style := muted
		if i == p.state.Front {
			style = chart.Ink(chart.InHand).With(chart.Bold)
		}
		c.Text(1, y, p.marked(fmt.Sprintf("front %d", i+1), a.Front[i].Predicted), style)
		for k := from; k < from+n; k++ {
			text := explore.Decimal(explore.Column(a.Front[i].X, a.Front[i].Predicted, k), 2)
			if k < len(p.snap.Tasks) {
				text = explore.Number(p.snap.Tasks[k], a.Front[i].Predicted[k].Value)
			}
			rightText(c, label+(k-from)*column, y, column-1, text, style)
		}
	}
}

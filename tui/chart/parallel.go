package chart

import "math"

// ParallelAxis is one vertical axis of a plot in parallel coordinates.
type ParallelAxis struct {
	Axis
	Brushed bool  // only lines within Brush are selected
	Brush   Range // ends in any order
	Marks   []AxisMark
}

// AxisMark is a character on an axis, over its line: at its end where At is beyond it.
type AxisMark struct {
	At    float64
	Glyph rune
	Style Style
}

// Strand is one line of a plot in parallel coordinates: a value an axis; NaN breaks the line.
type Strand struct {
	Values []float64
	Color  Color
	Top    bool // drawn over the others, as what is in hand
	Dimmed bool // not selected, whatever the brushes say: those of axes that are not drawn
}

// Parallel is a plot in parallel coordinates. Brushes on several axes combine: the lines that all of them
// hold are selected, the others dimmed and still there.
type Parallel struct {
	Axes    []ParallelAxis
	Strands []Strand
	Focus   int // the axis in hand; -1 for none
}

// Selected reports whether every brush holds the line. A missing value is not held.
func (p *Parallel) Selected(values []float64) bool {
	for i := range p.Axes {
		if a := &p.Axes[i]; a.Brushed && (i >= len(values) || !a.Brush.contains(values[i])) {
			return false
		}
	}
	return true
}

// Draw draws the plot on the whole of c. It takes time proportional to the lines times the columns.
func (p *Parallel) Draw(c *Canvas) {
	w, h := c.Size()
	n := len(p.Axes)
	if w == 0 || h == 0 || n == 0 {
		return
	}
	axes := p.fitted()
	top, bottom := 0, h
	if h >= minPlotH+3 {
		top, bottom = 2, h-1
	}
	at := make([]int, n)
	for i := range at {
		at[i] = p.column(i, w)
	}
	body := c.Sub(0, top, w, bottom-top)
	p.strands(body, axes, at)
	for i := range axes {
		p.axis(body, &axes[i], at[i], i == p.Focus)
		brushEnds(body, &axes[i], at[i])
		axes[i].marks(body, at[i])
		if top > 0 {
			p.heading(c, &axes[i], at, i, bottom)
		}
	}
}

// column is where axis i stands on a canvas w cells wide.
func (p *Parallel) column(i, w int) int {
	n := len(p.Axes)
	// Half a label's room at both sides, as far as there is any.
	margin := min(w/(2*n), 8)
	if n == 1 {
		return w / 2
	}
	return min(margin+i*(w-1-2*margin)/(n-1), w-1)
}

// fitted are the axes with their ranges.
func (p *Parallel) fitted() []ParallelAxis {
	axes := make([]ParallelAxis, len(p.Axes))
	for i, a := range p.Axes {
		if a.Range == (Range{}) {
			r := empty
			for j := range p.Strands {
				if v := p.Strands[j].Values; i < len(v) {
					r = r.with(v[i])
				}
			}
			a.Range = r.orZero()
		}
		a.Range = a.Range.usable()
		axes[i] = a
	}
	return axes
}

// strands draws the lines: the dimmed ones, the selected ones over them, and what is on top.
func (p *Parallel) strands(c *Canvas, axes []ParallelAxis, at []int) {
	brushed := false
	for i := range p.Axes {
		brushed = brushed || p.Axes[i].Brushed
	}
	w, h := c.Size()
	var planes [3]*dotGrid // dimmed, selected, on top
	for i := range p.Strands {
		s := &p.Strands[i]
		plane, style := 1, Ink(s.Color)
		switch {
		case s.Top:
			plane, style.Attr = 2, Bold
		case s.Dimmed, brushed && !p.Selected(s.Values):
			plane, style = 0, Ink(Faded)
		}
		if planes[plane] == nil {
			planes[plane] = newDotGrid(w, h, c.Glyphs())
		}
		planes[plane].strand(s.Values, axes, at, plane == 0, style)
	}
	for _, d := range planes {
		if d != nil {
			d.Draw(c, 0, 0)
		}
	}
}

// strand draws one line between the columns of the axes, dotted where it is dimmed.
func (d *dotGrid) strand(values []float64, axes []ParallelAxis, at []int, dimmed bool, s Style) {
	_, h := d.Size()
	dash := 0
	if dimmed {
		dash = 1
	}
	var px, py float64
	ok := false
	for i, v := range values[:min(len(values), len(axes))] {
		t := axes[i].Range.At(v)
		x := (float64(at[i]) + 0.5) * float64(int(1)<<d.sx)
		y := (1-t)*float64(h-1) + 0.5
		if math.IsNaN(t) || t < -1e-9 || t > 1+1e-9 {
			ok = false
			continue
		}
		if ok {
			d.Dashed(px, py, x, y, dash, s)
		}
		px, py, ok = x, y, true
	}
}

// axis draws one axis, its brush and its focus.
func (p *Parallel) axis(c *Canvas, a *ParallelAxis, x int, focus bool) {
	_, h := c.Size()
	line := Ink(Muted)
	if focus {
		line = Ink(Accent)
	}
	for y := range h {
		c.Set(x, y, '│', line)
	}
	from, to, ok := a.brushed(h)
	if !ok {
		return
	}
	for y := from; y <= to; y++ {
		c.Set(x, y, '┃', Ink(Accent).With(Bold))
	}
	c.Set(x, from, '┳', Ink(Accent).With(Bold))
	if to > from {
		c.Set(x, to, '┻', Ink(Accent).With(Bold))
	}
}

// marks draws what is marked on the axis at column x.
func (a *ParallelAxis) marks(c *Canvas, x int) {
	_, h := c.Size()
	for _, m := range a.Marks {
		if t := a.Range.At(m.At); !math.IsNaN(t) {
			c.Set(x, h-1-floorCell(min(max(t, 0), 1), h), m.Glyph, m.Style)
		}
	}
}

// brushed is the rows of h, from the top, that the brush takes; ok is false where there is none in view.
func (a *ParallelAxis) brushed(h int) (from, to int, ok bool) {
	lo, hi := a.Range.At(a.Brush.Lo), a.Range.At(a.Brush.Hi)
	if lo > hi {
		lo, hi = hi, lo
	}
	if !a.Brushed || h == 0 || !(lo <= 1 && hi >= 0) {
		return 0, 0, false
	}
	return h - 1 - floorCell(min(hi, 1), h), h - 1 - floorCell(max(lo, 0), h), true
}

// brushEnds writes the ends of the brush beside the axis.
func brushEnds(c *Canvas, a *ParallelAxis, x int) {
	w, h := c.Size()
	from, to, ok := a.brushed(h)
	if !ok {
		return
	}
	step := a.grain()
	ends := Range{min(a.Brush.Lo, a.Brush.Hi), max(a.Brush.Lo, a.Brush.Hi)}
	if a.Range.Lo > a.Range.Hi {
		ends.Lo, ends.Hi = ends.Hi, ends.Lo
	}
	for _, end := range []struct {
		y int
		v float64
	}{{from, ends.Hi}, {to, ends.Lo}} {
		text := a.format(end.v, step)
		if n := Width(text); x+1+n <= w && (end.y == from || to > from) && n < w/3 {
			c.Text(x+1, end.y, text, Ink(Accent).With(Bold))
		}
	}
}

// grain is the precision worth writing on the axis.
func (a *ParallelAxis) grain() float64 { return niceStep(abs(a.Range.Hi-a.Range.Lo) / 100) }

// heading writes an axis's name and the ends of its range.
func (p *Parallel) heading(c *Canvas, a *ParallelAxis, at []int, i, bottom int) {
	w, _ := c.Size()
	left, right := 0, w
	if i > 0 {
		left = (at[i-1] + at[i] + 2) / 2
	}
	if i+1 < len(at) {
		right = (at[i] + at[i+1] + 1) / 2
	}
	step := a.grain()
	name := Ink(Default)
	if i == p.Focus {
		name = Ink(Accent).With(Bold)
	}
	centered(c, at[i], 0, left, right, a.Label, name)
	centered(c, at[i], 1, left, right, a.format(a.Range.Hi, step), Ink(Muted))
	centered(c, at[i], bottom, left, right, a.format(a.Range.Lo, step), Ink(Muted))
}

// centered writes text around column x, between left and right.
func centered(c *Canvas, x, y, left, right int, text string, s Style) {
	text = Clip(text, right-left-1)
	n := Width(text)
	c.Text(max(min(x-n/2, right-1-n), left), y, text, s)
}

package chart

import "math"

// Point is one point of a scatter plot.
type Point struct {
	X, Y  float64
	Value float64 // what the colour shows, where the layer has a Scale
	Label string  // written beside the point where there is room; empty for none

	// ErrX and ErrY are half the lengths of the error bars; 0 for none.
	ErrX, ErrY float64

	// Color replaces the colour of the mark; Default keeps it. Faded points are hollow, out of the way but
	// still there.
	Color Color
	Faded bool
	Shape rune // replaces the shape of the mark or of its level; 0 keeps it
}

// Layer is points that wear the same mark. With a Scale, the points are coloured by their Value and
// wear the shape of its level (◔◑◕●; digits in ASCII) instead of the mark.
type Layer struct {
	Mark   Mark
	Points []Point
	Scale  *Range
}

// XY is a position on both axes.
type XY struct{ X, Y float64 }

// Curve is a line through points, drawn finer than cells.
type Curve struct {
	Points []XY
	Color  Color
	Dashed bool
}

// Interval is a stretch of the y axis at X.
type Interval struct{ X, Lo, Hi float64 }

// Scatter is a plot of points. Layers are drawn in order: a later one wins a cell. Labels avoid marks
// and each other; those of later layers have the first choice.
type Scatter struct {
	X, Y   Axis
	Layers []Layer
	Curves []Curve

	// Band is shaded between Lo and Hi, interpolated along X, which ascends.
	Band []Interval

	// Attained points shade the region that they dominate and draw its edge. MinX and MinY say that
	// less is better on an axis.
	Attained   []XY
	MinX, MinY bool
}

// Draw draws the plot on the whole of c and says where its values lie. It takes time proportional to the
// points and the cells.
func (s *Scatter) Draw(c *Canvas) Frame {
	x, y := s.X, s.Y
	x.Range, y.Range = s.Ranges()
	f := drawAxes(c, x, y)
	plot := c.Sub(f.Plot.Min.X, f.Plot.Min.Y, f.Plot.Dx(), f.Plot.Dy())
	p := &scatterPlot{Scatter: s, c: plot, f: f.within()}
	p.w, p.h = plot.Size()
	if p.w == 0 || p.h == 0 {
		return f
	}
	p.band()
	p.attained()
	p.curves()
	p.taken = make([]bool, p.w*p.h)
	for i := range s.Layers {
		p.errorBars(&s.Layers[i])
	}
	for i := range s.Layers {
		p.layer(&s.Layers[i])
	}
	p.labels()
	return f
}

// Ranges are what the axes show: their own ranges, or those of all that is plotted with a little room.
func (s *Scatter) Ranges() (x, y Range) {
	x = s.extent(func(p Point) (float64, float64) { return p.X, p.ErrX }, func(p XY) float64 { return p.X })
	y = s.extent(func(p Point) (float64, float64) { return p.Y, p.ErrY }, func(p XY) float64 { return p.Y })
	return s.X.fit(x).Range, s.Y.fit(y).Range
}

// extent is the range of everything that the plot shows on one axis.
func (s *Scatter) extent(point func(Point) (at, err float64), xy func(XY) float64) Range {
	r := empty
	for i := range s.Layers {
		for j := range s.Layers[i].Points {
			at, err := point(s.Layers[i].Points[j])
			if r = r.with(at); err > 0 {
				r = r.with(at - err).with(at + err)
			}
		}
	}
	for i := range s.Curves {
		for _, p := range s.Curves[i].Points {
			r = r.with(xy(p))
		}
	}
	for _, p := range s.Attained {
		r = r.with(xy(p))
	}
	return r.orZero()
}

// scatterPlot is a scatter plot being drawn on the canvas between its axes.
type scatterPlot struct {
	*Scatter
	c     *Canvas
	f     Frame // with cells counted from the plot's corner
	w, h  int
	taken []bool // cells that labels avoid
}

// within is the frame as seen from the plot's own corner.
func (f Frame) within() Frame {
	f.Plot = f.Plot.Sub(f.Plot.Min)
	return f
}

func (p *scatterPlot) layer(l *Layer) {
	var dots *dotGrid
	if l.Mark == MarkMeasured && l.Scale == nil && p.c.Glyphs() == Braille {
		dots = newDotGrid(p.w, p.h, Braille)
	}
	for i := range l.Points {
		pt := &l.Points[i]
		cx, cy, ok := p.f.Cell(pt.X, pt.Y)
		r, style := l.look(pt, p.c.Glyphs())
		if !ok {
			if l.Mark == MarkInHand {
				p.beyond(pt, style)
			}
			continue
		}
		p.taken[cy*p.w+cx] = true
		if dots != nil {
			w, h := dots.Size()
			dx, _ := p.f.X.cell(pt.X, w)
			dy, _ := p.f.Y.cell(pt.Y, h)
			dots.Set(dx, h-1-dy, style)
			continue
		}
		p.set(cx, cy, r, style)
	}
	if dots != nil {
		dots.Draw(p.c, 0, 0)
	}
}

// beyond points to a point outside the plot from the edge that it lies behind.
func (p *scatterPlot) beyond(pt *Point, s Style) {
	tx, ty := p.f.X.At(pt.X), p.f.Y.At(pt.Y)
	if math.IsNaN(tx) || math.IsNaN(ty) {
		return
	}
	r := '▴'
	switch {
	case tx < 0:
		r = '◂'
	case tx > 1:
		r = '▸'
	case ty < 0:
		r = '▾'
	}
	cx, cy := max(floorCell(tx, p.w), 0), p.h-1-max(floorCell(ty, p.h), 0)
	p.set(cx, cy, r, s)
	p.taken[cy*p.w+cx] = true
}

// look is the shape and style of a point.
func (l *Layer) look(pt *Point, g Glyphs) (rune, Style) {
	r, style := l.Mark.Rune(), l.Mark.style()
	if pt.Faded {
		r = l.Mark.faded()
	}
	if l.Scale != nil {
		t := l.Scale.At(pt.Value)
		r, style.FG = levelRune(t, g), Sequential(t)
	}
	if pt.Shape != 0 {
		r = pt.Shape
	}
	if pt.Color != Default {
		style.FG = pt.Color
	}
	if pt.Faded {
		style.FG, style.Attr = Faded, style.Attr|Faint
	}
	return r, style
}

// set draws r and keeps the background.
func (p *scatterPlot) set(cx, cy int, r rune, s Style) {
	if s.BG == Default {
		s.BG = p.c.style(cx, cy).BG
	}
	p.c.Set(cx, cy, r, s)
}

// errorBars draws the bars of a layer, whose ends may lie outside the plot.
func (p *scatterPlot) errorBars(l *Layer) {
	for i := range l.Points {
		pt := &l.Points[i]
		cx, cy, ok := p.f.Cell(pt.X, pt.Y)
		if !ok {
			continue
		}
		_, style := l.look(pt, p.c.Glyphs())
		style.Attr |= Faint
		if pt.ErrX > 0 {
			lo, hi := stretch(p.f.X, pt.X, pt.ErrX, p.w)
			for x := lo; x <= hi; x++ {
				p.set(x, cy, '─', style)
				p.taken[cy*p.w+x] = true
			}
			if lo < cx {
				p.set(lo, cy, '├', style)
			}
			if hi > cx {
				p.set(hi, cy, '┤', style)
			}
		}
		if pt.ErrY > 0 {
			lo, hi := stretch(p.f.Y, pt.Y, pt.ErrY, p.h)
			for y := lo; y <= hi; y++ {
				p.set(cx, p.h-1-y, '│', style)
				p.taken[(p.h-1-y)*p.w+cx] = true
			}
			if lo < p.h-1-cy {
				p.set(cx, p.h-1-lo, '┴', style)
			}
			if hi > p.h-1-cy {
				p.set(cx, p.h-1-hi, '┬', style)
			}
		}
	}
}

// stretch is the cells of v ± err, cut to [0, n).
func stretch(r Range, v, err float64, n int) (lo, hi int) {
	a, b := r.At(v-err), r.At(v+err)
	if a > b {
		a, b = b, a
	}
	at := func(t float64) int { return min(int(min(max(t, 0), 1)*float64(n)), n-1) }
	return at(a), at(b)
}

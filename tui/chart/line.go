package chart

import (
	"math"
	"strings"

	"github.com/guptarohit/asciigraph"
)

// LineSeries is one line of a line plot: values at even distances along the x axis. Values that are not finite
// leave a gap.
type LineSeries struct {
	Name   string // written at the end of the line where there is room
	Values []float64
	Color  Color
}

// Line is a plot of lines over the x axis, whose range belongs to the first and the last value. The lines
// are drawn by asciigraph, and differ in dashes as well as in colour.
type Line struct {
	X, Y   Axis
	Series []LineSeries

	// Cursor, where Marked, is a value of the x axis that is marked across the plot.
	Cursor float64
	Marked bool
}

// dashes are the horizontal and vertical strokes of successive series.
var dashes = []struct{ h, v string }{{"─", "│"}, {"╌", "╎"}, {"═", "║"}, {"┈", "┊"}, {"━", "┃"}}

// Draw draws the plot on the whole of c and says where its values lie.
func (l *Line) Draw(c *Canvas) Frame {
	data := empty
	for _, s := range l.Series {
		for _, v := range s.Values {
			data = data.with(v)
		}
	}
	x := l.X
	x.Range = x.Range.usable()
	f := drawAxes(c, x, l.Y.fit(data.orZero()))
	plot := c.Sub(f.Plot.Min.X, f.Plot.Min.Y, f.Plot.Dx(), f.Plot.Dy())
	w, h := plot.Size()
	if w == 0 || h == 0 {
		return f
	}
	if cx, ok := f.X.cell(l.Cursor, w); ok && l.Marked {
		for cy := range h {
			plot.Set(cx, cy, '┊', Ink(Muted))
		}
	}
	for i := range l.Series {
		drawTrace(plot, c, f, &l.Series[i], dashes[i%len(dashes)])
	}
	l.crossings(plot, f)
	l.names(plot, f)
	return f
}

// drawTrace draws one line. Asciigraph is given heights from 0 to 1, finite or NaN and at least two of them,
// because it panics on an empty series and on ±Inf, and allocates as many rows as the range is long.
func drawTrace(plot, c *Canvas, f Frame, s *LineSeries, dash struct{ h, v string }) {
	w, h := plot.Size()
	heights := make([]float64, len(s.Values))
	finite := 0
	for i, v := range s.Values {
		heights[i] = f.Y.At(v)
		if t := heights[i]; !(t >= -1e-9 && t <= 1+1e-9) {
			heights[i] = nan
			continue
		}
		// Asciigraph rounds to the nearest of h lines, the axis has cells: shift by half a cell.
		heights[i] = min(max((heights[i]*float64(h)-0.5)/float64(max(h-1, 1)), 0), 1)
		finite++
	}
	style := Ink(s.Color)
	if finite == 0 {
		return
	}
	if len(heights) == 1 || h < 2 {
		for i, t := range heights {
			if !math.IsNaN(t) {
				plot.Set(i*w/len(heights), h-1-int(t*float64(h-1)+0.5), '•', style)
			}
		}
		return
	}
	const offset = 3 // asciigraph's least: the trace starts there, on the axis before it
	text := asciigraph.Plot(heights,
		asciigraph.Width(w+1), asciigraph.Height(h-1), asciigraph.Offset(offset),
		asciigraph.LowerBound(0), asciigraph.UpperBound(1),
		asciigraph.YAxisValueFormatter(func(float64) string { return "" }),
		asciigraph.SeriesChars(asciigraph.CharSet{Horizontal: dash.h, VerticalLine: dash.v}))
	for cy, line := range strings.Split(text, "\n") {
		for i, r := range []rune(line) {
			switch x := i - offset; {
			case r == ' ':
			case x >= 0:
				plot.Set(x, cy, r, style)
			case r == '┼' && f.Plot.Min.X > 0:
				c.Set(f.Plot.Min.X-1, f.Plot.Min.Y+cy, '┼', Ink(Faded))
			}
		}
	}
}

// crossings marks where the cursor meets the lines.
func (l *Line) crossings(plot *Canvas, f Frame) {
	w, h := plot.Size()
	cx, ok := f.X.cell(l.Cursor, w)
	if !l.Marked || !ok {
		return
	}
	for _, s := range l.Series {
		if cy, ok := f.Y.cell(s.at(f.X.At(l.Cursor)), h); ok {
			plot.Set(cx, h-1-cy, MarkInHand.Rune(), Ink(s.Color).With(Bold))
		}
	}
}

// at is the value at t in [0, 1], interpolated.
func (s *LineSeries) at(t float64) float64 {
	n := len(s.Values)
	if n == 0 || math.IsNaN(t) {
		return nan
	}
	at := min(max(t, 0), 1) * float64(n-1)
	i := min(int(at), max(n-2, 0))
	j := min(i+1, n-1)
	return s.Values[i]*(1-(at-float64(i))) + s.Values[j]*(at-float64(i))
}

// names writes the names at the right ends of the lines, the first having the first choice.
func (l *Line) names(plot *Canvas, f Frame) {
	w, h := plot.Size()
	taken := make([]bool, h)
	for i := range l.Series {
		s := &l.Series[i]
		name := Clip(s.Name, w/4)
		cy, ok := f.Y.cell(s.at(1), h)
		if n := Width(name); n > 0 && ok && !taken[h-1-cy] {
			taken[h-1-cy] = true
			plot.Text(w-n-1, h-1-cy, " "+name, Ink(s.Color))
		}
	}
}

package chart

import "image"

// Axis is one direction of a plot. A zero Range shows all data, a nil Format is [Plain].
type Axis struct {
	Label  string
	Range  Range
	Format Format
}

// fit is the axis with a range: its own, or that of the data with some room.
func (a Axis) fit(data Range) Axis {
	if a.Range == (Range{}) {
		a.Range = data.usable().Pad(0.04)
	}
	a.Range = a.Range.usable()
	return a
}

// format writes v on the axis.
func (a Axis) format(v, step float64) string {
	if a.Format == nil {
		return Plain(v, step)
	}
	return a.Format(v, step)
}

// Frame is where a plot with two axes was drawn: it maps values to cells and back.
type Frame struct {
	X, Y Range
	Plot image.Rectangle // the plot without its axes, in cells of the canvas
}

// Cell is the cell of the canvas that shows (x, y); ok is false where it lies outside the plot.
func (f Frame) Cell(x, y float64) (cx, cy int, ok bool) {
	cx, okX := f.X.cell(x, f.Plot.Dx())
	cy, okY := f.Y.cell(y, f.Plot.Dy())
	return f.Plot.Min.X + cx, f.Plot.Max.Y - 1 - cy, okX && okY
}

// Value is what the middle of the cell (cx, cy) stands for, also outside the plot.
func (f Frame) Value(cx, cy int) (x, y float64) {
	return f.X.center(cx-f.Plot.Min.X, f.Plot.Dx()), f.Y.center(f.Plot.Max.Y-1-cy, f.Plot.Dy())
}

// Sizes below which axes are left out: a plot must stay larger than what explains it.
const (
	minPlotW, minPlotH = 8, 3
	yTickEvery         = 2 // rows
	xTickGap           = 4 // columns between labels
)

// drawAxes draws both axes on c and returns what is left between them. Parts for which there is no room
// are left out.
func drawAxes(c *Canvas, x, y Axis) Frame {
	w, h := c.Size()
	f := Frame{X: x.Range, Y: y.Range, Plot: image.Rect(0, 0, w, h)}
	if h >= minPlotH+3 && y.Label != "" {
		f.Plot.Min.Y++
	}
	if h >= minPlotH+2 {
		f.Plot.Max.Y -= 2
	}
	yTicks := Ticks(y.Range, y.format, f.Plot.Dy(), func(string) int { return yTickEvery })
	gutter := 0
	for _, t := range yTicks {
		gutter = max(gutter, Width(t.Label)+2)
	}
	if h >= minPlotH+2 && w-gutter >= minPlotW {
		f.Plot.Min.X = gutter
		drawYAxis(c, f, yTicks)
	}
	if f.Plot.Max.Y < h {
		drawXAxis(c, f, x)
	}
	if f.Plot.Min.Y > 0 {
		c.Text(max(f.Plot.Min.X-1, 0), 0, Clip(y.Label, w-max(f.Plot.Min.X-1, 0)), Ink(Muted))
	}
	return f
}

func drawYAxis(c *Canvas, f Frame, ticks []Tick) {
	line := f.Plot.Min.X - 1
	if line < 0 {
		return
	}
	for cy := f.Plot.Min.Y; cy < f.Plot.Max.Y; cy++ {
		c.Set(line, cy, '│', Ink(Faded))
	}
	for _, t := range ticks {
		if i, ok := f.Y.cell(t.Value, f.Plot.Dy()); ok {
			cy := f.Plot.Max.Y - 1 - i
			c.Text(line-1-Width(t.Label), cy, t.Label, Ink(Muted))
			c.Set(line, cy, '┤', Ink(Faded))
		}
	}
}

func drawXAxis(c *Canvas, f Frame, x Axis) {
	cy, w := f.Plot.Max.Y, f.Plot.Max.X
	line := f.Plot.Min.X - 1
	c.Set(line, cy, '└', Ink(Faded))
	for cx := f.Plot.Min.X; cx < w; cx++ {
		c.Set(cx, cy, '─', Ink(Faded))
	}
	end := 0 // of what is written on the line of labels
	for _, t := range Ticks(x.Range, x.format, f.Plot.Dx(), func(label string) int { return Width(label) + xTickGap }) {
		i, _ := f.X.cell(t.Value, f.Plot.Dx())
		cx := f.Plot.Min.X + i
		c.Set(cx, cy, '┬', Ink(Faded))
		n := Width(t.Label)
		if at := min(max(cx-n/2, 0), w-n); at >= end {
			c.Text(at, cy+1, t.Label, Ink(Muted))
			end = at + n + 1
		}
	}
	if n := Width(x.Label); n > 0 && n <= f.Plot.Dx()/2 {
		c.Text(w-n-1, cy, " "+x.Label, Ink(Muted))
	}
}

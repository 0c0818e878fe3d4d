package figure

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"parfait/tui/chart"
)

// mapping takes values to the page.
type mapping struct {
	x, y func(float64) vg.Length
	area vg.Rectangle
}

func newMapping(c draw.Canvas, p *plot.Plot) mapping {
	x, y := p.Transforms(&c)
	return mapping{x, y, c.Rectangle}
}

// at is where (x, y) lies; ok is false outside the axes.
func (m mapping) at(x, y float64) (vg.Point, bool) {
	pt := vg.Point{X: m.x(x), Y: m.y(y)}
	const slack = 1e-6
	ok := pt.X >= m.area.Min.X-slack && pt.X <= m.area.Max.X+slack && pt.Y >= m.area.Min.Y-slack && pt.Y <= m.area.Max.Y+slack
	return pt, ok
}

// inside moves p to the nearest point of the area.
func (m mapping) inside(p vg.Point) vg.Point {
	return vg.Point{
		X: min(max(p.X, m.area.Min.X), m.area.Max.X),
		Y: min(max(p.Y, m.area.Min.Y), m.area.Max.Y),
	}
}

// region shades what the attained points dominate.
type region struct{ d *drawing }

// Plot implements plot.Plotter.
func (r region) Plot(c draw.Canvas, p *plot.Plot) {
	s, m := r.d.Scatter, newMapping(c, p)
	left, down := r.d.betterLeft(), r.d.betterDown()
	// Mirrored so that better lies to the right and up, then back.
	mirror := func(q vg.Point) vg.Point {
		if left {
			q.X = m.area.Min.X + m.area.Max.X - q.X
		}
		if down {
			q.Y = m.area.Min.Y + m.area.Max.Y - q.Y
		}
		return q
	}
	var stairs []vg.Point
	for _, a := range s.Attained {
		q := mirror(vg.Point{X: m.x(a.X), Y: m.y(a.Y)})
		if q.X >= m.area.Min.X && q.Y >= m.area.Min.Y { // not NaN, and dominates something in view
			stairs = append(stairs, m.inside(q))
		}
	}
	if len(stairs) == 0 {
		return
	}
	slices.SortFunc(stairs, func(a, b vg.Point) int {
		return 2*compare(b.X, a.X) + compare(b.Y, a.Y)
	})
	edge := []vg.Point{{X: stairs[0].X, Y: m.area.Min.Y}}
	top := m.area.Min.Y
	for _, q := range stairs {
		if q.Y > top {
			edge = append(edge, vg.Point{X: q.X, Y: top}, q)
			top = q.Y
		}
	}
	edge = append(edge, vg.Point{X: m.area.Min.X, Y: top})
	for i := range edge {
		edge[i] = mirror(edge[i])
	}
	corner := mirror(m.area.Min)
	c.FillPolygon(r.d.theme.RGB(chart.Attained), append(slices.Clone(edge), corner))
	c.StrokeLines(draw.LineStyle{Color: r.d.theme.RGB(chart.Boundary), Width: vg.Points(.7)}, edge)
}

// betterLeft and betterDown say where on the page better lies.
func (d *drawing) betterLeft() bool { return d.Scatter.MinX != (d.xr.Lo > d.xr.Hi) }
func (d *drawing) betterDown() bool { return d.Scatter.MinY != (d.yr.Lo > d.yr.Hi) }

func compare(a, b vg.Length) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// lines draws bands and curves.
type lines struct{ d *drawing }

// Plot implements plot.Plotter.
func (l lines) Plot(c draw.Canvas, p *plot.Plot) {
	m := newMapping(c, p)
	var lower, upper []vg.Point
	for _, b := range l.d.Scatter.Band {
		if x := m.x(b.X); !math.IsNaN(float64(x)) && !math.IsNaN(b.Lo+b.Hi) {
			lower = append(lower, m.inside(vg.Point{X: x, Y: m.y(b.Lo)}))
			upper = append(upper, m.inside(vg.Point{X: x, Y: m.y(b.Hi)}))
		}
	}
	slices.Reverse(upper)
	if len(lower) > 1 {
		c.FillPolygon(l.d.theme.RGB(chart.Track), append(lower, upper...))
	}
	for _, cv := range l.d.Scatter.Curves {
		style := draw.LineStyle{Color: l.d.theme.RGB(cv.Color), Width: vg.Points(1)}
		if cv.Dashed {
			style.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
		}
		var path []vg.Point
		for _, q := range cv.Points {
			if pt := (vg.Point{X: m.x(q.X), Y: m.y(q.Y)}); drawable(pt.X) && drawable(pt.Y) {
				path = append(path, pt)
			}
		}
		c.StrokeLines(style, c.ClipLinesXY(path)...)
	}
}

// drawable reports whether a coordinate is near enough to the page for the clipping to be exact.
func drawable(v vg.Length) bool { return v > -1e6 && v < 1e6 }

// points draws the layers and their error bars.
type points struct{ d *drawing }

// Plot implements plot.Plotter.
func (ps points) Plot(c draw.Canvas, p *plot.Plot) {
	m := newMapping(c, p)
	for i := range ps.d.Scatter.Layers {
		l := &ps.d.Scatter.Layers[i]
		for j := range l.Points {
			pt := &l.Points[j]
			at, ok := m.at(pt.X, pt.Y)
			if !ok {
				continue
			}
			style := ps.d.style(l, pt)
			if pt.ErrX > 0 {
				ps.bar(&c, style.Color, m.inside(vg.Point{X: m.x(pt.X - pt.ErrX), Y: at.Y}), m.inside(vg.Point{X: m.x(pt.X + pt.ErrX), Y: at.Y}))
			}
			if pt.ErrY > 0 {
				ps.bar(&c, style.Color, m.inside(vg.Point{X: at.X, Y: m.y(pt.Y - pt.ErrY)}), m.inside(vg.Point{X: at.X, Y: m.y(pt.Y + pt.ErrY)}))
			}
			c.DrawGlyph(style, at)
		}
	}
}

// bar draws an error bar with its caps.
func (ps points) bar(c *draw.Canvas, color color.Color, a, b vg.Point) {
	if math.IsNaN(float64(a.X + a.Y + b.X + b.Y)) {
		return
	}
	style := draw.LineStyle{Color: color, Width: vg.Points(.7)}
	const half = vg.Length(2.5)
	dx, dy := vg.Length(0), half
	if a.X == b.X {
		dx, dy = half, 0
	}
	c.StrokeLine2(style, a.X, a.Y, b.X, b.Y)
	for _, end := range []vg.Point{a, b} {
		c.StrokeLine2(style, end.X-dx, end.Y-dy, end.X+dx, end.Y+dy)
	}
}

// style is how a point of a layer looks: on a scale, larger is brighter.
func (d *drawing) style(l *chart.Layer, pt *chart.Point) draw.GlyphStyle {
	g := glyph(l.Mark)
	s := draw.GlyphStyle{Color: d.theme.RGB(l.Mark.Color()), Radius: g.radius(), Shape: g}
	if l.Scale != nil {
		t := l.Scale.At(pt.Value)
		s.Color = d.theme.RGB(chart.Sequential(t))
		if !math.IsNaN(t) {
			s.Radius = scaled(t)
		}
	}
	if pt.Color != chart.Default {
		s.Color = d.theme.RGB(pt.Color)
	}
	if pt.Faded {
		s.Color = d.theme.RGB(chart.Faded)
	}
	return s
}

// scaled is the radius of a point at t on a scale.
func scaled(t float64) vg.Length { return vg.Points(1.5 + 2.5*min(max(t, 0), 1)) }

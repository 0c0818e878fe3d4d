package figure

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"parfait/tui/chart"
)

// glyph draws the marks of [chart] as shapes on paper.
type glyph chart.Mark

// radius is that of the mark's outline.
func (g glyph) radius() vg.Length {
	switch chart.Mark(g) {
	case chart.MarkMeasured:
		return vg.Points(1.4)
	case chart.MarkPredicted, chart.MarkOnFront:
		return vg.Points(2.4)
	case chart.MarkInHand:
		return vg.Points(5)
	}
	return vg.Points(4)
}

// DrawGlyph implements draw.GlyphDrawer.
func (g glyph) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	r := s.Radius
	c.SetColor(s.Color)
	c.SetLineWidth(vg.Points(1))
	c.SetLineDash(nil, 0)
	switch chart.Mark(g) {
	case chart.MarkModel:
		c.Fill(polygon(at, r, 0, 1, .9, -.7, -.9, -.7))
	case chart.MarkKnee:
		c.Fill(polygon(at, r, 0, 1.1, .8, 0, 0, -1.1, -.8, 0))
	case chart.MarkPinned:
		c.Stroke(polygon(at, r, 0, 1.1, .8, 0, 0, -1.1, -.8, 0))
	case chart.MarkUniform:
		c.Fill(polygon(at, r, -.3, 1, .3, 1, .3, .3, 1, .3, 1, -.3, .3, -.3, .3, -1, -.3, -1, -.3, -.3, -1, -.3, -1, .3, -.3, .3))
	case chart.MarkOnFront:
		c.Stroke(circle(at, r))
	case chart.MarkInHand:
		c.Stroke(circle(at, r))
		c.Fill(circle(at, r/2))
	default:
		c.Fill(circle(at, r))
	}
}

// polygon is a closed path through points around at, in units of r.
func polygon(at vg.Point, r vg.Length, xy ...float64) vg.Path {
	var p vg.Path
	for i := 0; i < len(xy); i += 2 {
		to := vg.Point{X: at.X + r*vg.Length(xy[i]), Y: at.Y + r*vg.Length(xy[i+1])}
		if i == 0 {
			p.Move(to)
		} else {
			p.Line(to)
		}
	}
	p.Close()
	return p
}

func circle(at vg.Point, r vg.Length) vg.Path {
	var p vg.Path
	p.Move(vg.Point{X: at.X + r, Y: at.Y})
	const turn = 2 * 3.141592653589793
	p.Arc(at, r, 0, turn)
	p.Close()
	return p
}

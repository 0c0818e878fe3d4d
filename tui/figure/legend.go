package figure

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"parfait/tui/chart"
)

// explain puts the marks that have a key into the legend, and the scale.
func (d *drawing) explain(l *plot.Legend) {
	l.TextStyle.Color = d.ink
	l.TextStyle.Font.Variant = "Sans"
	l.TextStyle.Font.Size = vg.Points(10)
	l.Padding = vg.Points(2)
	l.ThumbnailWidth = vg.Points(14)
	scales := map[chart.Mark]*chart.Range{}
	for i := range d.Scatter.Layers {
		if s := d.Scatter.Layers[i].Scale; s != nil {
			scales[d.Scatter.Layers[i].Mark] = s
		}
	}
	for _, k := range d.Keys {
		if s := scales[k.Mark]; s != nil { // it has no colour of its own
			l.Add(words(k.Text + ":"))
			d.scale(l, *s, k.Mark)
			continue
		}
		g := glyph(k.Mark)
		l.Add(words(k.Text), sample{draw.GlyphStyle{Color: d.theme.RGB(k.Mark.Color()), Radius: g.radius(), Shape: g}})
	}
	if len(d.Keys) > 0 && len(d.Scatter.Attained) > 0 {
		l.Add("attained (measured)", patch{d})
	}
}

// corner puts the legend where everything is bad, far from the front.
func (d *drawing) corner(l *plot.Legend) {
	l.Left, l.Top = !d.betterLeft(), d.betterDown()
	l.XOffs, l.YOffs = inset, inset
	if !l.Left {
		l.XOffs = -inset
	}
	if l.Top {
		l.YOffs = -inset
	}
}

// inset is how far the legend lies from the axes.
const inset = vg.Length(8)

// legendBox is where the legend lies. (Legend.Rectangle of gonum/plot 0.17 takes left for right and knows no
// offsets, but its size is right.)
func (d *drawing) legendBox(l *plot.Legend, c draw.Canvas) vg.Rectangle {
	r := l.Rectangle(c)
	w, h := r.Max.X-r.Min.X+inset, r.Max.Y-r.Min.Y+inset
	r = c.Rectangle
	if l.Left {
		r.Max.X = r.Min.X + w
	} else {
		r.Min.X = r.Max.X - w
	}
	if l.Top {
		r.Min.Y = r.Max.Y - h
	} else {
		r.Max.Y = r.Min.Y + h
	}
	return r
}

// scale shows three points of the scale.
func (d *drawing) scale(l *plot.Legend, r chart.Range, m chart.Mark) {
	format := d.ValueFormat
	if format == nil {
		format = chart.Plain
	}
	for _, t := range []float64{0, .5, 1} {
		text := format(r.Value(t), 0)
		if t == 0 && d.Value != "" {
			text = d.Value + " " + text
		}
		l.Add(words(text), sample{draw.GlyphStyle{Color: d.theme.RGB(chart.Sequential(t)), Radius: scaled(t), Shape: glyph(m)}})
	}
}

// sample is a mark in a legend.
type sample struct{ draw.GlyphStyle }

// Thumbnail implements plot.Thumbnailer.
func (s sample) Thumbnail(c *draw.Canvas) { c.DrawGlyph(s.GlyphStyle, c.Center()) }

// patch is a piece of the attained region in a legend.
type patch struct{ d *drawing }

// Thumbnail implements plot.Thumbnailer.
func (p patch) Thumbnail(c *draw.Canvas) {
	c.FillPolygon(p.d.theme.RGB(chart.Attained), []vg.Point{c.Min, {X: c.Max.X, Y: c.Min.Y}, c.Max, {X: c.Min.X, Y: c.Max.Y}})
	c.StrokeLines(draw.LineStyle{Color: p.d.theme.RGB(chart.Boundary), Width: vg.Points(.7)}, []vg.Point{{X: c.Min.X, Y: c.Max.Y}, c.Max, {X: c.Max.X, Y: c.Min.Y}})
}

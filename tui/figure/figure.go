package figure

import (
	"bytes"
	"image/color"
	"io"

	"github.com/charmbracelet/colorprofile"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"

	"parfait/tui/chart"
)

// Figure is a scatter plot with what a reader needs who was not there.
type Figure struct {
	Scatter *chart.Scatter
	Title   string
	Keys    []Key // of the legend; marks without one are not explained

	// Value names what the colours of a layer with a scale show; a nil ValueFormat is [chart.Plain].
	Value       string
	ValueFormat chart.Format

	// Width and Height are in points of 1/72 inch; 0 for 612×360.
	Width, Height float64
	Dark          bool
}

// Key is one entry of the legend.
type Key struct {
	Mark chart.Mark
	Text string
}

// Sizes in points, and dots per inch of a PNG.
const (
	defaultWidth, defaultHeight = 612, 360
	minSize, maxSize            = 120, 4000
	pngDPI                      = 192
	maxLegend                   = 0.35 // of the width
)

// Draw draws the figure. It takes time proportional to the points. Errors are problems with a [Code].
func Draw(f Figure, format Format) (picture []byte, err error) {
	if f.Width == 0 {
		f.Width = defaultWidth
	}
	if f.Height == 0 {
		f.Height = defaultHeight
	}
	if !(f.Width >= minSize && f.Width <= maxSize && f.Height >= minSize && f.Height <= maxSize) {
		return nil, fail(BadSize, "a figure of %g×%g points: both must lie between %d and %d", f.Width, f.Height, minSize, maxSize)
	}
	// The drawing libraries panic on some fonts and coordinates; the data is the user's.
	defer func() {
		if r := recover(); r != nil {
			picture, err = nil, fail(NoDrawing, "the figure cannot be drawn as %s: %v; try another format", format, r)
		}
	}()
	w, h := vg.Length(f.Width), vg.Length(f.Height)
	var canvas interface {
		vg.CanvasSizer
		io.WriterTo
	}
	switch format {
	case SVG:
		canvas = vgsvg.New(w, h)
	case PNG:
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(pngDPI))}
	case PDF:
		undatedPDF()
		canvas = western{vgpdf.New(w, h)}
	default:
		return nil, fail(UnknownFormat, "no picture format is called %q; expected svg, png or pdf", format)
	}
	newDrawing(f).draw(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, fail(NoDrawing, "the figure cannot be drawn as %s: %v; try another format", format, err)
	}
	return b.Bytes(), nil
}

// drawing is a figure with its colours and ranges.
type drawing struct {
	Figure
	theme      *chart.Theme
	xr, yr     chart.Range
	paper, ink color.Color
	cornered   bool // the legend lies in a corner of the plot
}

func newDrawing(f Figure) *drawing {
	if f.Scatter == nil {
		f.Scatter = &chart.Scatter{}
	}
	d := &drawing{Figure: f, theme: chart.NewTheme(colorprofile.TrueColor, !f.Dark), paper: color.White}
	if f.Dark {
		d.paper = d.theme.Background()
	}
	d.ink = d.theme.RGB(chart.Default)
	d.xr, d.yr = f.Scatter.Ranges()
	return d
}

// margin is around everything.
const margin = vg.Length(10)

// draw draws the figure on c.
func (d *drawing) draw(c draw.Canvas) {
	c.SetColor(d.paper)
	c.Fill(c.Path())
	c = draw.Crop(c, margin, -margin, margin, -margin)
	p, l := d.plot(), plot.NewLegend()
	d.explain(&l)
	// The legend has a column of its own, so that it hides nothing; in small pictures a corner of the plot.
	r := l.Rectangle(c)
	if w := r.Max.X - r.Min.X; w <= 0 || float64(w) > maxLegend*d.Width {
		d.corner(&l)
		p.Legend, d.cornered = l, w > 0
	} else {
		l.Left, l.Top = true, true
		l.YOffs = -p.Title.TextStyle.Height(p.Title.Text) - p.Title.Padding
		l.Draw(draw.Crop(c, c.Max.X-c.Min.X-w, 0, 0, 0))
		c = draw.Crop(c, 0, -w-margin, 0, 0)
	}
	p.Draw(c)
}

// plot is the figure as gonum/plot draws it.
func (d *drawing) plot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.Title.Text = words(d.Title)
	p.Title.TextStyle.Color = d.ink
	p.Title.TextStyle.Font.Variant = "Sans"
	p.Title.Padding = vg.Points(6)
	s := d.Scatter
	d.axis(&p.X, s.X, d.xr, d.Width)
	d.axis(&p.Y, s.Y, d.yr, d.Height)
	p.Add(region{d}, lines{d}, points{d}, names{d})
	return p
}

// axis puts our own ticks on an axis that is so many points long.
func (d *drawing) axis(a *plot.Axis, from chart.Axis, r chart.Range, length float64) {
	a.Min, a.Max = min(r.Lo, r.Hi), max(r.Lo, r.Hi)
	if r.Lo > r.Hi {
		a.Scale = plot.InvertedScale{Normalizer: plot.LinearScale{}}
	}
	a.Color, a.Tick.Color, a.Label.TextStyle.Color, a.Tick.Label.Color = d.ink, d.ink, d.ink, d.ink
	a.Label.Text = words(from.Label)
	a.Label.TextStyle.Font.Variant, a.Tick.Label.Font.Variant = "Sans", "Sans"
	a.Padding = 0
	var ticks plot.ConstantTicks
	const pointsALetter = 7
	for _, t := range chart.Ticks(r, from.Format, int(length/pointsALetter), func(label string) int { return chart.Width(label) + 4 }) {
		ticks = append(ticks, plot.Tick{Value: t.Value, Label: words(t.Label)})
	}
	a.Tick.Marker = ticks
}

// words is text that can be set: no control characters.
func words(s string) string { return chart.Clean(s) }

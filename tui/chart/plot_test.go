package chart

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func wildPoints(t *rapid.T, label string) []Point {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Point {
		return Point{
			X: wild().Draw(t, "x"), Y: wild().Draw(t, "y"), Value: wild().Draw(t, "value"),
			Label: rapid.SampledFrom(nasty).Draw(t, "label"), Faded: rapid.Bool().Draw(t, "faded"),
			ErrX: wild().Draw(t, "errX"), ErrY: wild().Draw(t, "errY"),
		}
	}), 0, 6).Draw(t, label)
}

func wildLayers(t *rapid.T) []Layer {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Layer {
		l := Layer{Mark: Mark(rapid.IntRange(0, 9).Draw(t, "mark")), Points: wildPoints(t, "points")}
		if rapid.Bool().Draw(t, "scaled") {
			r := wildRange().Draw(t, "scale")
			l.Scale = &r
		}
		return l
	}), 0, 4).Draw(t, "layers")
}

func wildAxis(t *rapid.T) Axis {
	a := Axis{Label: rapid.SampledFrom(nasty).Draw(t, "axis"), Format: rapid.SampledFrom([]Format{nil, Rate, SI}).Draw(t, "format")}
	if rapid.Bool().Draw(t, "ranged") {
		a.Range = wildRange().Draw(t, "range")
	}
	return a
}

func wildXY(t *rapid.T, label string) []XY {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) XY { return XY{wild().Draw(t, "x"), wild().Draw(t, "y")} }), 0, 5).Draw(t, label)
}

func wildValues(t *rapid.T, label string) []float64 {
	return rapid.SliceOfN(wild(), 0, 6).Draw(t, label)
}

func wildField(t *rapid.T) Field {
	if rapid.IntRange(0, 3).Draw(t, "broken") == 0 {
		return Field{NX: rapid.IntRange(-1, 3).Draw(t, "nx"), NY: 2, Values: wildValues(t, "field")}
	}
	values := rapid.SliceOfN(wild(), 9, 9).Draw(t, "field")
	i := 0
	return NewField(wildRange().Draw(t, "fx"), wildRange().Draw(t, "fy"), 3, 3, func(_, _ float64) float64 { i++; return values[i-1] })
}

// wildPlots draw every plot with numbers as they should not be.
var wildPlots = map[string]func(*rapid.T) func(*Canvas){
	"scatter": func(t *rapid.T) func(*Canvas) {
		s := &Scatter{
			X: wildAxis(t), Y: wildAxis(t), Layers: wildLayers(t), Attained: wildXY(t, "attained"),
			MinX: rapid.Bool().Draw(t, "minX"), MinY: rapid.Bool().Draw(t, "minY"),
			Curves: []Curve{{Points: wildXY(t, "curve"), Dashed: rapid.Bool().Draw(t, "dashed")}},
		}
		for _, p := range wildXY(t, "band") {
			s.Band = append(s.Band, Interval{p.X, p.Y, wild().Draw(t, "hi")})
		}
		return func(c *Canvas) { s.Draw(c) }
	},
	"line": func(t *rapid.T) func(*Canvas) {
		l := &Line{X: wildAxis(t), Y: wildAxis(t), Cursor: wild().Draw(t, "cursor"), Marked: rapid.Bool().Draw(t, "marked")}
		for range rapid.IntRange(0, 7).Draw(t, "series") {
			l.Series = append(l.Series, LineSeries{rapid.SampledFrom(nasty).Draw(t, "name"), wildValues(t, "values"), Series(len(l.Series))})
		}
		return func(c *Canvas) { l.Draw(c) }
	},
	"contour": func(t *rapid.T) func(*Canvas) {
		m := &Contour{
			X: wildAxis(t), Y: wildAxis(t), Field: wildField(t), Doubt: wildField(t), Layers: wildLayers(t),
			Levels: rapid.IntRange(-1, 30).Draw(t, "levels"),
		}
		if rapid.Bool().Draw(t, "shared") {
			m.Values = wildRange().Draw(t, "shared range")
		}
		return func(c *Canvas) { m.Draw(c) }
	},
	"parallel": func(t *rapid.T) func(*Canvas) {
		p := &Parallel{Focus: rapid.IntRange(-1, 4).Draw(t, "focus")}
		for range rapid.IntRange(0, 9).Draw(t, "axes") {
			a := ParallelAxis{Axis: wildAxis(t), Brushed: rapid.Bool().Draw(t, "brushed"), Brush: wildRange().Draw(t, "brush")}
			for _, v := range wildValues(t, "marks") {
				a.Marks = append(a.Marks, AxisMark{At: v, Glyph: '▼'})
			}
			p.Axes = append(p.Axes, a)
		}
		for range rapid.IntRange(0, 5).Draw(t, "strands") {
			p.Strands = append(p.Strands, Strand{Values: wildValues(t, "strand"), Top: rapid.Bool().Draw(t, "top")})
		}
		return func(c *Canvas) { p.Draw(c) }
	},
	"heatmap": func(t *rapid.T) func(*Canvas) {
		names := rapid.SliceOfN(rapid.SampledFrom(nasty), 0, 6)
		m := &HeatMap{
			Rows: names.Draw(t, "rows"), Cols: names.Draw(t, "cols"), Diverging: rapid.Bool().Draw(t, "diverging"),
			Row: rapid.IntRange(-2, 9).Draw(t, "row"), Col: rapid.IntRange(-2, 9).Draw(t, "col"), Selected: rapid.Bool().Draw(t, "selected"),
		}
		for range rapid.IntRange(0, 5).Draw(t, "lines") {
			m.Values = append(m.Values, wildValues(t, "line"))
		}
		return func(c *Canvas) { m.Draw(c) }
	},
	"controls": func(t *rapid.T) func(*Canvas) {
		text := []Span{{rapid.SampledFrom(nasty).Draw(t, "title"), Style{}}, {rapid.SampledFrom(nasty).Draw(t, "rest"), Ink(Bad)}}
		b := Bar{wildRange().Draw(t, "range"), wild().Draw(t, "value"), Good, wild().Draw(t, "upper"), wild().Draw(t, "floor"), rapid.Bool().Draw(t, "floored")}
		s := Slider{Range: b.Range, Value: b.Value, Focused: b.Floored, Known: wildRange().Draw(t, "known")}
		spark := Sparkline{Values: wildValues(t, "spark")}
		return func(c *Canvas) {
			w, h := c.Size()
			box := Box{Title: text, Footer: Legend(w, MarkKey(MarkModel, text[0].Text, ""), MarkKey(MarkKnee, "knee", "k"))}
			in := box.Draw(c)
			box.Rule(c, h/2, text)
			iw, _ := in.Size()
			b.Draw(in.Sub(0, 0, iw, 1))
			s.Draw(in.Sub(0, 1, iw, 1))
			spark.Draw(in.Sub(0, 2, iw, 1))
			Progress{b.Value, Accent}.Draw(in.Sub(0, 3, iw, 1))
			in.Spans(0, 4, ScaleLegend(b.Range, Rate, c.Glyphs())...)
			if n := SpansWidth(ClipSpans(text, w)); n > w {
				t.Fatalf("spans clipped to %d take %d", w, n)
			}
		}
	},
}

func TestPlotsFitEverySizeAndKeepToTheirWindow(t *testing.T) {
	for name, plot := range wildPlots {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				draw := plot(t)
				w, h := rapid.IntRange(0, 60).Draw(t, "w"), rapid.IntRange(0, 16).Draw(t, "h")
				around := NewCanvas(w+2, h+2, Glyphs(rapid.IntRange(0, 2).Draw(t, "glyphs")))
				around.Fill('x', Style{})
				window := around.Sub(1, 1, w, h)
				window.Fill(' ', Style{})
				draw(window)
				checkOutside(t, around, 1, 1, w, h)
				checkLines(t, around)
				again := NewCanvas(w, h, around.Glyphs())
				draw(again)
				copied := NewCanvas(w, h, around.Glyphs())
				copied.Draw(window, 0, 0)
				if again.Plain() != copied.Plain() || again.StyleMap() != copied.StyleMap() {
					t.Fatalf("drawing depends on more than data and size:\n%s%s", again.Plain(), copied.Plain())
				}
			})
		})
	}
}

func TestEveryPlotAtEverySmallSize(t *testing.T) {
	for _, d := range demos() {
		for g := Braille; g <= ASCII; g++ {
			for w := range 30 {
				for h := range 12 {
					c := NewCanvas(w, h, g)
					d.draw(c)
					checkLines(t, c)
				}
			}
		}
	}
}

func TestLaterLayersWinACell(t *testing.T) {
	s := &Scatter{X: Axis{Range: Range{0, 1}}, Y: Axis{Range: Range{0, 1}}}
	for m := MarkMeasured; m < marks; m++ {
		s.Layers = append(s.Layers, Layer{Mark: m, Points: []Point{{X: .5, Y: .5}}})
		c := NewCanvas(40, 12, Block)
		f := s.Draw(c)
		x, y, ok := f.Cell(.5, .5)
		if got := c.At(x, y).Text; !ok || m != MarkMeasured && got != string(m.Rune()) {
			t.Errorf("after drawing %q the cell shows %q", m.Rune(), got)
		}
	}
}

func TestMarksDifferWithoutColour(t *testing.T) {
	for g := Braille; g <= ASCII; g++ {
		seen := map[string]Mark{}
		for m := MarkMeasured; m < marks; m++ {
			c := NewCanvas(1, 1, g)
			(&Scatter{X: Axis{Range: Range{0, 1}}, Y: Axis{Range: Range{0, 1}}, Layers: []Layer{{Mark: m, Points: []Point{{X: .5, Y: .5}}}}}).Draw(c)
			text := c.At(0, 0).Text
			if other, ok := seen[text]; ok || text == " " {
				t.Errorf("%v: marks %d and %d are both %q", g, m, other, text)
			}
			seen[text] = m
		}
	}
}

func TestFrameMapsBothWays(t *testing.T) {
	c := NewCanvas(60, 20, Braille)
	f := demoScatter().Draw(c)
	for cy := f.Plot.Min.Y; cy < f.Plot.Max.Y; cy++ {
		for cx := f.Plot.Min.X; cx < f.Plot.Max.X; cx++ {
			if x, y, ok := f.Cell(f.Value(cx, cy)); !ok || x != cx || y != cy {
				t.Fatalf("cell %d,%d comes back as %d,%d, %v", cx, cy, x, y, ok)
			}
		}
	}
	if _, _, ok := f.Cell(f.X.Hi+1, .8); ok {
		t.Error("a value outside has a cell")
	}
}

func TestHandOutsideIsPointedTo(t *testing.T) {
	for _, tt := range []struct {
		x, y float64
		want rune
	}{{-1, .5, '◂'}, {2, .5, '▸'}, {.5, -1, '▾'}, {.5, 2, '▴'}} {
		c := NewCanvas(20, 8, Braille)
		(&Scatter{X: Axis{Range: Range{0, 1}}, Y: Axis{Range: Range{0, 1}}, Layers: []Layer{{Mark: MarkInHand, Points: []Point{{X: tt.x, Y: tt.y}}}}}).Draw(c)
		if !strings.ContainsRune(c.Plain(), tt.want) {
			t.Errorf("no %c for %v,%v:\n%s", tt.want, tt.x, tt.y, c.Plain())
		}
	}
}

// TestAttainedShadesWhatIsDominated compares with dominance written out.
func TestAttainedShadesWhatIsDominated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.Float64Range(-.2, 1.2)
		s := &Scatter{
			X: Axis{Range: Range{0, 1}}, Y: Axis{Range: Range{0, 1}},
			MinX: rapid.Bool().Draw(t, "minX"), MinY: rapid.Bool().Draw(t, "minY"),
			Attained: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) XY { return XY{unit.Draw(t, "x"), unit.Draw(t, "y")} }), 0, 4).Draw(t, "attained"),
		}
		if rapid.Bool().Draw(t, "backwards") {
			s.X.Range = Range{1, 0}
		}
		c := NewCanvas(30, 10, Braille)
		f := s.Draw(c)
		worse := func(a, b float64, less bool, half float64) int { // is a worse than b by more than half a cell
			if less {
				a, b = -a, -b
			}
			switch d := b - a; {
			case d > half:
				return 1
			case d < -half:
				return -1
			}
			return 0
		}
		for cy := f.Plot.Min.Y; cy < f.Plot.Max.Y; cy++ {
			for cx := f.Plot.Min.X; cx < f.Plot.Max.X; cx++ {
				x, y := f.Value(cx, cy)
				want := -1
				for _, a := range s.Attained {
					wx := worse(x, a.X, s.MinX, .51/float64(f.Plot.Dx()))
					wy := worse(y, a.Y, s.MinY, .51/float64(f.Plot.Dy()))
					want = max(want, min(wx, wy))
				}
				shaded := c.At(cx, cy).Style.BG == Attained
				if want == 1 && !shaded || want == -1 && shaded {
					t.Fatalf("cell %d,%d (%.3f, %.3f) is shaded: %v", cx, cy, x, y, shaded)
				}
			}
		}
	})
}

func TestBrushesCombine(t *testing.T) {
	p := &Parallel{Axes: []ParallelAxis{
		{Brushed: true, Brush: Range{0, 1}},
		{Brush: Range{5, 6}},
		{Brushed: true, Brush: Range{3, 2}},
	}}
	for _, tt := range []struct {
		values []float64
		want   bool
	}{
		{[]float64{.5, 0, 2.5}, true},
		{[]float64{1, 0, 3}, true},
		{[]float64{1.1, 5.5, 2.5}, false},
		{[]float64{.5, 5.5, 4}, false},
		{[]float64{.5, 5.5, math.NaN()}, false},
		{[]float64{.5}, false},
	} {
		if got := p.Selected(tt.values); got != tt.want {
			t.Errorf("%v selected: %v", tt.values, got)
		}
	}
}

func TestSliderMapsColumns(t *testing.T) {
	s := Slider{Range: Range{0, 1.2}}
	for w := 1; w < 40; w++ {
		for x := range w {
			x0, n := s.rail(w)
			v := s.Range.center(min(max(x-x0, 0), n-1), n)
			c := NewCanvas(w, 1, Braille)
			s.Value = v
			s.Draw(c)
			if want := min(max(x, boolInt(w >= 5)), w-1-boolInt(w >= 5)); c.At(want, 0).Text != "●" {
				t.Fatalf("column %d of %d is %v, drawn as %q", x, w, v, c.Plain())
			}
		}
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestLegendFits(t *testing.T) {
	keys := []Key{MarkKey(MarkPredicted, "predicted front", "predicted"), MarkKey(MarkOnFront, "measured, on it", "on it"), MarkKey(MarkMeasured, "measured", "")}
	for _, tt := range []struct {
		w    int
		want string
	}{
		{60, "● predicted front  ◦ measured, on it  ⠂ measured"},
		{40, "● predicted  ◦ on it  ⠂ measured"},
		{25, "● predicted  ◦ on it"},
		{12, "● predicted"},
		{5, ""},
	} {
		var got string
		for _, s := range Legend(tt.w, keys...) {
			got += s.Text
		}
		if got != tt.want {
			t.Errorf("in %d columns: %q, want %q", tt.w, got, tt.want)
		}
	}
}

func TestFieldInterpolates(t *testing.T) {
	plane := func(x, y float64) float64 { return 3*x - 2*y + x*y }
	f := NewField(Range{-1, 2}, Range{5, 3}, 4, 7, plane)
	rapid.Check(t, func(t *rapid.T) {
		x, y := rapid.Float64Range(-1, 2).Draw(t, "x"), rapid.Float64Range(3, 5).Draw(t, "y")
		if got, want := f.At(x, y), plane(x, y); abs(got-want) > 1e-9 {
			t.Fatalf("field at %g,%g is %g, want %g", x, y, got, want)
		}
	})
	if v := f.At(-1.1, 4); !math.IsNaN(v) {
		t.Errorf("field outside its grid is %v", v)
	}
}

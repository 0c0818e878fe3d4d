package chart

import (
	"math"
	"math/rand"
)

// demos are one plot of each kind with data like that of a study; golden, size and benchmark tests share them.
func demos() []demo {
	return []demo{
		{"scatter", func(c *Canvas) { demoScatter().Draw(c) }},
		{"scatter-scale", func(c *Canvas) {
			s := demoScatter()
			s.Layers[1].Scale = &Range{0, 1}
			s.Attained = nil
			s.Draw(c)
		}},
		{"calibration", func(c *Canvas) { demoCalibration().Draw(c) }},
		{"line", func(c *Canvas) { demoLine().Draw(c) }},
		{"contour", func(c *Canvas) { demoContour().Draw(c) }},
		{"parallel", func(c *Canvas) { demoParallel(40).Draw(c) }},
		{"heatmap", func(c *Canvas) { demoHeatMap().Draw(c) }},
		{"controls", demoControls},
	}
}

type demo struct {
	name string
	draw func(*Canvas)
}

func demoCalibration() *Scatter {
	r := rand.New(rand.NewSource(2))
	var pts []Point
	for range 30 {
		x := .5 + .45*r.Float64()
		pts = append(pts, Point{X: x, Y: x + .02*r.NormFloat64(), ErrY: .02})
	}
	return &Scatter{
		X: Axis{Label: "predicted", Format: Rate}, Y: Axis{Label: "measured", Format: Rate},
		Band:   []Interval{{.48, .44, .52}, {1, .96, 1.04}},
		Curves: []Curve{{Points: []XY{{.48, .48}, {1, 1}}, Color: Muted, Dashed: true}},
		Layers: []Layer{{Mark: MarkOnFront, Points: pts}},
	}
}

func demoLine() *Line {
	l := &Line{X: Axis{Range: Range{0, 1.2}}, Y: Axis{Format: Rate}, Cursor: .62, Marked: true}
	for k, name := range []string{"rotated", "mirrored", "upright"} {
		var vs []float64
		for i := range 40 {
			x := float64(i) / 39
			vs = append(vs, .7+.2*math.Sin(3*x+float64(k)))
		}
		l.Series = append(l.Series, LineSeries{name, vs, Series(k)})
	}
	return l
}

func demoContour() *Contour {
	r := Range{0, 1.2}
	var pts []Point
	rn := rand.New(rand.NewSource(3))
	for range 24 {
		pts = append(pts, Point{X: rn.Float64() * .9, Y: rn.Float64() * .9})
	}
	return &Contour{
		X: Axis{Label: "rotated"}, Y: Axis{Label: "mirrored"}, Format: Rate,
		Field: NewField(r, r, 40, 40, func(x, y float64) float64 { return .9 - .5*(x-.6)*(x-.6) - .4*(y-.4)*(y-.4) + .3*(x-.6)*(y-.4) }),
		Doubt: NewField(r, r, 40, 40, func(x, y float64) float64 { return x + y - 1.7 }),
		Layers: []Layer{
			{Mark: MarkOnFront, Points: pts},
			{Mark: MarkInHand, Points: []Point{{X: .62, Y: .48, Label: "in hand"}}},
		},
	}
}

func demoParallel(n int) *Parallel {
	r := rand.New(rand.NewSource(4))
	p := &Parallel{Focus: 1}
	for _, name := range []string{"rotated", "mirrored", "upright", "λ rotated", "λ mirrored"} {
		p.Axes = append(p.Axes, ParallelAxis{Axis: Axis{Label: name, Format: Rate}})
	}
	p.Axes[1].Brushed, p.Axes[1].Brush = true, Range{.5, .75}
	for i := range n {
		t := float64(i) / float64(max(n-1, 1))
		s := Strand{Color: Sequential(t)}
		for k := range p.Axes {
			s.Values = append(s.Values, .5+.3*math.Sin(3*t+float64(k))+.05*r.NormFloat64())
		}
		p.Strands = append(p.Strands, s)
	}
	p.Strands[n/2].Top, p.Strands[n/2].Color = true, InHand
	return p
}

func demoHeatMap() *HeatMap {
	m := &HeatMap{Diverging: true, Format: func(v, _ float64) string { return Rate(v, .01) }, Selected: true, Row: 1, Col: 2}
	m.Rows = []string{"rotated", "mirrored", "upside_down", "数学模型"}
	m.Cols = m.Rows
	for i := range 4 {
		var row []float64
		for j := range 4 {
			row = append(row, math.Cos(float64(i-j)*1.1))
		}
		m.Values = append(m.Values, row)
	}
	m.Values[3][0] = math.NaN()
	return m
}

func demoControls(c *Canvas) {
	w, _ := c.Size()
	box := Box{
		Edge: Ink(Faded), Title: []Span{{"Trade-off", Ink(Accent).With(Bold)}, {" ─ knee 🚀", Ink(Muted)}},
		Footer: Legend(w-6, MarkKey(MarkPredicted, "predicted front", "predicted"), MarkKey(MarkOnFront, "measured, on it", "on it"),
			MarkKey(MarkMeasured, "measured", ""), MarkKey(MarkModel, "a model", "model")),
	}
	in := box.Draw(c)
	iw, _ := in.Size()
	for i, v := range []float64{.97, .94, .5, math.NaN()} {
		n := in.Text(0, i, Fit("rotated", 10), Style{})
		Bar{Range: Range{0, 1}, Value: v, Upper: v + .06, Color: Series(i), Floor: .9, Floored: i > 0}.Draw(in.Sub(n, i, 20, 1))
	}
	box.Rule(c, 4, []Span{{"Coefficients", Ink(Muted)}})
	for i, v := range []float64{.62, 1.1, 1.5} {
		n := in.Text(0, 5+i, Fit("mirrored", 10), Style{})
		Slider{Range: Range{0, 1.2}, Value: v, Color: Accent, Focused: i == 0, Known: Range{.2, 1}}.Draw(in.Sub(n, 5+i, 30, 1))
	}
	Progress{.57, Accent}.Draw(in.Sub(0, 8, 24, 1))
	Sparkline{Values: []float64{1, 2, 3, 2, 5, 8, 7, math.Inf(1), 9}, Color: Good}.Draw(in.Sub(26, 8, 20, 1))
	in.Text(0, 9, "日本語 e\u0301 👩‍🚀 \x1b[31mred\t<&>", Style{FG: Warn, Attr: Bold})
	x := in.Text(0, 10, "styled", Ink(ANSI(208)).With(Bold)) + 1
	x += in.Text(x, 10, "reverse", Style{Attr: Reverse}) + 1
	in.Text(x, 10, "rgb", Ink(RGB(1, 200, 3)))
	_ = iw
}

package tui

import (
	"fmt"
	"math"
	"slices"

	"parfait/evaluator"
	"parfait/explore"
	"parfait/study"
	"parfait/tui/chart"
)

// frontPane is the scatter plot of the front on two columns.
type frontPane struct {
	props
	focused bool
	zoom    zoom
}

func (p frontPane) draw(c *chart.Canvas) {
	box := chart.Box{Edge: faded}
	w, _ := c.Size()
	box.Title = p.title(w)
	box.Footer = p.legend(w-6, c.Glyphs())
	in := box.Draw(c)
	if p.analysis() == nil {
		p.drawMeasured(in)
		return
	}
	p.scatter().Draw(in)
}

// scatter is the plot itself.
func (p frontPane) scatter() *chart.Scatter {
	x, y := p.state.AxisX, p.state.AxisY
	s := &chart.Scatter{
		X: p.axis(x), Y: p.axis(y), MinX: p.minimised(x), MinY: p.minimised(y),
		Layers: []chart.Layer{p.trials(), p.measuredFront(), p.front(), p.references(), p.pinLayer(), p.knee(), p.inHand()},
	}
	if n := len(p.snap.Tasks); x < n && y < n && len(p.analysis().Objectives) == 2 {
		for _, i := range p.analysis().Measured {
			t := &p.analysis().Trials[i]
			s.Attained = append(s.Attained, chart.XY{X: p.measured(t, x), Y: p.measured(t, y)})
		}
	}
	return s
}

func (p frontPane) title(w int) []chart.Span {
	t := head("Front", p.focused)
	if p.working() {
		return append(t, chart.Span{Text: " ─ working it out…", Style: muted})
	}
	if p.analysis() == nil {
		if n := p.measuredTrials(); n > 0 && n < study.LeastTrials {
			t = append(t, chart.Span{Text: fmt.Sprintf(" ─ %d of %d trials needed", n, study.LeastTrials), Style: muted})
		}
		return t
	}
	if p.analysis().Untested != "" {
		t = append(t, chart.Span{Text: " untested", Style: warn})
	}
	if p.zoom.Factor > 1 {
		t = append(t, chart.Span{Text: " " + explore.Decimal(p.zoom.Factor, 1) + "×", Style: warn})
	}
	names := p.columns()
	t = append(t, chart.Span{Text: " ─ ", Style: faded},
		chart.Span{Text: names[p.state.AxisY], Style: plain}, chart.Span{Text: " ↑ against ", Style: muted},
		chart.Span{Text: names[p.state.AxisX], Style: plain}, chart.Span{Text: " →", Style: muted})
	if c := p.state.Colour; c >= 0 && w >= 66 {
		t = append(t, chart.Span{Text: " · colour " + names[c], Style: muted})
	}
	return t
}

func (p frontPane) legend(w int, g chart.Glyphs) []chart.Span {
	if p.analysis() == nil {
		return chart.Legend(w, chart.MarkKey(chart.MarkOnFront, "measured", ""))
	}
	var keys []chart.Key
	first := "◦ on it" // of the keys
	if p.marksBelow() {
		keys, first = append(keys, belowKey()), belowMark+" "+belowKey().Short
	}
	keys = append(keys, chart.MarkKey(chart.MarkOnFront, "measured, on it", "on it"), chart.MarkKey(chart.MarkMeasured, "measured", ""), chart.MarkKey(chart.MarkModel, "a model", "model"))
	if p.state.Colour < 0 {
		return chart.Legend(w, append([]chart.Key{chart.MarkKey(chart.MarkPredicted, "predicted front", "predicted")}, keys...)...)
	}
	scale := chart.ScaleLegend(p.colours(), p.columnFormat(p.state.Colour), g)
	if w >= 60 {
		scale = append([]chart.Span{{Text: "predicted ", Style: muted}}, scale...)
	} else { // the title has no room for what the colour is
		scale = scale[1 : len(scale)-1]
		if n := len(scale); n > 4 { // digits
			scale = []chart.Span{scale[0], {Text: "-", Style: muted}, scale[n-1]}
		}
		name, room := p.columns()[p.state.Colour], max(w-chart.SpansWidth(scale)-chart.Width("   "+first), 6)
		if text := "predicted " + name; chart.Width(text) <= room {
			name = text
		}
		scale = append(scale, chart.Span{Text: " " + chart.Clip(name, room), Style: muted})
	}
	return append(append(scale, chart.Span{Text: "  "}), chart.Legend(w-chart.SpansWidth(scale)-2, keys...)...)
}

// axis has the range of everything but the point in hand, so that nothing jumps when that moves, and but strays, next
// to which nothing else could be told apart.
func (p frontPane) axis(col int) chart.Axis {
	r := chart.Range{Lo: math.Inf(1), Hi: math.Inf(-1)}
	add := func(v float64) {
		if !math.IsNaN(v) {
			r.Lo, r.Hi = min(r.Lo, v), max(r.Hi, v)
		}
	}
	a := p.analysis()
	for _, f := range a.Front {
		add(explore.Column(f.X, f.Predicted, col))
	}
	for i := range a.Trials {
		if col >= len(a.Tasks) || !a.Stray(i, col) {
			add(p.measured(&a.Trials[i], col))
		}
	}
	if r.Lo > r.Hi {
		r = chart.Range{Lo: 0, Hi: 1}
	}
	r = r.Pad(0.04)
	if p.zoom.Factor > 1 && len(p.read.Tasks) > 0 {
		at := p.here(col)
		r = r.Zoom(at, p.zoom.Factor)
		pan := p.zoom.PanX
		if col == p.state.AxisY {
			pan = p.zoom.PanY
		}
		r = r.Pan(pan)
	}
	return chart.Axis{Label: "", Range: r, Format: p.columnFormat(col)}
}

// here is the value of a column at the point in hand.
func (p frontPane) here(col int) float64 {
	if col < len(p.read.Tasks) {
		return p.read.Tasks[col].Predicted.Value
	}
	if i := col - len(p.read.Tasks); i < len(p.state.X) {
		return p.state.X[i]
	}
	return math.NaN()
}

func (p frontPane) trials() chart.Layer {
	l := chart.Layer{Mark: chart.MarkMeasured}
	for i := range p.analysis().Trials {
		t := &p.analysis().Trials[i]
		l.Points = append(l.Points, chart.Point{X: p.measured(t, p.state.AxisX), Y: p.measured(t, p.state.AxisY), Faded: p.broken(t)})
	}
	return l
}

// broken says whether a trial was measured below a floor.
func (p frontPane) broken(t *study.Trial) bool {
	for i, task := range p.snap.Tasks {
		f, ok := p.state.Floors[task.Name]
		if v := p.measured(t, i); ok && !math.IsNaN(v) && v != f && !task.Better(v, f) {
			return true
		}
	}
	return false
}

func (p frontPane) measuredFront() chart.Layer {
	l := chart.Layer{Mark: chart.MarkOnFront}
	for _, i := range p.analysis().Measured {
		t := &p.analysis().Trials[i]
		l.Points = append(l.Points, chart.Point{X: p.measured(t, p.state.AxisX), Y: p.measured(t, p.state.AxisY), Faded: p.broken(t)})
	}
	return l
}

func (p frontPane) front() chart.Layer {
	l := chart.Layer{Mark: chart.MarkPredicted}
	if p.state.Colour >= 0 {
		r := p.colours()
		l.Scale = &r
	}
	holds := p.state.Holder(p.analysis())
	for _, f := range p.analysis().Front {
		pt := chart.Point{
			X: explore.Column(f.X, f.Predicted, p.state.AxisX), Y: explore.Column(f.X, f.Predicted, p.state.AxisY),
			Value: explore.Column(f.X, f.Predicted, p.state.Colour), Faded: !holds(f.Predicted) || !f.Believed,
		}
		if p.below(f.Predicted) {
			pt.Shape = belowShape()
		}
		l.Points = append(l.Points, pt)
	}
	return l
}

// colours is the range of the column that the colour shows, over the front.
func (p frontPane) colours() chart.Range {
	var vs []float64
	for _, f := range p.analysis().Front {
		vs = append(vs, explore.Column(f.X, f.Predicted, p.state.Colour))
	}
	r := chart.RangeOf(vs...)
	if p.minimised(p.state.Colour) {
		r.Lo, r.Hi = r.Hi, r.Lo
	}
	return r
}

func (p frontPane) references() chart.Layer {
	l := chart.Layer{Mark: chart.MarkModel}
	for _, r := range p.analysis().References {
		pt := chart.Point{X: explore.Column(r.X, r.Predicted, p.state.AxisX), Y: explore.Column(r.X, r.Predicted, p.state.AxisY), Label: r.Name}
		if r.Trial >= 0 {
			t := &p.analysis().Trials[r.Trial]
			pt.X, pt.Y = p.measured(t, p.state.AxisX), p.measured(t, p.state.AxisY)
		}
		l.Points = append(l.Points, pt)
	}
	return l
}

func (p frontPane) pinLayer() chart.Layer {
	l := chart.Layer{Mark: chart.MarkPinned}
	for _, pin := range p.pins {
		pr := pin.predicted
		l.Points = append(l.Points, chart.Point{X: explore.Column(pin.X, pr, p.state.AxisX), Y: explore.Column(pin.X, pr, p.state.AxisY), Label: p.marked(pin.Name, pr)})
	}
	return l
}

// marksBelow says whether a point of the front or a pin is marked as below the base. The point in hand is so beside the plot,
// where no step along the front has a label to draw anew.
func (p frontPane) marksBelow() bool {
	return slices.ContainsFunc(p.analysis().Front, func(f study.FrontPoint) bool { return p.below(f.Predicted) }) ||
		slices.ContainsFunc(p.pins, func(pin pinned) bool { return p.below(pin.predicted) })
}

func (p frontPane) knee() chart.Layer {
	k := p.analysis().Front[p.analysis().Knee]
	pt := chart.Point{X: explore.Column(k.X, k.Predicted, p.state.AxisX), Y: explore.Column(k.X, k.Predicted, p.state.AxisY), Label: p.marked("knee", k.Predicted)}
	if p.state.Front == p.analysis().Knee {
		pt.Label = ""
	}
	return chart.Layer{Mark: chart.MarkKnee, Points: []chart.Point{pt}}
}

func (p frontPane) inHand() chart.Layer {
	l := chart.Layer{Mark: chart.MarkInHand}
	if len(p.read.Tasks) == 0 {
		return l
	}
	pt := chart.Point{X: p.here(p.state.AxisX), Y: p.here(p.state.AxisY), Label: p.read.Label}
	if i := p.state.AxisX; i < len(p.read.Tasks) {
		pt.ErrX = half(p.read.Tasks[i].Predicted)
	}
	if i := p.state.AxisY; i < len(p.read.Tasks) {
		pt.ErrY = half(p.read.Tasks[i].Predicted)
	}
	l.Points = []chart.Point{pt}
	return l
}

// drawMeasured draws what there is before anything can be fitted, and says what comes next.
func (p frontPane) drawMeasured(c *chart.Canvas) {
	var l chart.Layer
	var axes []int
	for i, t := range p.snap.Tasks {
		if t.Role == study.Objective && len(axes) < 2 {
			axes = append(axes, i)
		}
	}
	l.Mark = chart.MarkOnFront
	for i := range p.snap.Trials {
		if t := &p.snap.Trials[i]; t.State == evaluator.Done && len(axes) == 2 {
			l.Points = append(l.Points, chart.Point{X: p.measured(t, axes[0]), Y: p.measured(t, axes[1])})
		}
	}
	if len(l.Points) > 0 {
		s := chart.Scatter{Layers: []chart.Layer{l}, X: chart.Axis{Format: p.columnFormat(axes[0]), Label: p.snap.Tasks[axes[0]].Name}, Y: chart.Axis{Format: p.columnFormat(axes[1])}}
		s.Draw(c)
		return
	}
	message(c, p.hint())
}

package tui

import (
	"fmt"
	"math"
	"slices"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/study"
	"parfait/tui/chart"
)

// scopeSurrogate is the view of a task's surrogate.
const scopeSurrogate scope = "surrogate"

// surrogateView is a task's surrogate: the task over two coefficients, and slices through the point in
// hand. It is worked out in the background, one at a time, the newest request last.
type surrogateView struct {
	x, y    int // coefficients on the axes
	picture int // on small screens one at a time: map, calibration, slices
	shown   surfaceKey
	asked   surfaceKey
	busy    bool
	field   chart.Field
	doubt   chart.Field
	slices  []chart.LineSeries
	beside  quadratics
}

// surfaceKey says what a surface is of.
type surfaceKey struct {
	a       *study.Analysis
	task    int
	x, y    int
	through string // the point in hand
	along   int    // the coefficient of the slices
}

// Grids of the map, of where it is not to be believed (a prediction a task), and of the slices.
const (
	fieldNX, fieldNY = 36, 24
	doubtNX, doubtNY = 18, 12
	sliceN           = 48
)

type surfaceMsg struct {
	key          surfaceKey
	field, doubt chart.Field
	slices       []chart.LineSeries
}

func newSurrogateView() view { return &surrogateView{} }

func (f *surrogateView) info() viewInfo {
	return viewInfo{scope: scopeSurrogate, key: "4", title: "Surrogate", heading: "Surrogate", side: minWidth, inHand: true, follows: true}
}

func (f *surrogateView) draw(e *explorer, s props, c *chart.Canvas) {
	surrogatePane{props: s, surrogateView: *f, focused: e.focus == scopeSurrogate}.draw(c)
}

func (f *surrogateView) take(e *explorer, msg tea.Msg) (tea.Cmd, bool) {
	switch m := msg.(type) {
	case surfaceMsg:
		f.drawn(m)
	case quadraticMsg:
		f.beside.fitted(m)
	default:
		return nil, false
	}
	if e.view != view(f) {
		return nil, true
	}
	return f.refresh(e), true // what was asked for meanwhile
}

// axes are the two coefficients, always different where there are two.
func (f *surrogateView) axes(e *props) (x, y int) {
	n := len(e.snap.Space.Coefficients)
	x = min(f.x, n-1)
	if y = min(f.y, n-1); y == x && n > 1 {
		y = (x + 1) % n
	}
	return x, y
}

// refresh starts the work where what is asked for is not what is shown.
func (f *surrogateView) refresh(e *explorer) tea.Cmd {
	a := e.analysis()
	if a == nil || len(e.state.X) == 0 {
		return nil
	}
	x, y := f.axes(&e.props)
	key := surfaceKey{a, e.state.Task, x, y, fmt.Sprint(e.state.X), e.state.Coefficient}
	beside := f.beside.refresh(e)
	if key == f.asked || f.busy {
		return beside
	}
	f.asked, f.busy = key, true
	at := slices.Clone(e.state.X)
	return tea.Batch(e.work("draw the surrogate", func() tea.Msg { return survey(key, at) }), beside)
}

// drawn takes what was worked out.
func (f *surrogateView) drawn(m surfaceMsg) {
	f.busy = false
	f.shown, f.field, f.doubt, f.slices = m.key, m.field, m.doubt, m.slices
}

// survey evaluates a surrogate around a point.
func survey(k surfaceKey, at []float64) surfaceMsg {
	space := k.a.Space.Coefficients
	rx, ry := chart.Range{Lo: space[k.x].Lo, Hi: space[k.x].Hi}, chart.Range{Lo: space[k.y].Lo, Hi: space[k.y].Hi}
	point := func(x, y float64) []float64 {
		p := slices.Clone(at)
		p[k.y] = y
		p[k.x] = x
		return p
	}
	m := surfaceMsg{key: k}
	fit := k.a.Fits[k.task].Surrogate
	m.field = chart.NewField(rx, ry, fieldNX, fieldNY, func(x, y float64) float64 {
		v, _ := fit.Predict(point(x, y))
		return v
	})
	m.doubt = chart.NewField(rx, ry, doubtNX, doubtNY, func(x, y float64) float64 {
		if k.a.Believed(point(x, y)) {
			return -1
		}
		return 1
	})
	along := space[k.along]
	for t, f := range k.a.Fits {
		s := chart.LineSeries{Name: f.Task, Color: chart.Series(t)}
		for i := range sliceN {
			p := slices.Clone(at)
			p[k.along] = along.Lo + (along.Hi-along.Lo)*float64(i)/(sliceN-1)
			v, _ := f.Surrogate.Predict(p)
			s.Values = append(s.Values, v)
		}
		m.slices = append(m.slices, s)
	}
	return m
}

func (f *surrogateView) actions() []action {
	at := []scope{scopeSurrogate}
	return []action{
		{ID: "surrogate.x", Scopes: at, Keys: []string{"X"}, Pair: "XY", Title: "another coefficient on the X axis", Hint: "axes", Bar: 1, disabled: oneCoefficient, do: in(func(e *explorer, f *surrogateView) tea.Cmd {
			x, y := f.axes(&e.props)
			n := len(e.snap.Space.Coefficients)
			if x = (x + 1) % n; x == y {
				x = (x + 1) % n
			}
			f.x, f.y = x, y
			return f.refresh(e)
		})},
		{ID: "surrogate.y", Scopes: at, Keys: []string{"Y"}, Title: "another coefficient on the Y axis", disabled: oneCoefficient, do: in(func(e *explorer, f *surrogateView) tea.Cmd {
			x, y := f.axes(&e.props)
			n := len(e.snap.Space.Coefficients)
			if y = (y + 1) % n; x == y {
				y = (y + 1) % n
			}
			f.x, f.y = x, y
			return f.refresh(e)
		})},
		{ID: "surrogate.picture", Scopes: at, Keys: []string{"v"}, Title: "the next picture: map, predicted against measured, slices", Hint: "picture", Bar: 3, Twin: "parfait trust", disabled: in(oneSurrogatePicture), do: in(func(_ *explorer, f *surrogateView) tea.Cmd {
			f.picture = (f.picture + 1) % 3
			return nil
		})},
		{ID: "surrogate.along", Scopes: at, Keys: []string{"right", "l"}, Title: "slices along the next coefficient", disabled: noFront, do: move(explore.Move{Kind: explore.SelectCoefficient, N: 1})},
		{ID: "surrogate.along-back", Scopes: at, Keys: []string{"left", "h"}, Title: "slices along the previous coefficient", disabled: noFront, do: move(explore.Move{Kind: explore.SelectCoefficient, N: -1})},
	}
}

// surrogatePane draws a task's surrogate.
type surrogatePane struct {
	props
	surrogateView
	focused bool
}

func (p surrogatePane) draw(c *chart.Canvas) {
	w, h := c.Size()
	if p.analysis() == nil {
		message(chart.Box{Edge: faded, Title: head("Surrogate", p.focused)}.Draw(c), p.hint())
		return
	}
	if len(p.snap.Space.Coefficients) == 1 { // a map has two axes: the slice says all there is
		if surrogateTogether(w, h) {
			p.drawSlices(c.Sub(0, 0, w, h/2))
			p.drawCalibration(c.Sub(0, h/2, w, h-h/2))
			return
		}
		[]func(*chart.Canvas){p.drawSlices, p.drawCalibration}[p.picture%2](c)
		return
	}
	if surrogateTogether(w, h) {
		top := h * 3 / 5
		p.drawMap(c.Sub(0, 0, w, top))
		p.drawCalibration(c.Sub(0, top, w/2, h-top))
		p.drawSlices(c.Sub(w/2, top, w-w/2, h-top))
		return
	}
	[]func(*chart.Canvas){p.drawMap, p.drawCalibration, p.drawSlices}[p.picture](c)
}

// surrogateTogether says whether w×h cells have room for all pictures of a surrogate.
func surrogateTogether(w, h int) bool { return w >= 66 && h >= 30 }

// oneSurrogatePicture says why there is no other picture of the surrogate.
func oneSurrogatePicture(e *explorer, f *surrogateView) string {
	if main := arrange(e.w, e.h, f.info().hasSide(e.w)).main; surrogateTogether(main.Dx(), main.Dy()) {
		return "all of them are shown"
	}
	return noFront(e)
}

func oneCoefficient(e *explorer) string {
	if len(e.snap.Space.Coefficients) == 1 {
		return "there is one coefficient"
	}
	return noFront(e)
}

func (p surrogatePane) task() study.Task { return p.snap.Tasks[p.state.Task] }
func (p surrogatePane) fit() study.Fit   { return p.analysis().Fits[p.state.Task] }

func (p surrogatePane) drawMap(c *chart.Canvas) {
	w, _ := c.Size()
	x, y := p.axes(&p.props)
	names := p.coefficients()
	t := p.task()
	title := append(head("Surrogate", p.focused), chart.Span{Text: " ─ ", Style: faded}, chart.Span{Text: t.Name, Style: strong})
	over := " over " + names[x] + " → and " + names[y] + " ↑"
	if chart.SpansWidth(title)+chart.Width(over) <= w-6 {
		title, over = append(title, chart.Span{Text: over, Style: muted}), ""
	}
	box := chart.Box{Edge: faded, Title: title, Footer: p.next(w - 6)}
	in := box.Draw(c)
	m := chart.Contour{
		Field: p.field, Doubt: p.doubt, Format: taskFormat(t),
		Layers: []chart.Layer{p.samples(x, y), p.pending(x, y), p.hand(x, y)},
	}
	if over != "" { // no room in the title
		m.X.Label, m.Y.Label = names[x], names[y]+" ↑"
	}
	if p.shown.a == nil {
		_, bh := in.Size()
		centred(in, bh/2, "working it out…", muted)
		return
	}
	m.Draw(in)
}

func (p surrogatePane) samples(x, y int) chart.Layer {
	l := chart.Layer{Mark: chart.MarkOnFront}
	for _, t := range p.analysis().Trials {
		l.Points = append(l.Points, chart.Point{X: t.X[x], Y: t.X[y]})
	}
	return l
}

// pending are the trials on their way.
func (p surrogatePane) pending(x, y int) chart.Layer {
	l := chart.Layer{Mark: chart.MarkUniform}
	for _, t := range p.snap.Trials {
		if !t.State.Final() && len(t.X) > max(x, y) {
			l.Points = append(l.Points, chart.Point{X: t.X[x], Y: t.X[y], Label: fmt.Sprint(t.ID)})
		}
	}
	return l
}

func (p surrogatePane) hand(x, y int) chart.Layer {
	return chart.Layer{Mark: chart.MarkInHand, Points: []chart.Point{{X: p.state.X[x], Y: p.state.X[y], Label: p.read.Label}}}
}

// next says what is measured next and why, or how the map reads.
func (p surrogatePane) next(w int) []chart.Span {
	for _, t := range p.snap.Trials {
		if !t.State.Final() && t.Why != "" {
			return chart.ClipSpans([]chart.Span{{Text: "✚ next ", Style: chart.Ink(chart.Uniform)}, {Text: fmt.Sprintf("%d: %s", t.ID, t.Why), Style: muted}}, w)
		}
	}
	return chart.Legend(w, chart.MarkKey(chart.MarkOnFront, "measured", ""), chart.MarkKey(chart.MarkInHand, "in hand", ""),
		chart.Key{Glyph: '╱', Style: muted, Text: "not to be believed", Short: "doubt"})
}

// drawCalibration draws what was predicted for each trial by a surrogate that had not seen it, against
// what was measured.
func (p surrogatePane) drawCalibration(c *chart.Canvas) {
	f, t := p.fit(), p.task()
	r, style := trustMark(p.analysis(), p.state.Task)
	title := append(head("Predicted against measured", false), chart.Span{Text: " " + string(r), Style: style}, chart.Span{Text: " " + t.Name, Style: muted})
	w, _ := c.Size()
	box := chart.Box{Edge: faded, Title: title, Footer: chart.ClipSpans([]chart.Span{{Text: p.trustWords(w - 6), Style: muted}}, w-6)}
	in := box.Draw(c)
	var pts []chart.Point
	lo, hi := math.Inf(1), math.Inf(-1)
	for i, at := range f.Used {
		if i >= len(f.Trust.LOO) || at >= len(p.analysis().Trials) {
			continue
		}
		m := t.WithStderr(p.analysis().Trials[at].Metrics[t.Name])
		pt := chart.Point{X: f.Trust.LOO[i], Y: m.Value, ErrY: m.Stderr}
		if i == f.Trust.WorstAt {
			pt.Color, pt.Label = chart.Warn, fmt.Sprintf("trial %d", p.analysis().Trials[at].ID)
		}
		pts = append(pts, pt)
		lo, hi = min(lo, pt.X, pt.Y), max(hi, pt.X, pt.Y)
	}
	if len(pts) == 0 {
		return
	}
	band := 1.645 * f.Trust.RMSE
	s := chart.Scatter{
		X: chart.Axis{Label: "predicted without it", Format: taskFormat(t), Range: chart.Range{Lo: lo, Hi: hi}.Pad(0.05)},
		Y: chart.Axis{Format: taskFormat(t)}, Band: []chart.Interval{{X: lo, Lo: lo - band, Hi: lo + band}, {X: hi, Lo: hi - band, Hi: hi + band}},
		Curves: []chart.Curve{{Points: []chart.XY{{X: lo, Y: lo}, {X: hi, Y: hi}}, Color: chart.Muted, Dashed: true}},
		Layers: []chart.Layer{{Mark: chart.MarkOnFront, Points: pts}},
	}
	s.Draw(in)
}

// trustWords are the held-out figures on a line of w cells: as many of them as fit, the first ones first.
func (p surrogatePane) trustWords(w int) string {
	t := p.fit().Trust
	if t.Constant {
		return "does not vary beyond its noise"
	}
	parts := []string{
		"Q² " + explore.Decimal(t.Q2, 2), "coverage " + explore.Decimal(t.Coverage, 2), "worst " + explore.Spread(p.task(), t.Worst),
		"noise allows " + explore.Decimal(t.Ceiling, 2), t.Fitter,
	}
	if t.Cliff {
		parts = append([]string{"a cliff: " + t.CliffWhy}, parts...)
	}
	words := parts[0]
	if b := p.beside; !t.Cliff && b.of == p.analysis() && p.state.Task < len(b.q2) && b.q2[p.state.Task] != t.Q2 {
		if beside := " (quadratic " + explore.Decimal(b.q2[p.state.Task], 2) + ")"; chart.Width(words+beside) <= w {
			words += beside
		}
	}
	for _, part := range parts[1:] {
		if next := words + " · " + part; chart.Width(next) <= w {
			words = next
		}
	}
	return words
}

func (p surrogatePane) drawSlices(c *chart.Canvas) {
	i := p.state.Coefficient
	space := p.snap.Space.Coefficients[i]
	title := head("Slices", p.focused && len(p.snap.Space.Coefficients) == 1)
	along := " along " + space.Name + " through what is in hand"
	if w, _ := c.Size(); chart.SpansWidth(title)+chart.Width(along) > w-6 {
		along = " along " + space.Name
	}
	title = append(title, chart.Span{Text: along, Style: muted})
	in := chart.Box{Edge: faded, Title: title}.Draw(c)
	var rates []chart.LineSeries
	for t, s := range p.slices {
		if t < len(p.snap.Tasks) && p.snap.Tasks[t].Rate() == p.task().Rate() {
			rates = append(rates, s)
		}
	}
	l := chart.Line{
		X: chart.Axis{Range: chart.Range{Lo: space.Lo, Hi: space.Hi}, Label: space.Name}, Y: chart.Axis{Format: taskFormat(p.task())},
		Series: rates, Cursor: p.state.X[i], Marked: true,
	}
	l.Draw(in)
}

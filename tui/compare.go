package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/study"
	"parfait/tui/chart"
)

const scopeCompare scope = "compare"

// comparison is the point in hand and the pins side by side; the first column is what the others are
// compared with.
type comparison struct {
	first int // of the pins shown
	base  int // of the pins: what the others are compared with
}

func compare(e *explorer) tea.Cmd {
	e.above = &comparison{}
	return nil
}

func (*comparison) place() place { return place{scopeCompare, "The comparison of pins"} }

func (*comparison) actions() []action {
	at := []scope{scopeCompare}
	return []action{
		{ID: "compare.next", Scopes: at, Keys: []string{"right", "l"}, Title: "further pins", Hint: "further", do: on(func(_ *explorer, p *comparison) tea.Cmd { p.first++; return nil })},
		{ID: "compare.previous", Scopes: at, Keys: []string{"left", "h"}, Title: "back", do: on(func(_ *explorer, p *comparison) tea.Cmd { p.first--; return nil })},
		{ID: "compare.base", Scopes: at, Keys: []string{"space"}, Title: "compare with the next pin", Hint: "compare with", do: on(func(e *explorer, p *comparison) tea.Cmd {
			p.base = (p.base + 1) % max(len(e.state.Pins), 1)
			return nil
		})},
	}
}

func (p *comparison) press(*explorer, tea.KeyPressMsg) tea.Cmd { return nil }

// contender is one column.
type contender struct {
	name string
	x    []float64
	p    []study.Prediction
	m    map[string]study.Metric // on the validation split, nil where it was not measured
}

func (p *comparison) contenders(e *explorer) []contender {
	var out []contender
	for i := range e.pins {
		pin := e.pins[(p.base+i)%len(e.pins)]
		out = append(out, contender{pin.Name, pin.X, pin.predicted, measuredAt(e.analysis(), pin.X)})
	}
	hand := contender{name: "in hand", x: e.state.X, m: measuredAt(e.analysis(), e.state.X)}
	for _, t := range e.read.Tasks {
		hand.p = append(hand.p, t.Predicted)
	}
	return append(out, hand)
}

// measuredAt is what a trial measured at x, nil where there is none.
func measuredAt(a *study.Analysis, x []float64) map[string]study.Metric {
	if a == nil {
		return nil
	}
	if i := slices.IndexFunc(a.Trials, func(t study.Trial) bool { return slices.Equal(t.X, x) }); i >= 0 {
		return a.Trials[i].Metrics
	}
	return nil
}

func (p *comparison) draw(e *explorer, c *chart.Canvas) {
	all := p.contenders(e)
	cw, ch := c.Size()
	names := nameWidth(append(taskNames(e.snap.Tasks), e.coefficients()...), 8, 18)
	const column = 17
	fit := max((cw-8-names)/column, 2)
	p.first = max(min(p.first, len(all)-fit), 0)
	shown := limit(all[1+min(p.first, len(all)-1):], fit-1)
	shown = append([]contender{all[0]}, shown...)
	w := names + 4 + column*len(shown)
	h := 7 + len(e.snap.Tasks) + len(e.state.X)
	in := floating(c, max(w, 56), min(h, ch-2), head("Compare", true), keyHints(e, scopeCompare, w-6))
	for i, s := range shown {
		in.Text(names+2+i*column, 0, chart.Clip(s.name, column-2), strong)
	}
	y := 1
	for t, task := range e.snap.Tasks {
		in.Text(1, y, chart.Clip(task.Name, names), plain)
		for i, s := range shown {
			x := names + 2 + i*column
			in.Spans(x, y, chart.ClipSpans(p.cell(e.snap.Analysis, task, t, shown[0], s, i > 0), column-1)...)
		}
		y++
	}
	y++
	for j, name := range e.coefficients() {
		in.Text(1, y, chart.Clip(name, names), muted)
		for i, s := range shown {
			in.Text(names+2+i*column, y, explore.Decimal(s.x[j], 2), muted)
		}
		y++
	}
	_, ih := in.Size()
	in.Text(1, ih-1, "◦ both measured, else predicted · bold: beyond noise", muted)
}

// cell is what is known of a task and, where it is compared, what that has more than the first: measurement against
// measurement where both were measured, else prediction against prediction.
func (p *comparison) cell(an *study.Analysis, t study.Task, at int, first, of contender, compared bool) []chart.Span {
	a, b := first.p[at], of.p[at]
	if !compared {
		return []chart.Span{{Text: chart.Fit(explore.Number(t, b.Value), 5), Style: strong}, {Text: " " + explore.Interval(t, b), Style: muted}}
	}
	was, is, sure, mark := a.Value, b.Value, an.Difference(at, of.x, first.x).Sure(), ""
	x, one := first.m[t.Name]
	y, other := of.m[t.Name]
	if one && other {
		was, is, sure, mark = x.Value, y.Value, t.Difference(y, x).Sure(), " ◦"
	}
	style := faded
	if sure {
		style = bad.With(chart.Bold)
		if t.Better(is, was) {
			style = good.With(chart.Bold)
		}
	}
	return []chart.Span{
		{Text: chart.Fit(explore.Number(t, is), 5), Style: plain},
		{Text: " " + explore.Difference(t, was, is), Style: style},
		{Text: mark, Style: chart.Ink(chart.OnFront)},
	}
}

package tui

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"parfait/explore"
	"parfait/search"
	"parfait/tui/chart"
)

// side is the panel of what is in hand: the trade-off, the coefficients, and what there is to say.
type side struct {
	props
	focus scope
}

var (
	plain  = chart.Style{}
	muted  = chart.Ink(chart.Muted)
	faded  = chart.Ink(chart.Faded)
	accent = chart.Ink(chart.Accent)
	good   = chart.Ink(chart.Good)
	warn   = chart.Ink(chart.Warn)
	bad    = chart.Ink(chart.Bad)
	strong = chart.Style{Attr: chart.Bold}
)

func (p side) draw(c *chart.Canvas) {
	outer, _ := c.Size()
	box := chart.Box{Edge: faded, Title: p.title(outer)}
	in := box.Draw(c)
	w, h := in.Size()
	if w < 12 || h < 4 {
		return
	}
	if p.analysis() == nil || len(p.read.Tasks) == 0 {
		p.empty(in)
		return
	}
	tasks, coefficients := p.shares(h)
	y := p.drawTasks(in.Sub(0, 0, w, tasks))
	words := p.costs(w-1, p.rateLines(h))
	for i, line := range wrapWithin(words.Text, w-1, p.rateLines(h)) {
		in.Text(1, y+i, line, words.Style)
	}
	y += p.rateLines(h)
	box.Rule(c, y, head("Coefficients", p.focus == scopeCoefficients))
	y++
	y += p.drawCoefficients(in.Sub(0, y, w, coefficients))
	y = p.believed(in, y)
	// What stands below does so from the bottom up, so that remarks push nothing.
	bottom := p.drawGrowth(c, in, box, y+remarkRows)
	bottom = p.drawPins(c, in, box, y+remarkRows, bottom)
	p.says(in.Sub(0, y, w, bottom-y))
}

// remarkRows are kept free for remarks.
const remarkRows = 2

// head is a box's title. It alone shows the focus: edges in another colour would send every row of both
// panes.
func head(text string, focused bool) []chart.Span {
	if focused {
		return []chart.Span{{Text: " " + text + " ", Style: chart.Style{FG: chart.Accent, BG: chart.Selection, Attr: chart.Bold}}}
	}
	return []chart.Span{{Text: text, Style: strong}}
}

func (p side) title(w int) []chart.Span {
	t := head("Trade-off", p.focus == scopeTasks)
	if p.read.Name == "" {
		return t
	}
	t = append(t, chart.Span{Text: " ─ ", Style: faded})
	name, pr := p.read.Name, p.read.Chance
	if math.IsNaN(pr) {
		return append(t, chart.Span{Text: name, Style: plain})
	}
	for _, text := range []string{", nowhere below " + p.read.Over.Title + ": probability ", " ≥" + p.read.Over.Name + " "} { // help says what the short one is
		if text += explore.Likely(pr); chart.SpansWidth(t)+chart.Width(name+text) <= w-4 {
			name += text
			break
		}
	}
	return append(t, chart.Span{Text: name, Style: plain})
}

// empty says what is measured, before there is anything in hand.
func (p side) empty(c *chart.Canvas) {
	w, h := c.Size()
	n := nameWidth(taskNames(p.snap.Tasks), 6, w/2)
	for i, t := range limit(p.snap.Tasks, h-2) {
		c.Text(1, i, chart.Fit(t.Name, n), plain)
		c.Text(n+2, i, string(t.Role), muted)
	}
	y := len(p.snap.Tasks) + 1
	for i, c2 := range limit(p.snap.Space.Coefficients, h-y) {
		c.Text(1, y+i, shortName(c2.Name, n), muted)
		c.Text(n+2, y+i, explore.Decimal(c2.Lo, 2)+" … "+explore.Decimal(c2.Hi, 2), muted)
	}
}

// costs says in n lines of w cells what more of the chosen task costs on the front, and off it what the
// front would give.
func (p side) costs(w, n int) chart.Span {
	if p.read.Dominator >= 0 && p.read.Better != "" {
		text := "r: " + p.read.Better + " for free"
		if where := fmt.Sprintf(" (front %d)", p.read.Dominator+1); len(wrapText(text+where, w)) <= n {
			text += where
		}
		return chart.Span{Text: text, Style: warn}
	}
	if p.state.Front < 0 && !p.state.Between() {
		return chart.Span{Text: "off the front: nothing on it is better in everything", Style: muted}
	}
	words := p.read.Rate.Words
	if len(wrapText(words, w)) > n { // the task in question is marked
		words = strings.Replace(words, " "+p.read.Tasks[p.state.Task].Task.Name, "", 1)
	}
	return chart.Span{Text: words, Style: plain}
}

// shares divides h rows: tasks and coefficients get what they need where there is room, else both scroll.
func (p side) shares(h int) (tasks, coefficients int) {
	tasks, coefficients = len(p.read.Tasks), len(p.state.X)
	room := h - 2 - p.rateLines(h) // the rule and the leverage
	for tasks+coefficients > room && (tasks > 2 || coefficients > 1) {
		if tasks > coefficients || coefficients <= 1 {
			tasks--
		} else {
			coefficients--
		}
	}
	tasks, coefficients = max(tasks, 1), max(coefficients, 1)
	return tasks, coefficients + max(min(len(p.snap.Space.Bound()), room-tasks-coefficients-remarkRows), 0)
}

// rateLines are the rows kept for the rates, always as many, so that nothing jumps.
func (p side) rateLines(h int) int {
	if h < 16 || len(p.read.Tasks)+len(p.state.X) > h-6 {
		return 1
	}
	return 2
}

// window is the first of n rows shown where so many fit and the one at must be seen.
func window(at, n, fit int) int { return max(min(at-fit/2, n-fit), 0) }

// drawCoefficients draws a slider a coefficient, and below them what is fixed or tied, as far as there is room; it returns how many rows it took.
func (p side) drawCoefficients(c *chart.Canvas) int {
	w, h := c.Size()
	names, bound := p.coefficients(), p.snap.Space.Bound()
	all := slices.Clone(names)
	for _, n := range bound {
		all = append(all, n.Name)
	}
	k := nameWidth(all, 6, max(w/3, 8))
	first := window(p.state.Coefficient, len(names), h)
	for y := range min(h, len(names)) {
		i := first + y
		space := p.snap.Space.Coefficients[i]
		style, value := plain, plain
		focused := p.focus == scopeCoefficients && i == p.state.Coefficient
		if i == p.state.Coefficient {
			c.Text(0, y, "▸", accent)
			style = strong
		}
		if focused {
			style, value = accent.With(chart.Bold), strong
		}
		c.Text(1, y, shortName(names[i], k), style)
		rightText(c, k+2, y, 5, explore.Decimal(p.state.X[i], 2), value)
		chart.Slider{
			Range: chart.Range{Lo: space.Lo, Hi: space.Hi}, Value: p.state.X[i], Color: chart.InHand, Focused: focused, Known: p.known(i),
		}.Draw(c.Sub(k+8, y, w-k-8, 1))
	}
	for i, n := range limit(bound, max(h-len(names), 0)) {
		y := len(names) + i
		c.Text(1, y, shortName(n.Name, k), muted)
		rightText(c, k+2, y, 5, explore.Decimal(n.At(p.state.X), 2), muted)
		c.Text(k+8, y, chart.Clip(p.snap.Space.How(n), w-k-8), muted)
	}
	return h
}

// known is the stretch of coefficient i that was sampled.
func (p side) known(i int) chart.Range {
	r := chart.Range{Lo: math.Inf(1), Hi: math.Inf(-1)}
	for _, t := range p.analysis().Trials {
		r.Lo, r.Hi = min(r.Lo, t.X[i]), max(r.Hi, t.X[i])
	}
	return r
}

// believed says whether the surrogates may be believed here, and why not. Where the line is too short for the
// words, shorter ones say the same.
func (p side) believed(c *chart.Canvas, y int) int {
	w, _ := c.Size()
	figure := explore.Decimal(p.read.Leverage, 2)
	words, style := []string{", inside the sampled region", " (inside)"}, muted
	if d := p.read.Doubt; d != "" {
		words, style = []string{", " + d, " (" + shortDoubt[d] + ")"}, warn
	}
	for len(words) > 1 && chart.Width("leverage "+figure+words[0]) > w-1 {
		words = words[1:]
	}
	c.Spans(1, y, chart.Span{Text: "leverage ", Style: muted}, chart.Span{Text: figure, Style: plain}, chart.Span{Text: words[0], Style: style})
	return y + 1
}

// shortDoubt are the words of explore for narrow panes.
var shortDoubt = map[string]string{
	string(search.Outside): "outside!", string(search.Uncertain): "uncertain!", string(search.Collapsed): "collapses!", string(search.Failing): "near a failed trial", string(search.Astray): "near a stray trial",
}

// says draws what there is to say about the point, the most important first.
func (p side) says(c *chart.Canvas) {
	w, h := c.Size()
	y := 0
	for _, s := range p.remarks() {
		for _, line := range wrapWithin(s.Text, w-1, h-y) {
			c.Text(1, y, line, s.Style)
			y++
		}
	}
	p.answers(c, y)
}

// answersRoom are the rows that remarks have before there are answers below them.
const answersRoom = 5

// answers says at the bottom, where there is room below row top, how the front compares with what there was without a search.
func (p side) answers(c *chart.Canvas, top int) {
	w, h := c.Size()
	words := explore.Answers(p.analysis())
	if words == "" {
		return
	}
	lines := wrapText(words+"; how surely: F", w-1)
	if y := h - len(lines) - 1; y >= max(top+1, answersRoom) {
		for i, line := range lines {
			c.Text(1, y+i, line, muted)
		}
	}
}

func (p side) remarks() []chart.Span {
	var out []chart.Span
	if p.read.Infeasible != "" {
		out = append(out, chart.Span{Text: p.read.Infeasible, Style: bad})
	}
	for _, i := range p.read.Broken {
		t := p.read.Tasks[i]
		out = append(out, chart.Span{Text: "breaks the floor: " + t.Task.Name + " " + explore.Sign(t.Task) + " " + explore.Number(t.Task, t.Floor), Style: bad})
	}
	if len(p.read.BelowBase) > 0 {
		out = append(out, chart.Span{Text: belowMark + " below base", Style: warn}) // the mark stands before each task of which it is so
	}
	if p.read.NoMerge != "" {
		out = append(out, chart.Span{Text: p.read.NoMerge, Style: warn})
	}
	if p.read.Beating != "" && p.read.Infeasible == "" {
		out = append(out, chart.Span{Text: p.read.Beating, Style: accent})
	}
	if p.state.Asks() {
		verb := "follows "
		if p.state.Anchor.Kind != explore.AnchorPreference { // somebody has gone elsewhere since
			verb = "asked for: "
		}
		out = append(out, chart.Span{Text: verb + p.read.Rule, Style: accent})
	}
	if t := p.read.Tasks[p.state.Task]; t.Flagged && t.Why != "" {
		out = append(out, chart.Span{Text: t.Task.Name + ": " + t.Why, Style: warn})
	}
	if why := p.analysis().Untested; why != "" && p.state.Front >= 0 {
		out = append(out, chart.Span{Text: "an untested front: " + why, Style: warn})
	}
	if pr := p.read.Prob; p.state.Front >= 0 && pr < 0.5 {
		out = append(out, chart.Span{Text: "probably beaten by a neighbour: on the front with probability " + explore.Decimal(pr, 2), Style: warn})
	}
	if p.read.Trial >= 0 {
		out = append(out, chart.Span{Text: p.measuredHere(), Style: chart.Ink(chart.OnFront)})
	}
	if t := p.read.Tasks[p.state.Task]; t.Cliff != "" { // true everywhere, so it makes room for what is true here
		out = append(out, chart.Span{Text: t.Task.Name + " has a cliff: " + t.Cliff, Style: warn})
	}
	if t := p.read.Tasks[p.state.Task]; t.Apart != "" {
		out = append(out, chart.Span{Text: t.Task.Name + ": " + t.Apart, Style: warn})
	}
	return out
}

func (p side) measuredHere() string {
	words := fmt.Sprintf("measured as trial %d:", p.analysis().Trials[p.read.Trial].ID)
	for _, t := range p.read.Tasks {
		if t.Measured != nil {
			words += " " + explore.Number(t.Task, t.Measured.Value)
		}
	}
	return words
}

// drawPins draws the pins between the rows top and bottom, at the bottom, and returns where they begin.
func (p side) drawPins(c, in *chart.Canvas, box chart.Box, top, bottom int) int {
	n := min(len(p.pins), bottom-top-1)
	if n <= 0 {
		return bottom
	}
	w, _ := in.Size()
	y := bottom - n - 1
	box.Rule(c, y, head("Pins", false))
	for i, pin := range p.pins[len(p.pins)-n:] {
		x := 1 + in.Text(1, y+1+i, "◇ ", chart.Ink(chart.Pinned))
		x += in.Text(x, y+1+i, chart.Fit(pin.Name, min(10, w/3)), plain) + 1
		for _, pr := range limit(pin.predicted, (w-x)/5) {
			x += in.Text(x, y+1+i, explore.Decimal(pr.Value, 3), muted) + 1
		}
	}
	return y
}

// drawGrowth draws how the hypervolume has grown, at the bottom below row top, and returns where that
// begins.
func (p side) drawGrowth(c, in *chart.Canvas, box chart.Box, top int) int {
	w, h := in.Size()
	a := p.analysis()
	if h-top < 2 || len(a.History) < 2 {
		return h
	}
	rows := 1
	if h-top >= 7+len(p.state.Pins) {
		rows = min(h-top-2-len(p.state.Pins), 9)
	}
	y := h - rows - 1
	box.Rule(c, y, append(head("Hypervolume", false), chart.Span{Text: " " + explore.Decimal(a.Hypervolume, 4), Style: muted}))
	if rows == 1 {
		chart.Sparkline{Values: a.History, Color: chart.OnFront}.Draw(in.Sub(1, y+1, w-2, 1))
		return y
	}
	l := chart.Line{
		X:      chart.Axis{Range: chart.Range{Lo: 1, Hi: float64(len(a.History))}, Label: "trials", Format: whole},
		Series: []chart.LineSeries{{Values: a.History, Color: chart.OnFront}},
	}
	l.Draw(in.Sub(0, y+1, w, rows))
	return y
}

// whole writes numbers without decimals.
func whole(v, _ float64) string { return fmt.Sprintf("%.0f", v) }

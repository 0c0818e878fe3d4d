package tui

import (
	"fmt"
	"time"

	"parfait/explore"
	"parfait/study"
	"parfait/tui/chart"
)

// header is the top of every screen: the study, the views, what is going on, and trust.
type header struct {
	props
	views    []viewInfo
	view     scope // of the one that is shown
	focus    scope
	underWay []string // long work, in words
}

// drawTabs draws the name and the views on one line. With state, there is no line for it: it follows.
func (h header) drawTabs(c *chart.Canvas, withState bool) {
	w, _ := c.Size()
	x := 1
	title := chart.Ink(chart.Accent).With(chart.Bold)
	if w >= 110 {
		x += c.Text(x, 0, "parfait", title) + 2
	}
	name := chart.Clip(h.snap.Name, max(w-66, 8))
	if withState {
		name = chart.Clip(h.snap.Name, 14)
	}
	x += c.Text(x, 0, name, title) + 2
	gap := 2
	if w < 100 {
		gap = 1
	}
	if h.focus == scopeCoefficients { // where digits are values
		x += c.Text(x, 0, "alt+", chart.Ink(chart.Accent))
	}
	for _, v := range h.views {
		style := chart.Ink(chart.Muted)
		if v.scope == h.view {
			style = chart.Style{FG: chart.Accent, BG: chart.Selection, Attr: chart.Bold}
		}
		text := v.key + " " + v.title
		if withState && v.scope != h.view {
			text = v.key
		}
		x += c.Text(x, 0, text, style) + gap
	}
	if withState {
		marks := h.marks()
		n := chart.SpansWidth(marks)
		c.Spans(w-1-n, 0, marks...)
		h.drawState(c.Sub(x+1, 0, w-x-3-n, 1), true)
	}
}

// marks are the trust of all tasks in as little room as there can be.
func (h header) marks() []chart.Span {
	var out []chart.Span
	if a := h.analysis(); a != nil {
		for i := range a.Fits {
			r, style := trustMark(a, i)
			out = append(out, chart.Span{Text: string(r), Style: style})
		}
	}
	return out
}

// drawStatus draws what is going on, and trust, on a line.
func (h header) drawStatus(c *chart.Canvas) {
	w, _ := c.Size()
	trust := h.trust(w)
	n := chart.SpansWidth(trust)
	c.Spans(w-1-n, 0, trust...)
	h.drawState(c.Sub(1, 0, w-3-n, 1), false)
}

// drawState draws the runner, how far it is, and what it does.
func (h header) drawState(c *chart.Canvas, short bool) {
	w, _ := c.Size()
	a := h.snap.Activity
	word, style := runnerWord(a)
	x := c.Text(0, 0, word, style) + 1
	x += c.Text(x, 0, fmt.Sprintf("%d/%d", a.Done, a.Budget), chart.Style{}) + 1
	if short {
		return
	}
	if a.Runner == study.Waits { // nothing moves: the reason has the room of the bar
		h.drawActivity(c.Sub(x, 0, w-x, 1))
		return
	}
	bar := min(max(w/5, 6), 30)
	chart.Progress{Fraction: float64(a.Done) / float64(max(a.Budget, 1)), Color: style.FG}.Draw(c.Sub(x, 0, bar, 1))
	x += bar + 1
	h.drawActivity(c.Sub(x, 0, w-x, 1))
}

func runnerWord(a study.Activity) (string, chart.Style) {
	switch a.Runner {
	case study.Sampling:
		return "sampling", chart.Ink(chart.Accent)
	case study.Paused:
		return "paused", chart.Ink(chart.Warn)
	case study.Waits:
		return "waits", chart.Ink(chart.Warn)
	case study.Finished:
		return "finished", chart.Ink(chart.Good)
	}
	return "idle", chart.Ink(chart.Muted)
}

// drawActivity says what is going on, the most important first, as much as fits.
func (h header) drawActivity(c *chart.Canvas) {
	w, _ := c.Size()
	x := 0
	for _, s := range h.activity() {
		sep := ""
		if x > 0 {
			sep = " · "
		}
		if n := chart.Width(sep + s.Text); x > 0 && x+n > w {
			continue
		}
		x += c.Spans(x, 0, chart.Span{Text: sep, Style: faded}, chart.Span{Text: chart.Clip(s.Text, w-x), Style: s.Style})
	}
}

func (h header) activity() []chart.Span {
	a := h.snap.Activity
	var out []chart.Span
	add := func(text string, s chart.Style) { out = append(out, chart.Span{Text: text, Style: s}) }
	if h.snap.Problem != "" {
		add(h.within(h.snap.Problem), bad)
	}
	for _, words := range h.underWay {
		add(words, accent)
	}
	if a.Runner == study.Waits {
		add(a.Note, warn)
	}
	if a.NextBudget > 0 {
		add(fmt.Sprintf("study.yaml: %d next", a.NextBudget), warn)
	}
	stopped := a.Runner == study.Idle && a.Done < a.Budget
	if stopped && !h.viewer {
		add("s starts a runner", muted)
	}
	switch {
	case a.Running > 0 && stopped:
		add(fmt.Sprintf("%d interrupted", a.Running), warn)
	case a.Running > 0:
		add(fmt.Sprintf("%d running", a.Running), muted)
	}
	if a.ETA > 0 {
		add("eta "+duration(a.ETA), muted)
	}
	if a.Failed > 0 {
		add(fmt.Sprintf("%d failed", a.Failed), bad)
	}
	if analysis := h.analysis(); analysis != nil {
		if n, of, known := explore.BeatsBase(analysis); known {
			add(fmt.Sprintf("%d/%d ≥base", n, of), muted)
		}
	}
	if a.Spent.Words != "" {
		add(a.Spent.Words, muted)
	}
	if a.Waiting > 0 {
		add(fmt.Sprintf("%d waiting", a.Waiting), muted)
	}
	if a.Note != "" && a.Runner == study.Finished {
		add(a.Note, warn)
	}
	if f := h.snap.Focus; f != nil && f.Pick != nil {
		add("settles "+f.Pick.Name, accent)
	} else if f != nil {
		add("looks for "+f.Wishes.String(), accent)
	} else if a.Running+a.Waiting > 0 {
		if said := expected(h.snap.Newest()); said != "" {
			add(said, muted)
		}
	}
	if a.Note != "" && a.Runner != study.Waits && a.Runner != study.Finished {
		add(a.Note, warn)
	}
	return out
}

// expected is what a batch is expected to gain, as short as a header wants it; parfait trials says it in full.
func expected(b study.Batch) string {
	switch {
	case b.Wait != "":
		return "the search waits"
	case b.Advice.Text == "":
		return ""
	case b.Advice.Gain < 0.001:
		return "no gain expected"
	}
	return fmt.Sprintf("+%.1f %% expected", 100*b.Advice.Gain)
}

// trust is Q² of every task: as much of it as a third of the line holds.
func (h header) trust(w int) []chart.Span {
	a := h.analysis()
	if a == nil {
		return nil
	}
	line := func(names, figures bool) []chart.Span {
		out := []chart.Span{{Text: "trust", Style: chart.Ink(chart.Muted)}}
		for i, f := range a.Fits {
			r, style := trustMark(a, i)
			out = append(out, chart.Span{Text: " "}, chart.Span{Text: string(r), Style: style})
			if names {
				out = append(out, chart.Span{Text: " " + h.snap.Tasks[i].Name, Style: chart.Ink(chart.Muted)})
			}
			if figures || f.Trust.Flagged {
				out = append(out, chart.Span{Text: trustFigure(f), Style: chart.Ink(chart.Muted)})
			}
		}
		return out
	}
	for _, try := range [][]chart.Span{line(true, true), line(false, true)} {
		if chart.SpansWidth(try) <= w/2 {
			return try
		}
	}
	return chart.ClipSpans(line(false, false), w/2)
}

func trustFigure(f study.Fit) string {
	if f.Trust.Constant {
		return " const"
	}
	return " " + explore.Decimal(f.Trust.Q2, 2)
}

// duration writes a time as people say it: 12 s, 3 min, 2 h 10 min.
func duration(d time.Duration) string {
	switch s := int(d.Round(time.Second) / time.Second); {
	case s < 1:
		return "1 s"
	case s < 100:
		return fmt.Sprintf("%d s", s)
	case s < 100*60:
		return fmt.Sprintf("%d min", (s+30)/60)
	case s < 48*3600:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	default:
		return fmt.Sprintf("%d days", s/86400)
	}
}

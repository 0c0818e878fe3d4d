package tui

import (
	"fmt"
	"maps"
	"os"
	"strings"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/problem"
	"parfait/study"
	"parfait/tui/chart"
)

// scopeExports is the view of exports and picks.
const scopeExports scope = "exports"

// exportsView is what was chosen and written.
type exportsView struct {
	at       int
	checked  map[int]string // what the check of an export found, by its id
	checking *progress      // of a check; nil while there is none
}

func newExportsView() view { return &exportsView{} }

func (l *exportsView) info() viewInfo {
	return viewInfo{scope: scopeExports, key: "6", title: "Exports", heading: "Exports"}
}

func (l *exportsView) refresh(*explorer) tea.Cmd { return nil }

func (l *exportsView) draw(_ *explorer, s props, c *chart.Canvas) {
	exportsPane{props: s, exportsView: *l}.draw(c)
}

func (l *exportsView) take(e *explorer, msg tea.Msg) (tea.Cmd, bool) {
	switch m := msg.(type) {
	case checkMsg:
		l.found(e, m)
	case receiptMsg:
		e.above = &reading{title: "Receipt of " + m.name, lines: splitLines(m.text)}
	default:
		return nil, false
	}
	return nil, true
}

func (l *exportsView) underWay() (string, *progress) { return "checking the export", l.checking }

func (l *exportsView) ended(p *progress) {
	if l.checking == p {
		l.checking = nil
	}
}

func (l *exportsView) actions() []action {
	at := []scope{scopeExports}
	step := func(n int) func(*explorer) tea.Cmd {
		return in(func(e *explorer, l *exportsView) tea.Cmd {
			l.at = max(min(l.at+n, len(e.snap.Exports)+len(e.snap.Picks)-1), 0)
			return nil
		})
	}
	return []action{
		{ID: "exports.down", Scopes: at, Keys: []string{"down", "j"}, Pair: "↑↓", Title: "the next one", Hint: "select", Bar: 1, do: step(1)},
		{ID: "exports.up", Scopes: at, Keys: []string{"up", "k"}, Title: "the previous one", do: step(-1)},
		{ID: "exports.receipt", Scopes: at, Keys: []string{"enter"}, Title: "read its receipt", Hint: "receipt", Bar: 2, Twin: "parfait verify OUT", disabled: in(noExport), do: in(readReceipt)},
		{ID: "exports.check", Scopes: at, Keys: []string{"v"}, Title: "compare it with its receipt again", Hint: "check", Bar: 3, Twin: "parfait verify", disabled: in(noCheck), do: in(checkExport)},
		{ID: "exports.take", Scopes: at, Keys: []string{"t"}, Title: "take it in hand", Hint: "take in hand", Bar: 2, Twin: "parfait predict --at …", disabled: noFront, do: in(takeExport)},
	}
}

func noExport(e *explorer, l *exportsView) string {
	if l.at >= len(e.snap.Exports) {
		return "this was not exported: t takes it in hand, enter in the view Front exports it"
	}
	return ""
}

func noCheck(e *explorer, l *exportsView) string {
	if _, ok := e.src.(Checker); !ok {
		return "it cannot be read from here"
	}
	if l.checking != nil {
		return "one is being compared"
	}
	return noExport(e, l)
}

type checkMsg struct {
	id       int
	problems []string
	err      error
}

func checkExport(e *explorer, l *exportsView) tea.Cmd {
	x, c := e.snap.Exports[l.at], e.src.(Checker)
	e.note = note{"comparing " + x.Name + " with its receipt…", muted}
	p := newProgress()
	l.checking = p
	check := e.work("check the export", func() tea.Msg {
		defer p.end()
		problems, err := c.CheckExport(e.ctx, x, p.tell)
		return checkMsg{x.ID, problems, err}
	})
	return tea.Batch(check, p.next())
}

// found notes what a check found.
func (l *exportsView) found(e *explorer, m checkMsg) {
	if m.err != nil {
		e.refuse(refusedMsg{problem.Text(m.err)})
		return
	}
	words := "✓ every byte is what the receipt says"
	if len(m.problems) > 0 {
		words = "✗ " + strings.Join(m.problems, "; ")
	}
	checked := maps.Clone(l.checked)
	if checked == nil {
		checked = map[int]string{}
	}
	checked[m.id] = words
	l.checked = checked
	e.note = note{words, good}
	if len(m.problems) > 0 {
		e.note.style = bad
	}
}

func readReceipt(e *explorer, l *exportsView) tea.Cmd {
	x := e.snap.Exports[l.at]
	return e.work("read the receipt", func() tea.Msg {
		b, err := os.ReadFile(x.Receipt)
		if err != nil {
			return refused(err)
		}
		return receiptMsg{x.Name, string(b)}
	})
}

type receiptMsg struct{ name, text string }

func takeExport(e *explorer, l *exportsView) tea.Cmd {
	i, x, name := l.at, []float64(nil), ""
	switch n := len(e.snap.Exports); {
	case i < n:
		x, name = e.snap.Exports[i].X, e.snap.Exports[i].Name
	case i-n < len(e.snap.Picks):
		x, name = e.snap.Picks[i-n].X, e.snap.Picks[i-n].Name
	default:
		return nil
	}
	cmd := e.move(explore.Move{Kind: explore.Go, X: x})
	e.note = note{name + " is in hand", good}
	return cmd
}

// exportsPane draws exports and picks, and what was predicted and measured of the selected one.
type exportsPane struct {
	props
	exportsView
}

func (p exportsPane) draw(c *chart.Canvas) {
	w, h := c.Size()
	n := len(p.snap.Exports) + len(p.snap.Picks)
	list := min(max(n+3, 5), h/2)
	if n == 0 { // there is nothing to say about it either
		list = h
	}
	in := chart.Box{Edge: accent, Title: append(head("Exports and picks", true), chart.Span{Text: fmt.Sprintf(" %d and %d", len(p.snap.Exports), len(p.snap.Picks)), Style: muted})}.Draw(c.Sub(0, 0, w, list))
	if n == 0 {
		text := "Nothing was chosen yet: enter in the view Front exports what is in hand, d records a decision."
		if p.viewer {
			text = "Nothing was chosen yet. What operators decide on and export appears here."
		}
		message(in, text)
		return
	}
	_, ih := in.Size()
	first := window(p.at, n, ih)
	for y := range min(ih, n-first) {
		p.row(in, y, first+y)
	}
	p.details(c.Sub(0, list, w, h-list))
}

func (p exportsPane) row(c *chart.Canvas, y, i int) {
	w, _ := c.Size()
	line := c.Sub(0, y, w, 1)
	bg := chart.Default
	if i == p.at {
		bg = chart.Selection
		line.Fill(' ', chart.Style{BG: bg})
		line.Text(0, 0, "▸", accent.On(bg))
	}
	mark := func(x study.Export) {
		if p.exportBelow(x) != "" {
			line.Text(1, 0, belowMark, warn.On(bg))
		}
	}
	if n := len(p.snap.Exports); i >= n {
		k := p.snap.Picks[i-n]
		mark(p.pickExport(k))
		x := 2 + line.Text(2, 0, "◇ pick ", chart.Ink(chart.Pinned).On(bg))
		x += line.Text(x, 0, chart.Fit(k.Name, 16), plain.On(bg)) + 1
		x += line.Text(x, 0, k.At.Format("2006-01-02 15:04"), muted.On(bg)) + 2
		line.Text(x, 0, chart.Clip(k.Why, w-x-1), muted.On(bg))
		return
	}
	x := p.snap.Exports[i]
	mark(x)
	at := 2 + line.Text(2, 0, "● export ", good.On(bg))
	at += line.Text(at, 0, chart.Fit(x.Name, 14), plain.On(bg)) + 1
	at += line.Text(at, 0, x.At.Format("2006-01-02 15:04"), muted.On(bg)) + 2
	at += line.Text(at, 0, chart.Fit(explore.Bytes(x.Bytes), 9), muted.On(bg)) + 1
	line.Text(at, 0, chart.Clip(x.Out, w-at-1), muted.On(bg))
}

func (p exportsPane) details(c *chart.Canvas) {
	title := "Predicted and measured"
	var x study.Export
	why := ""
	if n := len(p.snap.Exports); p.at < n {
		x = p.snap.Exports[p.at]
		why = "receipt " + x.Receipt
		if found := p.checked[x.ID]; found != "" {
			why = found + "\n" + why
		}
	} else if p.at-n < len(p.snap.Picks) {
		k := p.snap.Picks[p.at-n]
		x, why = p.pickExport(k), k.Why
		if k.Who != "" {
			why += " (" + k.Who + ")"
		}
	}
	in := chart.Box{Edge: faded, Title: head(title, false)}.Draw(c)
	w, h := in.Size()
	y := drawMeasured(in.Sub(1, 0, w-2, h), p.snap.Tasks, x) + 1
	if x.Doubt != "" {
		for _, line := range wrapText("! "+x.Doubt+": do not believe these predictions", w-2) {
			if y < h {
				in.Text(1, y, line, warn)
				y++
			}
		}
	}
	if below := p.exportBelow(x); below != "" {
		for _, line := range wrapWithin(belowMark+" "+below, w-2, h-y) {
			in.Text(1, y, line, warn)
			y++
		}
	}
	words := strings.Join(valued(p.coefficients(), x.X), "  ")
	if noTest(x) {
		words += "\n" + noTestWords
	}
	for _, text := range []string{words, why} {
		for _, line := range wrapText(text, w-2) {
			if y < h {
				in.Text(1, y, line, muted)
				y++
			}
		}
	}
}

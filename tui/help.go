package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"parfait/tui/chart"
)

const scopeHelp scope = "help"

// help lists the keys of the scope where it was asked for.
type help struct {
	of   scope
	top  int
	rows int
	n    int
}

func (*help) place() place { return place{scopeHelp, "Help"} }

func (*help) actions() []action {
	at := []scope{scopeHelp}
	return []action{
		{ID: "help.down", Scopes: at, Keys: []string{"down", "j", "pgdown", "space"}, Pair: "↑↓", Title: "further down", Hint: "scroll", do: on(func(_ *explorer, h *help) tea.Cmd { h.scroll(5); return nil })},
		{ID: "help.up", Scopes: at, Keys: []string{"up", "k", "pgup"}, Title: "further up", do: on(func(_ *explorer, h *help) tea.Cmd { h.scroll(-5); return nil })},
	}
}

func (h *help) press(*explorer, tea.KeyPressMsg) tea.Cmd { return nil }

func (h *help) scroll(n int) { h.top = max(min(h.top+n, h.n-h.rows), 0) }

// helpLine is one line of help: a heading, or keys and what they do.
type helpLine struct {
	keys, text, why string
	off             bool // it cannot be done now: why, or as the one above
}

func (h *help) lines(e *explorer) []helpLine {
	here := helpLine{text: "Here: " + string(h.of)}
	out := []helpLine{here}
	wide := []helpLine{{}, {text: "Everywhere"}}
	for _, a := range e.keys.of(h.of) {
		names := make([]string, len(a.Keys))
		for i, k := range a.Keys {
			names[i] = keyName(k)
		}
		line := helpLine{keys: strings.Join(names, " "), text: a.Title, off: e.disabled(a) != "", why: e.disabled(a)}
		if everywhere(*a) {
			wide = append(wide, line)
		} else {
			out = append(out, line)
		}
	}
	out = append(out, wide...)
	if slices.Contains(panes, h.of) {
		out = append(out, signs(e)...)
	}
	for i := len(out) - 1; i > 0; i-- { // once is enough for lines below each other
		if out[i].why == out[i-1].why {
			out[i].why = ""
		}
	}
	return out
}

// signs are what stands on the screen without words.
func signs(e *explorer) []helpLine {
	over := e.read.Over
	if over.Name == "" {
		return nil
	}
	return []helpLine{
		{},
		{text: "Signs"},
		{keys: "≥" + over.Name + " .93", text: "the probability that the point in hand is nowhere below " + over.Title + ", on any task that is optimised; B asks for points that are better than it, or than another"},
		{keys: belowMark, text: "predicted below the base"},
	}
}

func (h *help) draw(e *explorer, c *chart.Canvas) {
	cw, ch := c.Size()
	w := min(86, cw-4)
	var rows []helpRow
	for _, l := range h.lines(e) {
		rows = append(rows, l.rows(w-2-16)...)
	}
	in := floating(c, w, min(len(rows)+2, ch-2), head("Keys", true), keyHints(e, scopeHelp, w-6))
	iw, ih := in.Size()
	h.rows, h.n = ih, len(rows)
	h.scroll(0)
	for y, r := range limit(rows[h.top:], ih) {
		if r.heading {
			in.Text(1, y, r.text, strong)
			continue
		}
		rightText(in, 0, y, 13, r.keys, accent)
		in.Text(15, y, r.text, r.style)
	}
	if h.top+ih < len(rows) {
		in.Text(iw-1, ih-1, "↓", accent)
	}
}

// helpRow is a line of help as it is drawn.
type helpRow struct {
	keys, text string
	style      chart.Style
	heading    bool
}

// rows breaks a line of help, so that nothing of it is cut: first what the keys do, then why they cannot.
func (l helpLine) rows(w int) []helpRow {
	if l.keys == "" {
		return []helpRow{{text: l.text, heading: true}}
	}
	style, text := plain, l.text
	if l.off {
		style = faded
	}
	if l.why != "" {
		text += " — " + l.why
	}
	var out []helpRow
	for i, line := range wrapText(text, w) {
		r := helpRow{text: line, style: style}
		if i == 0 {
			r.keys = l.keys
		}
		out = append(out, r)
	}
	return out
}
